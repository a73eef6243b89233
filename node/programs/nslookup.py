"""nslookup, as BusyBox prints it, and getent hosts."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rdatatype

from node.programs.process import Process
from node.programs.resolve import (
    DNS_PORT,
    NoAddress,
    addresses_of,
    is_address,
    name_of,
    query,
    reverse_name,
    settings,
)


async def nslookup(process: Process) -> int:
    """The program."""
    words = [word for word in process.arguments[1:] if not word.startswith("-")]
    if not words:
        return process.fail("nslookup: a name is needed: nslookup NAME [SERVER]")
    name = words[0]
    server = settings(process).servers[0]
    if len(words) > 1:
        try:
            server = (await addresses_of(process, words[1]))[0]
        except NoAddress:
            return process.fail(f"nslookup: bad address '{words[1]}'")
    out = process.stdout.write
    kinds = ("PTR",) if is_address(name) else ("A", "AAAA")
    asked = reverse_name(name) if is_address(name) else name
    answers = [await query(process, asked, kind, (server,)) for kind in kinds]
    if all(answer is None for answer in answers):
        out(";; connection timed out; no servers could be reached\n\n")
        return 1
    out(f"Server:\t\t{server}\nAddress:\t{server}:{DNS_PORT}\n\n")
    found = False
    for answer in answers:
        if answer is not None:
            found |= _print(process, asked, answer)
    return 0 if found else 1


def _print(process: Process, name: str, answer: dns.message.Message) -> bool:
    out = process.stdout.write
    if answer.rcode() != dns.rcode.NOERROR:
        code = dns.rcode.to_text(answer.rcode())
        process.stdout.write(f"** server can't find {name}: {code}\n\n")
        return False
    out("Non-authoritative answer:\n")
    for rrset in answer.answer:
        for record in rrset:
            if record.rdtype == dns.rdatatype.PTR:
                out(f"{name}\tname = {record.target.to_text(omit_final_dot=True)}\n")
            elif record.rdtype == dns.rdatatype.A:
                out(f"Name:\t{rrset.name.to_text(omit_final_dot=True)}\nAddress: {record.address}\n")
    out("\n")
    return True


async def getent(process: Process) -> int:
    """getent hosts NAME ..."""
    if process.arguments[1:2] not in (("hosts",), ("ahosts",), ("ahostsv4",)):
        return process.fail("getent: only the database hosts is known here")
    code = 0
    for name in process.arguments[2:]:
        try:
            for address in await addresses_of(process, name):
                shown = (await name_of(process, address) or name) if is_address(name) else name
                process.stdout.write(f"{address:<15} {shown}\n")
        except NoAddress:
            code = 2
    return code
