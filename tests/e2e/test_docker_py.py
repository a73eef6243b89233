"""docker-py, the second client, against a real node."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from docker import DockerClient
from docker.errors import APIError, NotFound

from lab.launch.cluster import Cluster


@pytest.fixture
def client(cluster: Cluster) -> Iterator[DockerClient]:
    """docker-py on node-2."""
    made = docker.DockerClient(f"unix://{cluster.node('node-2').config.socket_path}", timeout=20)
    yield made
    made.close()


def test_it_runs_a_container_and_gets_all_its_output(client: DockerClient) -> None:
    assert client.containers.run("alpine", ["echo", "hello"], remove=True) == b"hello\n"


def test_it_makes_networks_and_connects_containers(client: DockerClient) -> None:
    network = client.networks.create("by-python", driver="bridge", labels={"made": "here"})
    container = client.containers.run("alpine", ["sleep", "100000"], detach=True, name="by-python-1")
    try:
        network.connect(container, aliases=["other"])
        network.reload()
        assert [each.name for each in network.containers] == ["by-python-1"]
        code, output = container.exec_run(["nslookup", "other"])
        assert code == 0
        assert b"Address: 172." in output
        network.disconnect(container)
    finally:
        container.remove(force=True)
        network.remove()
    with pytest.raises(NotFound, match="network by-python not found"):
        client.networks.get("by-python")


def test_it_waits_and_reads_logs(client: DockerClient) -> None:
    container = client.containers.create("alpine", ["sh", "-c", "echo one; echo two >&2; exit 7"])
    container.start()
    assert container.wait()["StatusCode"] == 7
    assert container.logs(stdout=True, stderr=False) == b"one\n"
    assert container.logs(stdout=False, stderr=True) == b"two\n"
    container.remove()


def test_it_hears_of_mistakes(client: DockerClient) -> None:
    with pytest.raises(APIError, match="No such image"):
        client.containers.create("no-such-image")
    with pytest.raises(NotFound, match="No such container: nosuch"):
        client.containers.get("nosuch")


def test_it_sees_the_swarm(client: DockerClient) -> None:
    assert client.info()["Swarm"]["Nodes"] == 3
    assert sorted(node.attrs["Description"]["Hostname"] for node in client.nodes.list()) == [
        "node-1",
        "node-2",
        "node-3",
    ]
