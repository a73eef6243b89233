"""A network's names as endpoints come and go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.dns.zone import NAMES_PER_ENDPOINT_MAX, Zone
from node.errors import Unavailable


def test_every_name_of_an_endpoint_is_known_in_any_case() -> None:
    zone = Zone("app")
    zone.add("e1", ["Web", "www", "0123456789ab"], "10.0.1.3")

    assert zone.addresses("web") == zone.addresses("WWW") == zone.addresses("0123456789AB") == ("10.0.1.3",)
    assert zone.addresses("other") == ()
    assert zone.name_of("10.0.1.3") == "Web.app"


def test_a_name_of_several_endpoints_has_every_address_once() -> None:
    zone = Zone("app")
    zone.add("e1", ["c1", "all"], "10.0.1.3")
    zone.add("e2", ["c2", "all"], "10.0.1.4")
    zone.add("e3", ["c3", "all"], "10.0.1.4")

    assert zone.addresses("all") == ("10.0.1.3", "10.0.1.4")
    assert zone.name_of("10.0.1.4") == "c2.app"

    zone.remove("e2")
    assert zone.addresses("all") == ("10.0.1.3", "10.0.1.4")
    assert zone.name_of("10.0.1.4") == "c3.app"


def test_adding_an_endpoint_again_replaces_what_it_had() -> None:
    zone = Zone("app")
    zone.add("e1", ["old"], "10.0.1.3")
    zone.add("e1", ["new"], "10.0.1.9")

    assert zone.addresses("old") == ()
    assert zone.addresses("new") == ("10.0.1.9",)
    assert zone.name_of("10.0.1.3") is None


def test_too_many_names_are_refused_with_the_network_named() -> None:
    zone = Zone("app")
    names = [f"n{number}" for number in range(NAMES_PER_ENDPOINT_MAX + 1)]

    with pytest.raises(Unavailable, match="network app"):
        zone.add("e1", names, "10.0.1.3")


_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["e1", "e2", "e3"]),
        st.lists(st.sampled_from(["a", "B", "b", "c"]), max_size=4),
        st.sampled_from(["10.0.1.3", "10.0.1.4"]),
        st.booleans(),
    )
)


@given(_CHANGES)
def test_a_zone_is_always_what_its_present_endpoints_say(
    changes: list[tuple[str, list[str], str, bool]],
) -> None:
    zone = Zone("app")
    present: dict[str, tuple[list[str], str]] = {}
    for endpoint, names, address, is_added in changes:
        present.pop(endpoint, None)
        if is_added:
            zone.add(endpoint, names, address)
            present[endpoint] = (names, address)
        else:
            zone.remove(endpoint)

    for name in ("a", "b", "c"):
        expected = {address for names, address in present.values() if name in [n.lower() for n in names]}
        assert set(zone.addresses(name)) == expected
    for endpoint in list(present):
        zone.remove(endpoint)
    assert zone.addresses("a") == zone.addresses("b") == ()
    assert zone.name_of("10.0.1.3") is None
