"""ip addr, ip link, ip route and ip neigh, and their elders ifconfig, route and arp."""

from __future__ import annotations

from node.model.address import format_ipv4, parse_ipv4
from node.programs.process import Process
from node.stack.inspect import AddressView, InterfaceView, NeighborView, RouteView

_OBJECTS = ("address", "link", "route", "neighbour")
_CHANGES = ("add", "append", "change", "del", "delete", "flush", "replace", "set")
_LIFETIME = "valid_lft forever preferred_lft forever"
ANY = "0.0.0.0"  # noqa: S104 - a text


async def ip(process: Process) -> int:
    """The program."""
    words = [word for word in process.arguments[1:] if not word.startswith("-")]
    flags = [word for word in process.arguments[1:] if word.startswith("-")]
    wanted = words[0] if words else ""
    spelled = {"neigh": "neighbour", "neighbor": "neighbour", "addr": "address"}.get(wanted, wanted)
    kind = next((name for name in _OBJECTS if wanted and name.startswith(spelled)), "")
    if kind and words[1:2] and words[1] in _CHANGES:
        name = "ip: " if process.userland.family == "busybox" else ""
        return process.fail(f"{name}RTNETLINK answers: Operation not permitted", 2)
    rest = [word for word in words[1:] if word not in ("show", "list", "ls", "s", "dev")]
    view = process.sandbox.inspect()
    match kind:
        case "address" | "link":
            shown = [one for one in view.interfaces if not rest or one.name == rest[0]]
            if rest and not shown:
                return process.fail(f"ip: can't find device '{rest[0]}'")
            for one in shown:
                process.stdout.write(_shown(one, flags, with_addresses=kind == "address"))
        case "route":
            if rest[:1] == ["get"] and len(rest) > 1:
                return _route_get(process, rest[1])
            for route in view.routes:
                process.stdout.write(_route(route))
        case "neighbour":
            for neighbor in view.neighbors:
                process.stdout.write(_neighbor(neighbor))
        case _:
            return process.fail(
                "Usage: ip [ -br ] [ -o ] [ -s ] { addr | link | route | neigh } [ show [ dev ] ]", 255
            )
    return 0


def _shown(one: InterfaceView, flags: list[str], *, with_addresses: bool) -> str:
    if "-br" in flags or "-brief" in flags:
        return _brief(one)
    if "-o" not in flags and "-oneline" not in flags:
        text = _interface(one, with_addresses=with_addresses)
        return text + _traffic(one) if "-s" in flags else text
    if not with_addresses:
        return "\\".join(_interface(one, with_addresses=False).splitlines()) + "\n"
    return "".join(
        f"{one.index}: {one.name}    {_address(address, one.name)}\\       {_LIFETIME}\n"
        for address in one.addresses
    )


def _title(one: InterfaceView) -> str:
    beneath = f"if{one.peer_index}" if one.peer_index else one.beneath
    return f"{one.name}@{beneath}" if beneath else one.name


def _interface(one: InterfaceView, *, with_addresses: bool) -> str:
    queue = "noqueue"
    text = (
        f"{one.index}: {_title(one)}: <{','.join(one.flags)}> mtu {one.mtu} qdisc {queue} state {one.state} "
    )
    text += "qlen 1000\n" if one.link == "loopback" else "\n"
    text += f"    link/{one.link} {one.mac} brd {one.broadcast_mac}\n"
    if not with_addresses:
        return text
    for address in one.addresses:
        text += f"    {_address(address, one.name)}\n       {_LIFETIME}\n"
    return text


def _address(address: AddressView, interface: str) -> str:
    broadcast = f" brd {address.broadcast}" if address.broadcast else ""
    return f"inet {address.cidr}{broadcast} scope {address.scope} {interface}"


def _traffic(one: InterfaceView) -> str:
    text = ""
    for title, last, way in (("RX", "mcast", one.received), ("TX", "carrier", one.sent)):
        text += f"    {title}: {'bytes':>8} {'packets':>7} errors dropped {last:>7}\n"
        text += f"    {way.bytes:>12} {way.packets:>7} {0:>6} {way.dropped:>7} {0:>7}\n"
    return text


