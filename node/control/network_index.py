"""What new networks of one scope must not clash with: names, address blocks and VNIs that are in use."""

from __future__ import annotations

from ipaddress import IPv4Network

from node.control.pools import TakenPools
from node.model.network import DEFAULT_IPAM, NetworkRecord, Subnet


class NetworkIndex:
    """See the module. A configuration network takes nothing but its name.

    Nor are the subnets of other IPAMs counted: each IPAM has an address space of its own.
    """

    def __init__(self) -> None:
        self.named: dict[str, NetworkRecord] = {}
        self.pools = TakenPools()
        self.vnis: dict[int, None] = {}
        self.of_driver: dict[str, dict[str, NetworkRecord]] = {}
        """By driver and id."""
        self._users: dict[str, dict[str, Subnet]] = {}
        """By subnet: the networks that have it, by id, and how."""

    def fork(self) -> NetworkIndex:
        """The same, and from here on apart."""
        fork = NetworkIndex()
        fork.named, fork.vnis, fork.pools = self.named.copy(), self.vnis.copy(), self.pools.fork()
        fork.of_driver = {driver: networks.copy() for driver, networks in self.of_driver.items()}
        fork._users = {subnet: users.copy() for subnet, users in self._users.items()}
        return fork

    def add(self, network: NetworkRecord) -> None:
        """A network exists."""
        self.named[network.name] = network
        self.of_driver.setdefault(network.driver, {})[network.id] = network
        if network.config_only:
            return
        self.vnis.update(dict.fromkeys(network.vnis))
        for subnet, block in _counted(network):
            self.pools.add(block)
            self._users.setdefault(subnet.subnet, {})[network.id] = subnet

    def remove(self, network: NetworkRecord) -> None:
        """It exists no more."""
        self.named.pop(network.name, None)
        self.of_driver[network.driver].pop(network.id, None)
        if network.config_only:
            return
        for vni in network.vnis:
            self.vnis.pop(vni, None)
        for subnet, block in _counted(network):
            self.pools.remove(block)
            users = self._users[subnet.subnet]
            del users[network.id]
            if not users:
                del self._users[subnet.subnet]

    def ranges(self, subnet: str) -> list[str]:
        """The address ranges for which networks have this very subnet; "" for one that has all of it."""
        return [user.range for user in self._users.get(subnet, {}).values()]

    def users(self, subnet: str) -> list[str]:
        """Ids of the networks that have this very subnet."""
        return [*self._users.get(subnet, {})]

    def sharing(self, network: NetworkRecord) -> list[str]:
        """Ids of other networks with a subnet of this one: they share the addresses of one pool."""
        found = (user for subnet, _ in _counted(network) for user in self._users.get(subnet.subnet, {}))
        return [user for user in dict.fromkeys(found) if user != network.id]


def _counted(network: NetworkRecord) -> list[tuple[Subnet, IPv4Network]]:
    if network.ipam_driver != DEFAULT_IPAM:
        return []
    return list(zip(network.subnets, blocks_of(network), strict=True))


def blocks_of(network: NetworkRecord) -> list[IPv4Network]:
    """Its subnets. Raises ValueError for a record that nobody here has written."""
    return [IPv4Network(subnet.subnet) for subnet in network.subnets]
