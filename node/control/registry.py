"""The containers of a node as its own store has them: found, named, kept.

Writing goes through the node's ledger, so a container is known here exactly as it will be known
after a restart.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from kvstore.store import Compare, Delete, Put, Transaction, absent
from node.control import keys
from node.control.codec import encode
from node.control.ledger import Ledger
from node.control.view import View
from node.errors import Conflict, InvalidParameter, NotFound
from node.model.container import ContainerRecord
from node.model.published import PublishedPort
from node.model.times import NEVER

NAME_PATTERN = "[a-zA-Z0-9][a-zA-Z0-9_.-]"
CONTAINERS_MAX = 10_000
"""On one node; beyond it `create` is refused."""


class Registry:
    """See the module."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def all(self) -> list[ContainerRecord]:
        """Every container, the newest first, as `docker ps` lists them."""
        return sorted(self._ledger.view.containers.values(), key=lambda c: (c.created, c.id), reverse=True)

    def get(self, identity: str) -> ContainerRecord | None:
        """By full id, if it still exists."""
        return self._ledger.view.containers.get(identity)

    def find(self, term: str) -> ContainerRecord:
        """By full id, then name, then the beginning of an id. Raises NotFound, InvalidParameter."""
        containers = self._ledger.view.containers
        if term in containers:
            return containers[term]
        name = term.removeprefix("/")
        for container in containers.values():
            if container.name == name:
                return container
        begun = [container for container in containers.values() if term and container.id.startswith(term)]
        if len(begun) > 1:
            raise InvalidParameter(f"multiple IDs found with provided prefix: {term}")
        if not begun:
            raise NotFound(f"No such container: {term}")
        return begun[0]

    async def add(self, container: ContainerRecord) -> None:
        """Keep a new container. Raises Conflict when its name is taken."""

        def plan(view: View) -> Transaction:
            if len(view.containers) >= CONTAINERS_MAX:
                raise Conflict(f"this node holds {CONTAINERS_MAX} containers already; remove some first")
            _check_name_free(view, container.name)
            key = keys.container(container.id)
            return Transaction((absent(key),), (Put(key, encode(container)),))

        await self._ledger.change(plan)

    async def change(
        self, identity: str, edit: Callable[[ContainerRecord], ContainerRecord]
    ) -> ContainerRecord:
        """Keep an edited container; what stands now is what ``edit`` is given. Raises NotFound."""
        edited: list[ContainerRecord] = []

        def plan(view: View) -> Transaction:
            standing = view.containers.get(identity)
            if standing is None:
                raise NotFound(f"No such container: {identity}")
            edited[:] = [edit(standing)]
            key = keys.container(identity)
            return Transaction((Compare(key, view.modified(key)),), (Put(key, encode(edited[0])),))

        await self._ledger.change(plan)
        return edited[0]

    async def change_state(self, identity: str, **fields: object) -> ContainerRecord:
        """Keep some fields of a container's state."""
        return await self.change(
            identity,
            lambda container: msgspec.structs.replace(
                container, state=msgspec.structs.replace(container.state, **fields)
            ),
        )

    async def record_start(
        self, identity: str, *, pid: int, ports: tuple[PublishedPort, ...], started: str
    ) -> ContainerRecord:
        """It runs, as if it had never ended before. Raises Unavailable, and then it must not run."""
        return await self.change_state(
            identity,
            status="running",
            exit_code=0,
            error="",
            pid=pid,
            ports=ports,
            started=started,
            finished=NEVER,
            stopped_by_user=False,
        )

    async def share_hostname(self, identity: str, hostname: str) -> ContainerRecord:
        """A container in another's sandbox is called what that one is called."""
        return await self.change(
            identity,
            lambda c: msgspec.structs.replace(c, spec=msgspec.structs.replace(c.spec, hostname=hostname)),
        )

    async def rename(self, identity: str, name: str) -> None:
        """Give a container another name. Raises Conflict, InvalidParameter."""
        check_name(name, shown=f"/{name}")

        def plan(view: View) -> Transaction:
            standing = view.containers.get(identity)
            if standing is None:
                raise NotFound(f"No such container: {identity}")
            _check_name_free(view, name)
            key = keys.container(identity)
            renamed = msgspec.structs.replace(standing, name=name)
            return Transaction((Compare(key, view.modified(key)),), (Put(key, encode(renamed)),))

        await self._ledger.change(plan)

    async def remove(self, identity: str) -> None:
        """Forget a container; no error if it has gone."""
        key = keys.container(identity)
        await self._ledger.change(lambda view: Transaction((), (Delete(key),) if view.modified(key) else ()))


def check_name(name: str, shown: str = "") -> None:
    """Refuse a name that the engine refuses (moby: daemon/names.go), under the name that it shows."""
    if not re.fullmatch(f"{NAME_PATTERN}+", name):
        raise InvalidParameter(f"Invalid container name ({shown or name}), only {NAME_PATTERN} are allowed")


def _check_name_free(view: View, name: str) -> None:
    for other in view.containers.values():
        if other.name == name:
            raise Conflict(
                f'Conflict. The container name "/{name}" is already in use by container "{other.id}". '
                "You have to remove (or rename) that container to be able to reuse that name."
            )
