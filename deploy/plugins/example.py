"""A complete network plugin in one small file: a network driver and an IPAM driver. Nothing but Python.

    python3 deploy/plugins/example.py --directory ~/.local/state/shoal/default/plugins
    docker network create -d example --ipam-driver example shop
    docker run --rm --network shop alpine ip addr

Docker finds it by its socket, `example.sock`, and asks it by HTTP: each request is a POST to /KIND.METHOD
with a JSON object, each answer a JSON object; an error is {"Err": "..."} (IpamDriver: {"Error": "..."}).
What is asked when is told at each method below. The protocol is described in docs/plugins.md.

Three rules make a plugin that nobody curses:

1. Remember everything in a file: Docker does not repeat what it asked before you were killed.
2. Let every Delete, Leave and Release succeed when there is nothing to do: Docker may say it twice.
3. Answer soon: somebody waits in front of `docker run`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socketserver
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, cast

BODY_BYTES_MAX = 1 << 20
POOLS = IPv4Network("10.200.0.0/16")
"""Where pools come from that nobody asked for by name, as /24."""
GATEWAY = "com.docker.network.gateway"

Body = dict[str, Any]


class Refused(Exception):
    """The plugin says no; Docker shows the text as "remote: <text>"."""


class ExamplePlugin:
    """What it knows, and which part of it answers. ``scope`` is "local" or "global"."""

    def __init__(self, scope: str = "local", save: Callable[[Body], None] = lambda state: None) -> None:
        self.state: Body = {"networks": {}, "endpoints": {}, "pools": {}}
        self._parts = {
            "Plugin": Activation(),
            "NetworkDriver": Networks(self, scope),
            "IpamDriver": Addresses(self),
        }
        self._save = save

    def handle(self, method: str, body: bytes) -> tuple[int, bytes]:
        """One request, such as "NetworkDriver.Join": the HTTP status and the body of the answer."""
        kind, _, name = method.partition(".")
        call = getattr(self._parts.get(kind), name, None) if name[:1].isupper() else None
        if call is None:
            return 404, b"no such method\n"  # which Docker takes as "not implemented"
        try:
            answer = call(json.loads(body or b"{}"))
        except Refused as error:
            answer = {"Error" if kind == "IpamDriver" else "Err": str(error)}
        self._save(self.state)
        return 200, json.dumps(answer or {}).encode()


class Activation:
    """Being a plugin."""

    def Activate(self, _body: Body) -> Body:
        """Always the first call: which kinds of plugin is this?"""
        return {"Implements": ["NetworkDriver", "IpamDriver"]}


class Networks:
    """The network driver: networks, and the endpoints of containers in them."""

    def __init__(self, plugin: ExamplePlugin, scope: str) -> None:
        self._plugin = plugin
        self._scope = scope

    @property
    def networks(self) -> Body:
        """By id."""
        return cast(Body, self._plugin.state["networks"])

    @property
    def endpoints(self) -> Body:
        """By id."""
        return cast(Body, self._plugin.state["endpoints"])

    # -- networks ---------------------------------------------------------------------------------

    def GetCapabilities(self, _body: Body) -> Body:
        """local: a network belongs to one host. global: to the swarm, and its containers meet anywhere."""
        return {"Scope": self._scope, "ConnectivityScope": self._scope}

    def AllocateNetwork(self, _body: Body) -> Body:
        """Global scope: once, at `docker network create`. The options come back to every CreateNetwork."""
        return {"Options": {}}

    def FreeNetwork(self, _body: Body) -> None:
        """Global scope: the network is no more."""

    def CreateNetwork(self, body: Body) -> None:
        """Local scope: at `docker network create`. Global scope: before the first container on a host.

        One process may serve several hosts, so that the same network may come several times.
        """
        network = self.networks.setdefault(body["NetworkID"], {"hosts": 0})
        network["hosts"] += 1
        network["gateway"] = body["IPv4Data"][0].get("Gateway", "") if body["IPv4Data"] else ""

    def DeleteNetwork(self, body: Body) -> None:
        """The opposite."""
        network = self.networks.get(body["NetworkID"])
        if network is not None:
            network["hosts"] -= 1
            if network["hosts"] <= 0:
                del self.networks[body["NetworkID"]]

    # -- endpoints --------------------------------------------------------------------------------

    def CreateEndpoint(self, body: Body) -> Body:
        """A container is about to stand in the network. Fill in what is empty, and nothing else."""
        if body["NetworkID"] not in self.networks:
            raise Refused(f"no such network: {body['NetworkID']}")
        given = body.get("Interface") or {}
        self.endpoints[body["EndpointID"]] = {"network": body["NetworkID"], "joined": False}
        if given.get("MacAddress") or not given.get("Address"):
            return {"Interface": {}}
        address = IPv4Address(given["Address"].partition("/")[0])
        return {"Interface": {"MacAddress": f"02:70:{address.packed.hex(':')}"}}

    def DeleteEndpoint(self, body: Body) -> None:
        """It stands there no more."""
        self.endpoints.pop(body["EndpointID"], None)

    def EndpointOperInfo(self, _body: Body) -> Body:
        """Whatever people may want to know of an endpoint."""
        return {"Value": {}}

    def Join(self, body: Body) -> Body:
        """The container's interface: which of ours it is, its name's beginning inside, and its gateway.

        On a real host SrcName is an interface that the plugin has made, and Docker moves it. Here it
        stands for a port of the network's segment, which the simulation makes.
        """
        endpoint = self.endpoints.get(body["EndpointID"])
        if endpoint is None:
            raise Refused(f"no such endpoint: {body['EndpointID']}")
        endpoint["joined"] = True
        gateway = self.networks[endpoint["network"]]["gateway"].partition("/")[0]
        return {
            "InterfaceName": {"SrcName": f"ex{body['EndpointID'][:8]}", "DstPrefix": "ex"},
            # The host's address on the segment, in a network of one host. One that spans hosts has no
            # gateway of its own: Docker then leads its containers outside over docker_gwbridge.
            "Gateway": gateway if self._scope == "local" else "",
        }

    def Leave(self, body: Body) -> None:
        """The interface comes back."""
        if (endpoint := self.endpoints.get(body["EndpointID"])) is not None:
            endpoint["joined"] = False

    def ProgramExternalConnectivity(self, _body: Body) -> None:
        """The container is reached from outside through this endpoint: here are its published ports."""

    def RevokeExternalConnectivity(self, _body: Body) -> None:
        """It is not any more."""

    def DiscoverNew(self, _body: Body) -> None:
        """A host has come; its address is in DiscoveryData."""

    def DiscoverDelete(self, _body: Body) -> None:
        """A host has gone."""


class Addresses:
    """The IPAM driver: pools, and the addresses that are taken of each."""

    def __init__(self, plugin: ExamplePlugin) -> None:
        self._plugin = plugin

    @property
    def pools(self) -> Body:
        """By id, which is the subnet itself."""
        return cast(Body, self._plugin.state["pools"])

    def GetCapabilities(self, _body: Body) -> Body:
        """Neither a MAC address with each request, nor all requests again when Docker starts."""
        return {"RequiresMACAddress": False, "RequiresRequestReplay": False}

    def GetDefaultAddressSpaces(self, _body: Body) -> Body:
        """The names of two worlds of addresses: each host's own, and the swarm's. Here they are one."""
        return {"LocalDefaultAddressSpace": "example", "GlobalDefaultAddressSpace": "example"}

    def RequestPool(self, body: Body) -> Body:
        """A subnet for a network: the one that is asked for in Pool, or any."""
        pools = self.pools
        if body.get("V6"):
            raise Refused("there are no IPv6 pools here")
        wanted = body.get("Pool") or next(
            (str(block) for block in POOLS.subnets(new_prefix=24) if str(block) not in pools), ""
        )
        if not wanted or wanted in pools:
            raise Refused(f"pool {wanted or POOLS} is taken")
        pools[wanted] = []
        return {"PoolID": wanted, "Pool": wanted, "Data": {}}

    def ReleasePool(self, body: Body) -> None:
        """The network is no more."""
        self.pools.pop(body["PoolID"], None)

    def RequestAddress(self, body: Body) -> Body:
        """An address for a container, or a gateway if the options say so: Address, or any."""
        taken = self.pools.get(body["PoolID"])
        if taken is None:
            raise Refused(f"no such pool: {body['PoolID']}")
        pool = IPv4Network(body["PoolID"])
        free = (str(address) for address in pool.hosts() if str(address) not in taken)
        address = body.get("Address") or next(free, "")
        if not address or address in taken:
            raise Refused(f"address {address or pool} is taken")
        taken.append(address)
        return {"Address": f"{address}/{pool.prefixlen}", "Data": {}}

    def ReleaseAddress(self, body: Body) -> None:
        """It is free again."""
        taken = self.pools.get(body["PoolID"], [])
        if body["Address"] in taken:
            taken.remove(body["Address"])


# -- a program -------------------------------------------------------------------------------------


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """HTTP over a unix socket."""

    daemon_threads = True


def handler_for(plugin: ExamplePlugin) -> type[BaseHTTPRequestHandler]:
    """What http.server calls for each connection."""

    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), BODY_BYTES_MAX)
            method, body = self.path.removeprefix("/"), self.rfile.read(length)
            with one_at_a_time:
                status, answer = plugin.handle(method, body)
                told = f"{method} {body.decode(errors='replace')} -> {status} {answer.decode().strip()}"
                print(told, flush=True)
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.docker.plugins.v1.2+json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def address_string(self) -> str:
            return "docker"  # a unix socket has no addresses

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Every call is printed above already."""

    return Handler


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="An example of a Docker network and IPAM plugin.")
    parser.add_argument("--directory", type=Path, required=True, help="where the nodes look for plugins")
    parser.add_argument("--name", default="example", help="what it is called in `docker network create -d`")
    parser.add_argument("--scope", choices=("local", "global"), default="local")
    arguments = parser.parse_args()
    os.umask(0o077)  # the socket is its user's alone
    arguments.directory.mkdir(parents=True, exist_ok=True)
    kept = arguments.directory / f"{arguments.name}.state"
    socket = arguments.directory / f"{arguments.name}.sock"
    plugin = ExamplePlugin(arguments.scope, lambda state: save(kept, state))
    if kept.exists():
        plugin.state = json.loads(kept.read_text())
    socket.unlink(missing_ok=True)  # left by one that was killed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with Server(str(socket), handler_for(plugin)) as server:
            print(f"{arguments.name} listens at {socket}", flush=True)
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        socket.unlink(missing_ok=True)


def save(file: Path, state: Body) -> None:
    """Whole or not at all."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(state, indent=1))
    new.replace(file)


if __name__ == "__main__":
    main()
