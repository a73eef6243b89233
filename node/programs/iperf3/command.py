"""The command line of iperf3(1)."""

from __future__ import annotations

import re

from node.programs.iperf3 import plan as limits
from node.programs.iperf3.client import Client, Wish
from node.programs.iperf3.control import DEFAULT_PORT, VERSION
from node.programs.iperf3.plan import Plan, new_plan
from node.programs.iperf3.reporter import Reporter
from node.programs.iperf3.server import Duty, serve
from node.programs.options import BadValue, OptionError, Options, complaint, read
from node.programs.process import Process

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - in a simulated sandbox
DURATION_S = 10
INTERVAL_S_MAX = 60.0
SHORT = "p:f:i:B:VJvhs1Dc:ub:t:n:k:l:P:RZN4w:"
LONG = (
    *("port=", "format=", "interval=", "bind=", "verbose", "json", "version", "help", "server", "one-off"),
    *("client=", "udp", "bitrate=", "time=", "bytes=", "blockcount=", "length=", "parallel=", "reverse"),
    *("connect-timeout=", "zerocopy", "no-delay", "version4", "window=", "forceflush"),
)
CLIENT_ONLY = ("-u", "--udp", "-b", "--bitrate", "-t", "--time", "-n", "--bytes", "-k", "--blockcount",
               "-P", "--parallel", "-R", "--reverse", "-l", "--length")  # fmt: skip
USAGE = """\
Usage: iperf3 [-s|-c host] [options]
       iperf3 [-h|--help] [-v|--version]

Server or Client:
  -p, --port      #         server port to listen on/connect to
  -f, --format   [kmgtKMGT] format to report: Kbits, Mbits, Gbits, Tbits
  -i, --interval  #         seconds between periodic throughput reports
  -B, --bind      <host>    bind to a specific interface
  -J, --json                output in JSON format
  -v, --version             show version information and quit
  -h, --help                show this message and quit
Server specific:
  -s, --server              run in server mode
  -1, --one-off             handle one client connection then exit
Client specific:
  -c, --client    <host>    run in client mode, connecting to <host>
  -u, --udp                 use UDP rather than TCP
  --connect-timeout #       timeout for control connection setup (ms)
  -b, --bitrate #[KMG]      target bitrate in bits/sec (0 for unlimited)
                            (default 1 Mbit/sec for UDP, unlimited for TCP)
  -t, --time      #         time in seconds to transmit for (default 10 secs)
  -n, --bytes     #[KMG]    number of bytes to transmit (instead of -t)
  -k, --blockcount #[KMG]   number of blocks (packets) to transmit (instead of -t or -n)
  -l, --length    #[KMG]    length of buffer to read or write
                            (default 128 KB for TCP, dynamic or 1460 for UDP)
  -P, --parallel  #         number of parallel client streams to run
  -R, --reverse             run in reverse mode (server sends, client receives)

[KMG] indicates options that support a K/M/G suffix for kilo-, mega-, or giga-
"""


class BadParameter(Exception):
    """An option asks for what cannot be, in iperf3's words."""


async def iperf3(process: Process) -> int:
    """The program."""
    try:
        options = read(process.arguments[1:], SHORT, LONG)
        if options.has("-h", "--help"):
            process.stdout.write(USAGE)
            return 0
        if options.has("-v", "--version"):
            process.stdout.write(f"iperf {VERSION} (a program of a simulated container)\n")
            return 0
        return await (_serve(process, options) if _is_server(options) else _ask(process, options))
    except BadValue as error:
        reason = f"bad value of {error.option}: {error.value}"
        return process.fail(f"iperf3: parameter error - {reason}\n\n{USAGE}")
    except OptionError as error:
        return process.fail(f"{complaint('iperf3', error)}\n{USAGE}")
    except BadParameter as error:
        return process.fail(f"iperf3: parameter error - {error}\n\n{USAGE}")


def _is_server(options: Options) -> bool:
    is_server, is_client = options.has("-s", "--server"), options.has("-c", "--client")
    if is_server and is_client:
        raise BadParameter("cannot be both server and client")
    if not is_server and not is_client:
        raise BadParameter("must either be a client (-c) or server (-s)")
    if is_server and options.has(*CLIENT_ONLY):
        raise BadParameter("some option you are trying to set is client only")
    if is_client and options.has("-1", "--one-off", "-D"):
        raise BadParameter("some option you are trying to set is server only")
    if options.has("-D"):
        raise BadParameter("a daemon is not simulated: let the container run in the background")
    return is_server


