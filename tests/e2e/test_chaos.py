"""Every fault of `shoal chaos` on a real cluster: what it says, what is listed, what a container sees."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from lab.cli.main import shoal as command
from lab.launch.cluster import Cluster, ClusterError, existing
from lab.launch.engine import Engine


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


Shoal = Callable[..., Said]
ALL_ON_WIRE = "(data, cable, control)"


@pytest.fixture
def shoal(cluster: Cluster) -> Iterator[Shoal]:
    """The command on the shared cluster, which is whole again afterwards."""

    def run(*arguments: str) -> Said:
        done = CliRunner().invoke(command, ["chaos", *arguments, "--name", cluster.name])
        if isinstance(done.exception, ClusterError):  # main() makes one sentence of it, and exit code 1
            return Said(1, done.stdout, str(done.exception))
        return Said(done.exit_code, done.stdout, done.stderr)

    yield run
    assert run("heal").returncode == 0


@pytest.fixture
def pair(cluster: Cluster) -> Iterator[Callable[[str, list[str]], tuple[int, str]]]:
    """c1 on node-1 and c2 on node-2 in one overlay: run(container, command)."""
    engines = {n: Engine(existing(cluster.name).node(f"node-{n}").config.socket_path, 20.0) for n in (1, 2)}
    made = engines[1].call(
        "POST", "/networks/create", {"Name": "chaosnet", "Driver": "overlay", "Attachable": True}
    )
    ids = {}
    for number, engine in engines.items():
        ids[number] = engine.create(
            "alpine", ["sleep", "100000"], network="chaosnet", name=f"chaos-c{number}"
        )
        engine.call("POST", f"/containers/{ids[number]}/start")
    yield lambda name, command: engines[int(name[-1])].execute(ids[int(name[-1])], command)
    for number, engine in engines.items():
        engine.call("DELETE", f"/containers/{ids[number]}", force=1)
    engines[1].call("DELETE", f"/networks/{made['Id']}")


def until(condition: Callable[[], bool], patience_s: float = 20.0) -> None:
    """Ask again and again."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.1)


KINDS: list[tuple[list[str], str, int]] = [
    (["partition", "node-1", "node-2"], "cut from node-", 2),
    (["partition", "node-1"], f"cut from node-2,node-3 {ALL_ON_WIRE}", 1),
    (["partition", "node-1", "node-2", "--one-way"], f"cut towards node-2 {ALL_ON_WIRE}", 1),
    (["partition", "node-1", "--plane", "store", "--reject"], "cut off from everybody (store)", 1),
    (["partition", "node-1", "node-2", "--flap", "2s", "--plane", "data"], "cut every 4s from node-", 2),
    (["loss", "10%", "--burst", "4", "--on", "node-2"], "loses 0.1 in runs of 4 to and from everybody", 1),
    (["loss", "0.5"], "loses 0.5 to everybody", 3),
    (["delay", "50ms", "--jitter", "10ms", "--on", "node-1"], "late by 50 ms give or take 10 ms", 1),
    (
        ["reorder", "25%", "--on", "node-1", "--peer", "node-2"],
        "holds 0.25 back for 10 ms to and from node-2",
        1,
    ),
    (["duplicate", "5%", "--on", "node-1", "--direction", "incoming"], "doubles 0.05 from everybody", 1),
    (["corrupt", "1%", "--on", "node-1", "--plane", "data"], "spoils 0.01 to and from everybody (data)", 1),
    (["bandwidth", "10mbit", "--on", "node-1", "--queue", "64k"], "at most 10 Mbit/s behind 65536 bytes", 1),
    (["mtu", "1400", "--on", "node-1", "--network", "lan"], "swallows what is longer than 1400 bytes", 1),
    (
        ["slow", "20ms", "--on", "node-2"],
        "late by 20 ms to and from everybody (data, cable, control, store)",
        1,
    ),
    (
        ["skew", "--rate", "0.5", "--offset", "-1h", "--on", "node-3"],
        "clock runs 0.5 times as fast, -3600 s",
        1,
    ),
    (["store", "away", "--on", "node-3"], "cut from everybody (store)", 1),
    (["store", "slow", "20ms"], "late by 20 ms to and from everybody (store)", 3),
    (["watch", "--on", "node-3"], "no news from the store (store)", 1),
    (["names", "--on", "node-1"], "cut from everybody (names)", 1),
    (["names", "--delay", "1s"], "late by 1000 ms to and from everybody (names)", 3),
    (["ports", "--reject", "--on", "node-1"], "cut off from everybody (ports)", 1),
]


def test_every_kind_is_injected_listed_and_healed(shoal: Shoal) -> None:
    asked: dict[str, tuple[str, int]] = {}
    for arguments, words, count in KINDS:
        done = shoal(*arguments, "--for", "5m", "--json")
        assert done.returncode == 0, (arguments, done.stderr)
        asked[json.loads(done.stdout)["id"]] = words, count
    listed = json.loads(shoal("list", "--json").stdout)
    for identity, (words, count) in asked.items():
        here = [fault for fault in listed if fault["id"] == identity]
        assert len(here) == count, words
        assert all(words in fault["what"] and 0 < fault["remaining_s"] <= 300 for fault in here), (
            words,
            here,
        )
    one = next(iter(asked))
    assert json.loads(shoal("heal", one, "--json").stdout) == {"healed": [one]}
    table = shoal("list").stdout
    assert one not in table
    assert all(identity in table for identity in list(asked)[1:])
    again = shoal("heal", one)
    assert (again.returncode, again.stderr) == (
        1,
        f"no fault {one} is active: shoal chaos list shows those that are",
    )
    assert shoal("heal").stderr == f"Healed {len(asked) - 1} faults.\n"
    assert shoal("list").stdout == "No fault is active.\n"


