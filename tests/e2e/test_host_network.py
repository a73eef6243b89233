"""The host's network is one for all who use it: programs there share ports, and two hosts do not."""

from __future__ import annotations

from tests.e2e.conftest import Docker


def test_two_web_servers_on_one_host_collide_and_on_two_hosts_do_not(docker: Docker) -> None:
    try:
        for node, name in (("node-1", "h-one"), ("node-2", "h-two")):
            assert docker(node, "run", "-d", "--name", name, "--network", "host", "nginx").code == 0
        second = docker("node-1", "run", "--name", "h-late", "--network", "host", "nginx")
        assert second.code == 1
        assert "[emerg]" in second.err
        assert "bind() to 0.0.0.0:80 failed (98: Address already in use)" in second.err
        for node, name in (("node-1", "h-one"), ("node-2", "h-two")):
            assert docker(node, "inspect", "-f", "{{.State.Running}}", name).out.strip() == "true"
        taken = docker("node-1", "run", "-d", "--name", "h-port", "-p", "80:80", "nginx")
        assert taken.code == 125
        assert "failed to bind host port for 0.0.0.0:80:172.17.0." in taken.err
        assert "address already in use" in taken.err
    finally:
        docker("node-1", "rm", "-f", "h-one", "h-late", "h-port")
        docker("node-2", "rm", "-f", "h-two")


def test_ports_are_not_published_in_the_hosts_network(docker: Docker) -> None:
    try:
        done = docker("node-1", "run", "-d", "--name", "h-three", "--network", "host", "-p", "80:80", "nginx")
        assert done.code == 0
        assert "WARNING: Published ports are discarded when using host network mode" in done.err
        assert docker("node-1", "port", "h-three").out == ""
    finally:
        docker("node-1", "rm", "-f", "h-three")
