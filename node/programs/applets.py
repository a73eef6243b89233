"""The table of programs: every name that a container can run."""

from __future__ import annotations

from node.programs import (
    basics,
    dig,
    filters,
    ip,
    netcat,
    nginx,
    nslookup,
    ping,
    sed,
    sockets,
    text,
    traceroute,
    wget,
    whoami,
)
from node.programs.awk.command import awk
from node.programs.curl.command import curl
from node.programs.iperf3.command import iperf3
from node.programs.shell.main import shell
from node.programs.table import PROGRAMS, find
from node.programs.tcpdump.command import tcpdump

__all__ = ["find"]

PROGRAMS.update(
    {
        **dict.fromkeys(("sh", "ash", "bash", "dash"), shell),
        "ping": ping.ping,
        "dig": dig.dig,
        "host": dig.host,
        "ss": sockets.ss,
        "netstat": sockets.netstat,
        "nslookup": nslookup.nslookup,
        "getent": nslookup.getent,
        "ip": ip.ip,
        "ifconfig": ip.ifconfig,
        "route": ip.route,
        "arp": ip.arp,
        "traceroute": traceroute.traceroute,
        "iperf3": iperf3,
        "tcpdump": tcpdump,
        "wget": wget.wget,
        "curl": curl,
        "nc": netcat.nc,
        "netcat": netcat.nc,
        "cat": text.cat,
        "echo": text.echo,
        "printf": text.printf,
        "head": text.head,
        "tail": text.tail,
        "grep": text.grep,
        "wc": text.wc,
        "seq": text.seq,
        "ls": text.ls,
        "rm": text.remove,
        "touch": text.touch,
        "sed": sed.sed,
        "awk": awk,
        "sort": filters.sort,
        "uniq": filters.uniq,
        "cut": filters.cut,
        "tr": filters.tr,
        "tee": filters.tee,
        "which": filters.which,
        "sleep": basics.sleep,
        "timeout": basics.timeout,
        "hostname": basics.hostname,
        "ps": basics.ps,
        "env": basics.env,
        "printenv": basics.env,
        "date": basics.date,
        "uname": basics.uname,
        "id": basics.identity,
        "whoami": basics.whoami,
        "pwd": basics.pwd,
        "true": basics.true,
        "false": basics.false,
        "yes": basics.yes,
        "test": basics.test,
        "[": basics.test,
        "kill": basics.kill,
        "hello": basics.hello,
        "nginx": nginx.nginx,
        "/whoami": whoami.whoami,
        "docker-entrypoint.sh": basics.entrypoint,
    }
)