def test_what_it_says_and_what_comes_next(shoal: Shoal) -> None:
    done = shoal("loss", "10%", "--on", "node-1", "--for", "1m")
    assert re.fullmatch(
        r"0\.1 of all is lost on node-1 for 1m \(fault [a-z0-9]{4}\)\.\n"
        r"Next: shoal chaos list; it heals by itself, or at once with shoal chaos heal\n",
        done.stderr,
    )


def test_mistakes_are_sentences_and_leave_nothing(shoal: Shoal) -> None:
    for arguments, code, words in (
        (("loss", "lots"), 2, '"lots" is no fraction: write 10% or 0.1'),
        (("loss", "150%"), 2, "write 10% or 0.1, above 0 and at most 100%"),
        (("delay", "50"), 2, "write a number and a unit, as in 50ms or 2s"),
        (("delay", "5 minutes"), 2, '"5 minutes" is no time: write a number and a unit'),
        (("bandwidth", "fast"), 2, "write 512kbit, 10mbit or 1gbit"),
        (("delay", "5ms", "--for", "2h"), 1, "at most 3600 seconds"),
        (("delay", "5ms", "--on", "node-9"), 1, 'has no node "node-9": it has node-1, node-2, node-3'),
        (("partition", "node-1", "node-1"), 1, "node node-1 is in more than one group"),
        (("partition", "node-1,node-2,node-3"), 1, "there is no other node to cut it from"),
        (("loss", "1%", "--network", "nosuch"), 1, "network nosuch not found"),
        (("skew", "--on", "node-1"), 1, "a clock that is right is no fault"),
        (("names", "--refuse", "--loss", "1%"), 1, "one of these faults at a time"),
    ):
        done = shoal(*arguments)
        assert (done.returncode, words in done.stderr) == (code, True), (arguments, done.stderr)
    assert shoal("list").stdout == "No fault is active.\n"


def test_silence_of_names_and_a_cut_of_data_are_seen_in_containers(
    shoal: Shoal, pair: Callable[[str, list[str]], tuple[int, str]]
) -> None:
    assert pair("c1", ["ping", "-c", "1", "chaos-c2"])[0] == 0
    shoal("names", "--refuse", "--on", "node-1")
    assert "REFUSED" in pair("c1", ["nslookup", "chaos-c2"])[1]
    assert pair("c2", ["nslookup", "chaos-c1"])[0] == 0
    shoal("heal")
    shoal("partition", "node-1", "node-2", "--plane", "data")
    assert pair("c1", ["nslookup", "chaos-c2"])[0] == 0, (
        "4789 is blocked: names resolve, traffic does not pass"
    )
    assert pair("c1", ["ping", "-c", "1", "-W", "1", "chaos-c2"])[0] == 1
    shoal("heal")
    assert pair("c1", ["ping", "-c", "1", "chaos-c2"])[0] == 0


def test_status_shows_who_hears_the_store_and_who_counts_as_alive(shoal: Shoal, cluster: Cluster) -> None:
    def status() -> dict[str, dict[str, Any]]:
        done = CliRunner().invoke(command, ["status", "--json", "--name", cluster.name])
        return {node["name"]: node for node in json.loads(done.stdout)["nodes"]}

    def becomes(node: str, store: str, seen_by: list[str]) -> bool:
        now = status()[node]
        return (now["store"], now["seen_by"]) == (store, seen_by)

    others = ["node-1", "node-2"]
    until(lambda: becomes("node-3", "connected", others))
    assert len({node["revision"] for node in status().values()}) == 1
    shoal("store", "away", "--on", "node-3", "--for", "1m")
    until(lambda: becomes("node-3", "away", []))
    table = CliRunner().invoke(command, ["status", "--name", cluster.name]).stdout
    assert re.search(r"node-3 +ready +manager +away \d+ s +0 of 2", table), table
    shoal("heal")
    until(lambda: becomes("node-3", "connected", others))


def test_real_programs_find_published_ports_closed(shoal: Shoal, cluster: Cluster) -> None:
    entry = existing(cluster.name).node("node-3")
    engine = Engine(entry.config.socket_path, 20.0)
    site = engine.create("nginx", [], network="bridge", name="chaos-site", ports={8093: 80})
    engine.call("POST", f"/containers/{site}/start")
    address = (entry.config.underlay_address, 8093)

    def page(within_s: float = 15.0) -> bytes:
        """What a program of this machine reads there."""
        with socket.create_connection(address, within_s) as caller:
            caller.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return caller.recv(4096)

    try:
        assert b"200 OK" in page()
        shoal("ports", "--on", "node-3")
        with pytest.raises(TimeoutError):
            page(within_s=1.0)
        shoal("heal")
        shoal("ports", "--reject", "--on", "node-3")
        with pytest.raises(ConnectionResetError):
            page()
        shoal("heal")
        assert b"200 OK" in page()
    finally:
        engine.call("DELETE", f"/containers/{site}", force=1)


def test_nodes_are_completed_also_behind_a_comma(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_CLUSTER", cluster.name)
    complete = ShellComplete(command, {}, "shoal", "_SHOAL_COMPLETE")

    def offered(*words: str) -> list[str]:
        return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]

    named = ("--name", cluster.name)
    assert offered("chaos", "loss", *named, "10%", "--on", "node-") == ["node-1", "node-2", "node-3"]
    assert offered("chaos", "partition", *named, "node-1,node-") == [f"node-1,node-{n}" for n in (1, 2, 3)]
    assert "bandwidth" in offered("chaos", "ba")
