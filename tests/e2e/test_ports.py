"""Published ports as a user meets them: the docker command here, this machine's own programs there."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from lab.launch.cluster import Cluster
from tests.e2e.conftest import Docker

OPEN_CONNECTIONS = 2000


def address(cluster: Cluster, node: int = 0) -> str:
    return cluster.nodes[node].config.underlay_address


def fetch(cluster: Cluster, port: int) -> str:
    with urlopen(f"http://{address(cluster)}:{port}/page", timeout=5) as answer:
        return str(answer.read().decode())


def test_a_published_port_answers_the_machine_itself(cluster: Cluster, docker: Docker) -> None:
    try:
        assert docker("node-1", "run", "-d", "--name", "site", "-p", "18080:80", "nginx").code == 0
        text = fetch(cluster, 18080)
        assert "GET /page HTTP/1.1" in text
        assert re.search(r"Server address: 172\.\d+\.0\.\d+:80", text)
        assert docker("node-1", "port", "site").out.splitlines() == [
            "80/tcp -> 0.0.0.0:18080",
            "80/tcp -> [::]:18080",
        ]
        listed = docker("node-1", "ps", "--filter", "name=site", "--format", "{{.Ports}}").out.strip()
        assert listed == "0.0.0.0:18080->80/tcp, [::]:18080->80/tcp"
        shown = json.loads(docker("node-1", "inspect", "site").out)[0]["NetworkSettings"]["Ports"]
        assert shown == {
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "18080"}, {"HostIp": "::", "HostPort": "18080"}]
        }
        logged = docker("node-1", "logs", "site").out
        assert '"GET /page HTTP/1.1" 200' in logged
    finally:
        docker("node-1", "rm", "-f", "site")
    with pytest.raises(URLError):
        fetch(cluster, 18080)


def test_another_host_s_containers_reach_it_at_the_lan_address(cluster: Cluster, docker: Docker) -> None:
    lan = cluster.nodes[0].config.lan_address.partition("/")[0]
    try:
        docker("node-1", "run", "-d", "--name", "site", "-p", "18081:80", "nginx")
        done = docker("node-2", "run", "--rm", "alpine", "ping", "-c", "1", "-W", "2", lan)
        assert done.code == 0, done
    finally:
        docker("node-1", "rm", "-f", "site")


def test_the_same_port_twice_is_refused_in_docker_s_words(cluster: Cluster, docker: Docker) -> None:
    try:
        docker("node-1", "run", "-d", "--name", "one", "-p", "18082:80", "nginx")
        second = docker("node-1", "run", "-d", "--name", "two", "-p", "18082:80", "nginx")
        assert second.code == 125
        assert re.fullmatch(r"[0-9a-f]{64}\n", second.out), "the id was printed before the start"
        assert re.search(
            r"docker: Error response from daemon: failed to set up container networking: driver failed "
            r"programming external connectivity on endpoint two \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:18082 "
            r"failed: port is already allocated\n\nRun 'docker run --help' for more information",
            second.err,
        )
        states = docker("node-1", "ps", "-a", "--filter", "name=two", "--format", "{{.State}}").out.strip()
        assert states == "created"
    finally:
        docker("node-1", "rm", "-f", "one", "two")


def test_one_port_on_two_addresses_of_the_host(cluster: Cluster, docker: Docker) -> None:
    lan = cluster.nodes[0].config.lan_address.partition("/")[0]
    try:
        for name, host_address in (("one", "127.0.0.1"), ("two", lan)):
            done = docker("node-1", "run", "-d", "--name", name, "-p", f"{host_address}:18084:80", "nginx")
            assert done.code == 0, done
        first = docker("node-1", "exec", "one", "hostname").out.strip()
        assert first in fetch(cluster, 18084), "this machine has one address for both: the first one answers"
    finally:
        docker("node-1", "rm", "-f", "one", "two")


def test_a_port_that_a_program_of_this_machine_has_is_refused(cluster: Cluster, docker: Docker) -> None:
    with socket.create_server((address(cluster), 18083)):
        try:
            done = docker("node-1", "run", "-d", "--name", "late", "-p", "18083:80", "nginx")
            assert done.code == 125
            assert "failed to bind host port for 0.0.0.0:18083:" in done.err
            assert "/tcp: address already in use" in done.err
        finally:
            docker("node-1", "rm", "-f", "late")


async def test_thousands_of_connections_through_one_port(cluster: Cluster, docker: Docker) -> None:
    try:
        docker("node-1", "run", "-d", "--name", "busy", "-p", "18084:80", "nginx")
        opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        async with asyncio.timeout(60):
            for _ in range(OPEN_CONNECTIONS // 100):
                opened += await asyncio.gather(
                    *(asyncio.open_connection(address(cluster), 18084) for _ in range(100))
                )
            for _, writer in opened:
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            statuses = [await reader.readline() for reader, _ in opened]
        assert statuses == [b"HTTP/1.1 200 OK\r\n"] * OPEN_CONNECTIONS
        for _, writer in opened:
            writer.close()
    finally:
        docker("node-1", "rm", "-f", "busy")