def _brief(one: InterfaceView) -> str:
    addresses = " ".join(address.cidr for address in one.addresses)
    return f"{_title(one):<16} {one.state:<14} {addresses} \n"


def _route(route: RouteView) -> str:
    text = route.destination
    if route.gateway:
        text += f" via {route.gateway}"
    text += f" dev {route.interface}"
    if route.protocol == "kernel":
        text += " proto kernel"
    if route.scope == "link":
        text += f" scope {route.scope}"
    if route.source:
        text += f" src {route.source}"
    return text + " \n"


def _neighbor(neighbor: NeighborView) -> str:
    mac = f" lladdr {neighbor.mac}" if neighbor.mac else ""
    return f"{neighbor.address} dev {neighbor.interface}{mac} {neighbor.state} \n"


def _route_get(process: Process, address: str) -> int:
    try:
        route = process.sandbox.stack.routes.find(parse_ipv4(address))
    except ValueError:
        return process.fail(f'Error: any valid address is expected rather than "{address}".', 1)
    if route is None:
        return process.fail("RTNETLINK answers: Network is unreachable", 2)
    interface = process.sandbox.stack.interfaces[route.interface]
    source = route.source or interface.source_towards(route.gateway or parse_ipv4(address))
    via = f" via {format_ipv4(route.gateway)}" if route.gateway else ""
    from_address = f" src {format_ipv4(source)}" if source else ""
    process.stdout.write(f"{address}{via} dev {route.interface}{from_address} \n")
    return 0


async def ifconfig(process: Process) -> int:
    """ifconfig, as BusyBox prints it."""
    for one in process.sandbox.inspect().interfaces:
        loop = one.link == "loopback"
        head = "Link encap:Local Loopback" if loop else f"Link encap:Ethernet  HWaddr {one.mac.upper()}"
        text = f"{one.name:<9} {head}\n"
        for address in one.addresses:
            text += f"          inet addr:{address.cidr.partition('/')[0]}"
            text += f"  Bcast:{address.broadcast}\n" if address.broadcast else "\n"
        flags = "UP LOOPBACK RUNNING" if loop else "UP BROADCAST RUNNING MULTICAST"
        text += f"          {flags}  MTU:{one.mtu}  Metric:1\n"
        received, sent = one.received, one.sent
        text += f"          RX packets:{received.packets} errors:0 dropped:{received.dropped} "
        text += "overruns:0 frame:0\n"
        text += f"          TX packets:{sent.packets} errors:0 dropped:{sent.dropped} "
        text += "overruns:0 carrier:0\n"
        text += f"          RX bytes:{received.bytes}  TX bytes:{sent.bytes}\n\n"
        process.stdout.write(text)
    return 0


async def arp(process: Process) -> int:
    """arp -n, as BusyBox prints it or as net-tools do."""
    neighbors = process.sandbox.inspect().neighbors
    if process.userland.family == "gnu":
        if neighbors:
            process.stdout.write(
                "Address                  HWtype  HWaddress           Flags Mask            Iface\n"
            )
        for neighbor in neighbors:
            known = f"{'ether':<8}{neighbor.mac:<20}" if neighbor.mac else f"{'':<8}{'(incomplete)':<20}"
            flags = "C" if neighbor.mac else ""
            process.stdout.write(f"{neighbor.address:<25}{known}{flags:<22}{neighbor.interface}\n")
        return 0
    for neighbor in neighbors:
        mac = neighbor.mac or "<incomplete>"
        process.stdout.write(f"? ({neighbor.address}) at {mac} [ether]  on {neighbor.interface}\n")
    return 0


async def route(process: Process) -> int:
    """route -n."""
    out = process.stdout.write
    out("Kernel IP routing table\n")
    out("Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
    for one in process.sandbox.inspect().routes:
        network, _, length = one.destination.partition("/")
        network, bits = (ANY, 0) if network == "default" else (network, int(length or 32))
        number = 0xFFFFFFFF << (32 - bits) & 0xFFFFFFFF
        mask = ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))
        flags = "UG" if one.gateway else "U"
        gateway = one.gateway or ANY
        out(f"{network:<15} {gateway:<15} {mask:<15} {flags:<5} 0      0        0 {one.interface}\n")
    return 0
