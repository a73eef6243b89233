"""Options of a container that contradict each other, and endpoint settings that a network refuses."""

from __future__ import annotations

from typing import Any

import pytest

from node.control.validate_container import (
    check_endpoint,
    check_endpoints,
    validate_endpoint,
    validate_modes,
)
from node.errors import InvalidParameter
from node.model.container import ContainerSpec, RestartPolicy
from node.model.network import EndpointSpec, NetworkRecord, Subnet

MAC = "02:42:0a:00:00:05"


def network(*subnets: Subnet, name: str = "foo") -> NetworkRecord:
    return NetworkRecord(id="a" * 64, name=name, driver="bridge", scope="local", created="", subnets=subnets)


GIVEN = network(Subnet(subnet="10.1.0.0/24", given=True))
AUTOMATIC = network(Subnet(subnet="172.18.0.0/16"))


@pytest.mark.parametrize(
    ("mode", "options", "text"),
    [
        ("container:x", {"hostname": "h"}, "conflicting options: hostname and the network mode"),
        ("foo", {"hostname": "h", "uts_mode": "host"}, "conflicting options: hostname and the UTS mode"),
        ("container:x", {"dns": ("1.1.1.1",)}, "conflicting options: dns and the network mode"),
        (
            "container:x",
            {"extra_hosts": ("a:1.2.3.4",)},
            "conflicting options: custom host-to-IP mapping and the network mode",
        ),
        (
            "container:x",
            {"port_bindings": {"80/tcp": (("", "8080"),)}},
            "conflicting options: port publishing and the container type network mode",
        ),
        (
            "container:x",
            {"publish_all": True},
            "conflicting options: port publishing and the container type network mode",
        ),
        (
            "container:x",
            {"exposed_ports": ("80/tcp",)},
            "conflicting options: port exposing and the container type network mode",
        ),
        (
            "container:x",
            {"links": ("a:b",)},
            "conflicting options: container type network can't be used with links. "
            "This would result in undefined behavior",
        ),
        (
            "host",
            {"links": ("a:b",)},
            "conflicting options: host type networking can't be used with links. "
            "This would result in undefined behavior",
        ),
        ("container:", {}, "invalid network mode: invalid container format container:<name|id>"),
        (
            "default",
            {"auto_remove": True, "restart": RestartPolicy("always")},
            "can't create 'AutoRemove' container with restart policy",
        ),
    ],
)
def test_contradictions(mode: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        validate_modes(ContainerSpec(image="alpine", network_mode=mode, **options))
    assert str(refused.value) == text


@pytest.mark.parametrize(
    "spec",
    [
        ContainerSpec(image="alpine"),
        ContainerSpec(image="alpine", network_mode="host", exposed_ports=("80/tcp",), dns=("1.1.1.1",)),
        ContainerSpec(image="alpine", network_mode="host", hostname="h"),
        ContainerSpec(image="alpine", network_mode="container:x"),
        ContainerSpec(
            image="alpine", network_mode="container:x", endpoints={"container:x": EndpointSpec(mac=MAC)}
        ),
        ContainerSpec(image="alpine", network_mode="foo", hostname="h", auto_remove=True),
        ContainerSpec(image="alpine", network_mode="foo", endpoints={"foo": EndpointSpec(mac=MAC)}),
    ],
)
def test_what_goes_together_passes(spec: ContainerSpec) -> None:
    validate_modes(spec)


@pytest.mark.parametrize(
    ("where", "name", "wish", "problems"),
    [
        (GIVEN, "foo", EndpointSpec(address="10.1.0.9", aliases=("a",), mac=MAC), []),
        (None, "later", EndpointSpec(address="10.1.0.9"), []),
        (
            network(name="bridge"),
            "bridge",
            EndpointSpec(address="172.17.0.9"),
            [
                "user specified IP address is supported on user defined networks only",
                "user specified IP address is supported only when connecting to networks with user "
                "configured subnets",
            ],
        ),
        (
            AUTOMATIC,
            "foo",
            EndpointSpec(address="172.18.0.9"),
            [
                "user specified IP address is supported only when connecting to networks with user "
                "configured subnets"
            ],
        ),
        (
            GIVEN,
            "foo",
            EndpointSpec(address="10.2.0.9"),
            ["no configured subnet or ip-range contain the IP address 10.2.0.9"],
        ),
        (
            GIVEN,
            "foo",
            EndpointSpec(address="10.1.0"),
            [
                "invalid IPv4 address: 10.1.0",
                "no configured subnet or ip-range contain the IP address 10.1.0",
            ],
        ),
        (None, "foo", EndpointSpec(address="0.0.0.0"), ["invalid IPv4 address: 0.0.0.0"]),
        (
            None,
            "default",
            EndpointSpec(aliases=("a",)),
            ["network-scoped alias is supported only for containers in user defined networks"],
        ),
        (GIVEN, "foo", EndpointSpec(mac="zz"), ["invalid MAC address zz"]),
    ],
)
def test_endpoint_settings(
    where: NetworkRecord | None, name: str, wish: EndpointSpec, problems: list[str]
) -> None:
    assert validate_endpoint(where, name, wish) == problems


def test_connect_tells_the_problem_on_the_next_line() -> None:
    with pytest.raises(InvalidParameter) as refused:
        check_endpoint(GIVEN, "foo", EndpointSpec(mac="zz"))
    assert str(refused.value) == "invalid endpoint settings:\ninvalid MAC address zz"


def test_create_names_the_network() -> None:
    with pytest.raises(InvalidParameter) as refused:
        check_endpoints([(GIVEN, "foo", EndpointSpec(mac="zz")), (GIVEN, "bar", EndpointSpec())])
    assert str(refused.value) == (
        "invalid config for network foo: invalid endpoint settings:\ninvalid MAC address zz"
    )


def test_create_lists_several_networks() -> None:
    with pytest.raises(InvalidParameter) as refused:
        check_endpoints(
            [(GIVEN, "foo", EndpointSpec(mac="zz", address="x")), (GIVEN, "bar", EndpointSpec(mac="y"))]
        )
    assert str(refused.value) == (
        "* invalid config for network foo: invalid endpoint settings:\n"
        "\t* invalid IPv4 address: x\n"
        "\t* no configured subnet or ip-range contain the IP address x\n"
        "\t* invalid MAC address zz\n"
        "* invalid config for network bar: invalid endpoint settings:\n"
        "\tinvalid MAC address y"
    )
