"""Which way a packet goes."""

from __future__ import annotations

import errno
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.address import format_ipv4, parse_ipv4
from node.stack.inspect import RouteView, inspect
from node.stack.routes import Route, RouteTable
from tests.stack.cable import Cable, Host, pair


def shown(host: Host) -> list[RouteView]:
    return list(inspect(host.stack, 0.0).routes)


def test_an_address_brings_the_route_to_its_network_and_takes_it_away() -> None:
    a, _, _ = pair()
    a.stack.routes.add("default", "10.0.1.1", "eth0")
    a.stack.routes.add("10.0.9.0/24", "10.0.1.2", "eth0")

    assert shown(a) == [
        RouteView("default", "10.0.1.1", "eth0", "boot", "global", ""),
        RouteView("10.0.1.0/24", "", "eth0", "kernel", "link", "10.0.1.3"),
        RouteView("10.0.9.0/24", "10.0.1.2", "eth0", "boot", "global", ""),
    ]
    a.stack.interfaces["eth0"].remove_address("10.0.1.3/24")
    assert shown(a) == []


def test_an_interface_that_goes_takes_its_routes_along_and_no_others() -> None:
    host, cable = Host(), Cable()
    cable.plug(host.stack, "eth0", "02:42:0a:00:01:03", "10.0.1.3/24")
    cable.plug(host.stack, "eth1", "02:42:0a:00:02:03", "10.0.2.3/24")
    host.stack.routes.add("10.0.9.0/24", None, "eth1")
    host.stack.remove_interface("eth1")

    assert [route.destination for route in shown(host)] == ["10.0.1.0/24"]
    with pytest.raises(OSError, match="No such device"):
        host.stack.remove_interface("eth1")
    with pytest.raises(OSError, match="No such device"):
        host.stack.remove_interface("lo")


@pytest.mark.parametrize(
    ("destination", "gateway", "interface", "number"),
    [
        ("default", "10.0.1.1", "eth9", errno.ENODEV),
        ("default", "10.0.2.1", "eth0", errno.ENETUNREACH),
        ("10.0.1.0/24", None, "eth0", errno.EEXIST),
    ],
)
def test_routes_that_cannot_be(destination: str, gateway: str | None, interface: str, number: int) -> None:
    a, _, _ = pair()
    with pytest.raises(OSError, match=r".") as raised:
        a.stack.routes.add(destination, gateway, interface)
    assert raised.value.errno == number


@pytest.mark.parametrize("text", ["10.0.1.5/24", "10.0.1.0", "10.0.1.0/33", "nowhere", ""])
def test_what_is_no_network_is_refused(text: str) -> None:
    a, _, _ = pair()
    with pytest.raises(ValueError, match=r"10.0.1|invalid"):
        a.stack.routes.add(text, None, "eth0")


def test_removing_a_route_that_is_not_there() -> None:
    a, _, _ = pair()
    a.stack.routes.add("10.0.9.0/24", "10.0.1.2", "eth0")
    for gateway, interface in (("10.0.1.9", None), (None, "eth1")):
        with pytest.raises(OSError, match="No such process") as raised:
            a.stack.routes.remove("10.0.9.0/24", gateway, interface)
        assert raised.value.errno == errno.ESRCH
    a.stack.routes.remove("10.0.9.0/24")
    assert len(shown(a)) == 1


_NETWORKS = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32))


@given(st.lists(_NETWORKS, max_size=20), st.lists(st.integers(0, 2**32 - 1), min_size=1))
def test_the_longest_prefix_wins(networks: list[tuple[int, int]], destinations: list[int]) -> None:
    table = RouteTable({})
    known: dict[ipaddress.IPv4Network, str] = {}
    for number, prefix in networks:
        network = ipaddress.IPv4Network((number, prefix), strict=False)
        if network not in known:
            known[network] = f"if{len(known)}"
            table.insert(Route(network.network_address.packed, prefix, None, known[network]))
    for destination in [*destinations, *(number for number, _ in networks)]:
        address = ipaddress.IPv4Address(destination)
        matching = [network for network in known if address in network]
        best = max(matching, key=lambda network: network.prefixlen, default=None)
        found = table.find(address.packed)
        assert (found and found.interface) == (best and known[best])
    for route in table.listing():
        table.delete(route)
    assert table.find(parse_ipv4("10.0.0.1")) is None


def test_the_source_is_the_address_nearest_to_the_next_hop() -> None:
    host, cable = Host(), Cable()
    cable.plug(host.stack, "eth0", "02:42:0a:00:01:03", "10.0.1.3/24")
    host.stack.interfaces["eth0"].add_address("192.168.7.3/24")
    host.stack.routes.add("default", "192.168.7.1", "eth0")

    def source(destination: str) -> str:
        return format_ipv4(host.stack.output.path_to(parse_ipv4(destination)).source)

    assert source("10.0.1.9") == "10.0.1.3"
    assert source("192.168.7.9") == "192.168.7.3"
    assert source("8.8.8.8") == "192.168.7.3"
    assert source("10.0.1.3") == "10.0.1.3"
    assert source("127.0.0.11") == "127.0.0.1"


def test_addresses_are_added_once() -> None:
    a, _, _ = pair()
    with pytest.raises(FileExistsError):
        a.stack.interfaces["eth0"].add_address("10.0.1.3/24")
    with pytest.raises(OSError, match="Cannot assign"):
        a.stack.interfaces["eth0"].remove_address("10.0.1.9/24")
    with pytest.raises(FileExistsError):
        a.stack.add_interface("eth0", bytes(6), 1500, lambda frame, now: None)
    with pytest.raises(ValueError, match="MTU 67"):
        a.stack.add_interface("eth1", bytes(6), 67, lambda frame, now: None)
