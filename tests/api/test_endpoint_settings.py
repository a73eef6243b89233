"""NetworkSettings.Networks while a container runs, before, and after."""

from __future__ import annotations

from typing import Any

import msgspec

from node.api.docker_json.endpoints import networks
from node.api.fields import Fields
from node.api.parse_network import endpoint_spec
from node.model.container import ContainerRecord, ContainerSpec, ContainerState
from node.model.network import EndpointRecord, EndpointSpec

IDENTITY = "c" * 64
NEVER_RAN = ContainerRecord(
    id=IDENTITY,
    name="box",
    created="2026-01-01T00:00:00Z",
    spec=ContainerSpec(image="alpine"),
    image_id="sha256:1",
    arguments=("sleep",),
    networks={"app": EndpointSpec(mac="02:00:00:00:00:01"), "bridge": EndpointSpec()},
)
STOPPED = msgspec.structs.replace(
    NEVER_RAN, state=ContainerState(status="exited", started="2026-01-01T00:00:05Z")
)


def shown(container: ContainerRecord, **endpoints: EndpointRecord) -> dict[str, Any]:
    return networks(container, endpoints, lambda name: f"id of {name}")


def test_before_it_has_run_only_wishes_are_known() -> None:
    settings = shown(NEVER_RAN)["app"]
    assert (settings["NetworkID"], settings["DNSNames"]) == ("", None)
    assert settings["MacAddress"] == "02:00:00:00:00:01"


def test_after_it_has_run_its_networks_and_names_stay_known() -> None:
    settings = shown(STOPPED)
    assert settings["app"]["NetworkID"] == "id of app"
    assert settings["app"]["DNSNames"] == ["box", IDENTITY[:12]]
    assert (settings["app"]["MacAddress"], settings["app"]["IPAddress"]) == ("", "")
    assert settings["bridge"]["DNSNames"] is None, "the default bridge has no names"


def test_a_network_connected_while_it_was_stopped_is_not_joined_yet() -> None:
    late = EndpointSpec(connected="2026-01-01T00:00:09Z")
    settings = shown(msgspec.structs.replace(STOPPED, networks={"app": late}))["app"]
    assert (settings["NetworkID"], settings["DNSNames"]) == ("", ["box", IDENTITY[:12]])
    again = msgspec.structs.replace(STOPPED.state, started="2026-01-01T00:00:10Z")
    settings = shown(msgspec.structs.replace(STOPPED, networks={"app": late}, state=again))["app"]
    assert settings["NetworkID"] == "id of app"


def test_what_was_sent_empty_is_shown_empty_and_not_as_absent() -> None:
    sent = endpoint_spec(Fields({"IPAMConfig": {}, "Aliases": [], "DriverOpts": None}, "EndpointConfig"))
    settings = shown(msgspec.structs.replace(NEVER_RAN, networks={"app": sent}))["app"]
    assert (settings["IPAMConfig"], settings["Aliases"], settings["DriverOpts"]) == ({}, [], None)
