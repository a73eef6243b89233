"""The ordinary docker CLI against three real nodes: what a user sees."""

from __future__ import annotations

import json
import re
import time

from tests.e2e.conftest import Docker


def test_network_ls_is_dockers(docker: Docker) -> None:
    done = docker("node-1", "network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}")
    assert set(done.out.splitlines()) >= {
        "bridge bridge local",
        "docker_gwbridge bridge local",
        "host host local",
        "ingress overlay swarm",
        "none null local",
    }


def test_containers_on_two_nodes_talk_by_name(docker: Docker) -> None:
    assert docker("node-1", "network", "create", "-d", "overlay", "--attachable", "talk").code == 0
    assert docker("node-1", "run", "-d", "--name", "talk-web", "--network", "talk", "nginx").code == 0
    done = docker(
        "node-3", "run", "--rm", "--network", "talk", "alpine", "ping", "-c", "3", "-i", "0.1", "talk-web"
    )
    assert done.code == 0
    assert len(re.findall(r"64 bytes from 10\.\d+\.\d+\.\d+: seq=\d ttl=64 time=", done.out)) == 3
    assert "3 packets transmitted, 3 packets received, 0% packet loss" in done.out
    refused = docker("node-2", "network", "rm", "talk")
    assert refused.code == 1
    assert (
        'error while removing network: network talk has active endpoints (name:"talk-web" id:"' in refused.err
    )
    assert docker("node-1", "rm", "-f", "talk-web").out == "talk-web\n"
    assert docker("node-1", "network", "rm", "talk").out == "talk\n"


def test_network_inspect_shows_what_docker_shows(docker: Docker) -> None:
    docker("node-2", "network", "create", "--subnet", "10.44.0.0/24", "--label", "a=b", "looked-at")
    docker(
        "node-2",
        "run",
        "-d",
        "--name",
        "inside",
        "--network",
        "looked-at",
        "--ip",
        "10.44.0.44",
        "alpine",
        "sleep",
        "100000",
    )
    shown = json.loads(docker("node-2", "network", "inspect", "looked-at").out)[0]
    assert shown["IPAM"]["Config"] == [{"Subnet": "10.44.0.0/24"}]
    assert shown["Labels"] == {"a": "b"}
    assert [(c["Name"], c["IPv4Address"]) for c in shown["Containers"].values()] == [
        ("inside", "10.44.0.44/24")
    ]
    docker("node-2", "rm", "-f", "inside")
    docker("node-2", "network", "rm", "looked-at")


def test_standard_input_reaches_a_container_and_comes_back(docker: Docker) -> None:
    assert docker("node-1", "run", "-i", "--rm", "alpine", "cat", stdin=b"one\ntwo\n").out == "one\ntwo\n"


def test_exec_has_streams_and_an_exit_code(docker: Docker) -> None:
    docker("node-1", "run", "-d", "--name", "exec-here", "alpine", "sleep", "100000")
    done = docker("node-1", "exec", "exec-here", "sh", "-c", "echo out; echo err >&2; exit 4")
    assert (done.code, done.out, done.err) == (4, "out\n", "err\n")
    assert docker("node-1", "exec", "-i", "exec-here", "cat", stdin=b"half-close").out == "half-close"
    missing = docker("node-1", "exec", "exec-here", "nosuch")
    assert missing.code == 127
    assert 'exec: "nosuch": executable file not found in $PATH' in missing.out + missing.err
    docker("node-1", "rm", "-f", "exec-here")


def test_exit_codes_are_dockers(docker: Docker) -> None:
    assert docker("node-1", "run", "--rm", "alpine", "sh", "-c", "exit 3").code == 3
    assert docker("node-1", "run", "--rm", "alpine", "nosuch").code == 127
    unknown = docker("node-1", "run", "--rm", "no-such-image")
    assert unknown.code == 125
    assert "alpine" in unknown.err
    assert "nginx" in unknown.err


def test_logs_top_stop_and_ps(docker: Docker) -> None:
    docker(
        "node-2",
        "run",
        "-d",
        "--name",
        "chatty",
        "alpine",
        "sh",
        "-c",
        "echo hello; echo oops >&2; sleep 100000",
    )
    logs = docker("node-2", "logs", "chatty")
    assert (logs.out, logs.err) == ("hello\n", "oops\n")
    assert "sleep 100000" in docker("node-2", "top", "chatty").out
    assert docker("node-2", "stop", "-t", "0", "chatty").code == 0
    shown = docker("node-2", "ps", "-a", "--filter", "name=chatty", "--format", "{{.Names}} {{.Status}}").out
    assert re.match(r"chatty Exited \(137\) .* ago", shown)
    assert docker("node-2", "start", "chatty").code == 0
    assert docker("node-2", "rm", "chatty").code == 1
    assert docker("node-2", "rm", "-f", "chatty").code == 0