async def _serve(process: Process, options: Options) -> int:
    duty = Duty(
        address=options.text("-B", "--bind", default=ANY_ADDRESS),
        port=_port(options),
        interval_s=_interval_s(options),
        form=_form(options),
        as_json=options.has("-J", "--json"),
        is_single=options.has("-1", "--one-off"),
    )
    return await serve(process, duty)


async def _ask(process: Process, options: Options) -> int:
    reporter = Reporter(process, _form(options), as_json=options.has("-J", "--json"), is_server=False)
    wish = Wish(
        host=options.text("-c", "--client"),
        port=_port(options),
        plan=_plan(options),
        interval_s=_interval_s(options),
        connect_s=options.whole("--connect-timeout", default=0) / 1000,
        source=options.text("-B", "--bind"),
    )
    return await Client(process, wish, reporter).run()


def _plan(options: Options) -> Plan:
    udp = options.has("-u", "--udp")
    ends = [names for names in (("-t", "--time"), ("-n", "--bytes"), ("-k", "--blockcount"))
            if options.has(*names)]  # fmt: skip
    if len(ends) > 1:
        raise BadParameter("only one test end condition (-t, -n, -k) may be specified")
    seconds = options.whole("-t", "--time", default=DURATION_S)
    parallel = options.whole("-P", "--parallel", default=1)
    length = _amount(options, "-l", "--length", default=0 if udp else limits.TCP_BLOCK_BYTES)
    if seconds > limits.DURATION_S_MAX:
        raise BadParameter(f"test duration too long (maximum = {limits.DURATION_S_MAX} seconds)")
    if parallel > limits.STREAMS_MAX:
        raise BadParameter(f"number of parallel streams too large (maximum = {limits.STREAMS_MAX})")
    if udp and length and not limits.UDP_BLOCK_BYTES_MIN <= length <= limits.UDP_BLOCK_BYTES_MAX:
        raise BadParameter(
            f"block size invalid (minimum = {limits.UDP_BLOCK_BYTES_MIN} bytes, "
            f"maximum = {limits.UDP_BLOCK_BYTES_MAX} bytes)"
        )
    if length > limits.BLOCK_BYTES_MAX:
        raise BadParameter(f"block size too large (maximum = {limits.BLOCK_BYTES_MAX} bytes)")
    bandwidth = _amount(
        options, "-b", "--bitrate", default=limits.UDP_RATE_BITS_PER_S if udp else 0, step=1000
    )
    return new_plan(
        tcp=not udp,
        udp=udp,
        time=seconds if not options.has("-n", "--bytes", "-k", "--blockcount") else 0,
        num=_amount(options, "-n", "--bytes", default=0),
        blockcount=_amount(options, "-k", "--blockcount", default=0),
        parallel=max(parallel, 1),
        reverse=options.has("-R", "--reverse"),
        len=length,
        bandwidth=bandwidth,
    )


def _amount(options: Options, *names: str, default: int, step: int = 1024) -> int:
    """A number with K, M, G or T: of bytes by 1024, of bits a second by 1000. Raises BadValue."""
    text = options.text(*names, default=str(default))
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{0,6})?)([kKmMgGtT]?)", text)
    if match is None:
        raise BadValue(names[0], text)
    return int(float(match[1]) * step ** " KMGT".index(match[2].upper() or " "))


def _port(options: Options) -> int:
    number = options.whole("-p", "--port", default=DEFAULT_PORT)
    if not 0 < number < 65_536:
        raise BadParameter("port number must be between 1 and 65535 inclusive")
    return number


def _interval_s(options: Options) -> float:
    seconds = options.seconds("-i", "--interval", default=1.0)
    if seconds and not 0.1 <= seconds <= INTERVAL_S_MAX:
        raise BadParameter("invalid report interval (min = 0.1, max = 60 seconds)")
    return seconds


def _form(options: Options) -> str:
    form = options.text("-f", "--format")
    if form and form not in tuple("kmgtKMGT"):
        raise BadParameter("bad format specifier (valid formats are in the set [kmgtKMGT])")
    return form
