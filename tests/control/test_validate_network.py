"""What `docker network create` is refused for before anything that exists is looked at."""

from __future__ import annotations

from typing import Any

import pytest

from node import errors
from node.control.validate_network import OPERATOR_FIELDS, validate_network
from node.errors import Forbidden, InvalidParameter, NodeError
from node.model.network import NetworkSpec, Subnet


def spec(*subnets: Subnet, **fields: Any) -> NetworkSpec:
    return NetworkSpec(**{"name": "net", "subnets": subnets, **fields})


def given(subnet: str, **fields: Any) -> Subnet:
    return Subnet(subnet=subnet, given=True, **fields)


@pytest.mark.parametrize(
    "subnet",
    [
        given("10.0.0.0/24"),
        given("10.0.0.0/24", gateway="10.0.0.254", range="10.0.0.128/25", auxiliary={"r": "10.0.0.5"}),
        given("0.0.0.0/0"),
        given("10.0.0.4/31"),
        given("10.0.0.4/32"),
    ],
)
def test_a_sound_subnet_passes(subnet: Subnet) -> None:
    validate_network(spec(subnet))


@pytest.mark.parametrize(
    ("subnet", "problem"),
    [
        (given("10.0.0.1/24"), "invalid subnet 10.0.0.1/24: it should be 10.0.0.0/24"),
        (given("foo"), "invalid subnet foo: invalid CIDR block notation"),
        (given("10.0.0.0"), "invalid subnet 10.0.0.0: invalid CIDR block notation"),
        (given("10.0.0.0/33"), "invalid subnet 10.0.0.0/33: invalid CIDR block notation"),
        (given("10.0.0.0/255.0.0.0"), "invalid subnet 10.0.0.0/255.0.0.0: invalid CIDR block notation"),
        (given("10.0.0.0/²"), "invalid subnet 10.0.0.0/²: invalid CIDR block notation"),
        (given(""), "invalid subnet : invalid CIDR block notation"),
        (
            given("10.0.0.0/24", range="10.0.0.0/16"),
            "invalid ip-range 10.0.0.0/16: CIDR block is bigger than its parent subnet 10.0.0.0/24",
        ),
        (
            given("10.0.0.0/24", range="10.1.0.0/25"),
            "invalid ip-range 10.1.0.0/25: parent subnet 10.0.0.0/24 doesn't contain ip-range",
        ),
        (given("10.0.0.0/24", range="x"), "invalid ip-range x: invalid CIDR block notation"),
        (
            given("10.0.0.0/24", gateway="10.0.1.1"),
            "invalid gateway 10.0.1.1: parent subnet 10.0.0.0/24 doesn't contain this address",
        ),
        (given("10.0.0.0/24", gateway="foo"), "invalid gateway foo: invalid address"),
        (given("10.0.0.0/24", gateway="::1"), "invalid gateway ::1: parent subnet is an IPv4 block"),
        (
            given("10.0.0.0/24", auxiliary={"r": "10.0.1.1"}),
            "invalid auxiliary address r: parent subnet 10.0.0.0/24 doesn't contain this address",
        ),
    ],
)
def test_one_mistake_is_told_on_the_next_line(subnet: Subnet, problem: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        validate_network(spec(subnet))
    assert str(refused.value) == f"invalid network config:\n{problem}"


def test_several_mistakes_are_told_in_a_list() -> None:
    with pytest.raises(InvalidParameter) as refused:
        validate_network(spec(given("10.0.0.1/24", gateway="foo"), given("bar")))
    assert str(refused.value) == (
        "invalid network config:\n"
        "* invalid subnet 10.0.0.1/24: it should be 10.0.0.0/24\n"
        "* invalid gateway foo: invalid address\n"
        "* invalid subnet bar: invalid CIDR block notation"
    )


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": " "}, InvalidParameter("invalid name: name is empty")),
        ({"enable_ipv4": False}, InvalidParameter("IPv4 or IPv6 must be enabled")),
        (
            {"enable_ipv4": False, "driver": "overlay"},
            InvalidParameter("IPv4 cannot be disabled in a Swarm scoped network"),
        ),
        (
            {"enable_ipv6": True},
            errors.NotImplemented("IPv6 is not simulated: create the network without --ipv6"),
        ),
        ({"config_only": True, "internal": True}, Forbidden(OPERATOR_FIELDS)),
        (
            {"config_only": True, "config_from": "c"},
            Forbidden("a configuration network cannot depend on another configuration network"),
        ),
        (
            {"config_from": "c", "labels": {"a": "b"}},
            Forbidden(
                "user specified configurations are not supported if the network depends on a "
                "configuration network"
            ),
        ),
        (
            {"config_from": "c", "options": {"a": "b"}},
            Forbidden(
                "network driver options are not supported if the network depends on a configuration network"
            ),
        ),
    ],
)
def test_what_contradicts_itself_is_refused(wrong: dict[str, Any], error: NodeError) -> None:
    with pytest.raises(type(error)) as refused:
        validate_network(spec(**wrong))
    assert str(refused.value) == str(error)