def test_nginx_stops_at_once_and_sleep_takes_its_time(docker: Docker) -> None:
    docker("node-2", "run", "-d", "--name", "polite", "nginx")
    docker("node-2", "stop", "polite")
    assert docker("node-2", "inspect", "-f", "{{.State.ExitCode}}", "polite").out == "0\n"
    docker("node-2", "rm", "polite")


def test_the_default_bridge_has_no_names_and_a_users_bridge_has(docker: Docker) -> None:
    docker("node-3", "network", "create", "named")
    for network, name in (("named", "with-name"), ("bridge", "without-name")):
        docker("node-3", "run", "-d", "--name", name, "--network", network, "alpine", "sleep", "100000")
    assert (
        docker("node-3", "run", "--rm", "--network", "named", "alpine", "ping", "-c1", "with-name").code == 0
    )
    nameless = docker("node-3", "run", "--rm", "alpine", "ping", "-c1", "without-name")
    assert nameless.code == 1
    assert "ping: bad address 'without-name'" in nameless.err
    docker("node-3", "rm", "-f", "with-name", "without-name")
    docker("node-3", "network", "rm", "named")


def test_network_mistakes_get_dockers_words(docker: Docker) -> None:
    for arguments, words in (
        (("create", "bridge"), "operation is not permitted on predefined bridge network"),
        (("create", "-d", "host", "x1"), 'only one instance of "host" network is allowed'),
        (("create", "-d", "nosuch", "x2"), 'plugin "nosuch" not found'),
        (
            ("create", "--subnet", "10.45.0.1/24", "x3"),
            "invalid subnet 10.45.0.1/24: it should be 10.45.0.0/24",
        ),
        (("rm", "bridge"), "bridge is a pre-defined network and cannot be removed"),
        (("rm", "nosuch"), "network nosuch not found"),
        (("connect", "nosuch", "c1"), "network nosuch not found"),
    ):
        done = docker("node-1", "network", *arguments)
        assert done.code == 1, arguments
        assert words in done.err


def test_an_address_that_is_taken_is_refused_on_another_node(docker: Docker) -> None:
    docker(
        "node-1", "network", "create", "-d", "overlay", "--attachable", "--subnet", "10.46.0.0/24", "pinned"
    )
    docker(
        "node-1",
        "run",
        "-d",
        "--name",
        "first",
        "--network",
        "pinned",
        "--ip",
        "10.46.0.9",
        "alpine",
        "sleep",
        "100000",
    )
    second = docker(
        "node-2",
        "run",
        "-d",
        "--name",
        "second",
        "--network",
        "pinned",
        "--ip",
        "10.46.0.9",
        "alpine",
        "sleep",
        "9",
    )
    assert second.code == 125
    assert "failed to set up container networking: Address already in use" in second.err
    assert (
        docker("node-2", "ps", "-a", "--filter", "name=second", "--format", "{{.Status}}").out == "Created\n"
    )
    docker("node-2", "rm", "second")
    docker("node-1", "rm", "-f", "first")
    docker("node-1", "network", "rm", "pinned")


def test_node_ls_and_info_show_the_swarm(docker: Docker) -> None:
    listed = docker("node-2", "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}").out
    assert set(listed.splitlines()) == {
        "node-1 Ready Leader",
        "node-2 Ready Reachable",
        "node-3 Ready Reachable",
    }
    info = json.loads(docker("node-2", "info", "--format", "{{json .}}").out)
    assert (info["Swarm"]["LocalNodeState"], info["Swarm"]["Nodes"], info["Name"]) == ("active", 3, "node-2")


def test_events_tell_a_containers_life_in_the_engines_order(docker: Docker) -> None:
    docker("node-1", "run", "--rm", "--name", "eventful", "alpine", "true")
    until = str(int(time.time()) + 1)
    shown = "{{.Action}} {{.Actor.Attributes.name}}"
    told = docker("node-1", "events", "--since", "10s", "--until", until, "--format", shown).out
    actions = [line.split()[0] for line in told.splitlines() if line.endswith(("eventful", "bridge"))]
    wanted = ["create", "attach", "connect", "start", "disconnect", "die", "destroy"]
    assert actions[-len(wanted) :] == wanted
