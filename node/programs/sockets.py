"""ss and netstat: which sockets the container's network has, and in which state."""

from __future__ import annotations

from node.programs.ip import route
from node.programs.options import OptionError, Options, busybox_complaint, complaint, read
from node.programs.process import Process
from node.stack.inspect import SocketView, sockets

SS_STATES = {
    "LISTEN": "LISTEN", "ESTABLISHED": "ESTAB", "": "UNCONN", "TIME_WAIT": "TIME-WAIT",
    "CLOSE_WAIT": "CLOSE-WAIT", "FIN_WAIT1": "FIN-WAIT-1", "FIN_WAIT2": "FIN-WAIT-2",
    "SYN_SENT": "SYN-SENT", "SYN_RECV": "SYN-RECV", "LAST_ACK": "LAST-ACK", "CLOSING": "CLOSING",
}  # fmt: skip
SS_USAGE = """\
Usage: ss [ OPTIONS ]
   -h, --help          this message
   -n, --numeric       don't resolve service names
   -a, --all           display all sockets
   -l, --listening     display listening sockets
   -p, --processes     show process using socket
   -t, --tcp           display only TCP sockets
   -u, --udp           display only UDP sockets
"""
NETSTAT_USAGE = """\
Usage: netstat [-ral] [-tu] [-np]

Display networking information

	-r	Routing table
	-a	All sockets
	-l	Listening sockets
		Else: connected sockets
	-t	TCP sockets
	-u	UDP sockets
	-n	Don't resolve names
	-p	Show PID/program name for sockets
"""
LONG = ("help", "numeric", "all", "listening", "processes", "tcp", "udp")


def _chosen(process: Process, options: Options) -> list[SocketView]:
    kinds = [
        kind for kind, names in (("tcp", ("-t", "--tcp")), ("udp", ("-u", "--udp"))) if options.has(*names)
    ]
    found = [one for one in sockets(process.sandbox.stack) if not kinds or one.protocol in kinds]
    if options.has("-a", "--all"):
        return found
    listens = options.has("-l", "--listening")
    return [one for one in found if (one.state in ("LISTEN", "")) == listens]


async def ss(process: Process) -> int:
    """ss [-tulnpa]"""
    try:
        options = read(process.arguments[1:], "hnalptu4", LONG)
    except OptionError as error:
        return process.fail(f"{complaint('ss', error)}\n{SS_USAGE}", 255)
    if options.has("-h", "--help"):
        process.stdout.write(SS_USAGE)
        return 0
    found = _chosen(process, options)
    one_kind = options.has("-t", "--tcp") != options.has("-u", "--udp")
    rows = [
        ("Netid", "State", "Recv-Q", "Send-Q", "Local Address:", "Port", "Peer Address:", "Port", "Process")
    ]
    for one in found:
        local, remote = (
            (f"{address}:", str(port) if port else "*") for address, port in (one.local, one.remote)
        )
        queues = str(one.received), str(one.unsent)
        rows.append((one.protocol, SS_STATES[one.state], *queues, *local, *remote, ""))
    widths = [max(len(row[column]) for row in rows) for column in range(9)]
    for row in rows:
        padded = [
            text.rjust(width) if column in (4, 6) else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        ends = [padded[4] + padded[5], padded[6] + padded[7]]
        cells = [*([] if one_kind else padded[:1]), *padded[1:4], *ends, padded[8]]
        process.stdout.write(" ".join(cells).rstrip() + "\n")
    return 0


async def netstat(process: Process) -> int:
    """netstat [-tulnpa]"""
    try:
        options = read(process.arguments[1:], "nalptur", (*LONG, "route"))
    except OptionError as error:
        is_busybox = process.userland.family == "busybox"
        text = busybox_complaint("netstat", error) if is_busybox else complaint("netstat", error)
        return process.fail(f"{text}\n\n{NETSTAT_USAGE}")
    if options.has("--help"):
        process.stdout.write(NETSTAT_USAGE)
        return 0
    if options.has("-r", "--route"):
        return await route(process)
    which = "(w/o servers)"
    if options.has("-l", "--listening"):
        which = "(only servers)"
    if options.has("-a", "--all"):
        which = "(servers and established)"
    with_programs = options.has("-p", "--processes")
    program = "PID/Program name    " if with_programs else ""
    process.stdout.write(
        f"Active Internet connections {which}\n"
        f"Proto Recv-Q Send-Q Local Address           Foreign Address         State       {program}\n"
    )
    for one in sorted(_chosen(process, options), key=lambda each: each.protocol):
        local, remote = (f"{address}:{port or '*'}" for address, port in (one.local, one.remote))
        # Of a listener netstat tells no queues.
        received, unsent = (0, 0) if one.state == "LISTEN" else (one.received, one.unsent)
        owner = f" {'-':<20}" if with_programs else ""
        process.stdout.write(
            f"{one.protocol:<5} {received:>6} {unsent:>6} {local:<23} {remote:<23} {one.state:<11}{owner}\n"
        )
    return 0
