"""The containers of a node as its user commands them: one verb each, in the engine's words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence

import msgspec

from node.control.bodies import Body
from node.control.creating import (
    arguments_of,
    check_links,
    check_wishes,
    free_name,
    networks_of,
    with_joined_by_id,
)
from node.control.images import tagged
from node.control.lives import Lives
from node.control.registry import Registry, check_name
from node.control.sandboxes import Sandboxes
from node.control.standing import GATEWAY_BRIDGE
from node.errors import Conflict, Failed, InvalidParameter, NodeError, NotFound, NotModified
from node.model.container import ContainerRecord, ContainerSpec, Ended, RestartPolicy
from node.model.ids import local_id
from node.model.network import EndpointRecord, NetworkRecord
from node.model.times import rfc3339
from node.programs import catalogue
from node.programs.signals import number_of
from node.seams import Clock

STOP_TIMEOUT_S = 10
"""How long `docker stop` waits for the program before it is killed."""
KILL_TIMEOUT_S = 10.0
SIGKILL, SIGTERM = 9, 15
RUNNING = "running: stop the container before removing or force remove"


class Containers:
    """See the module. ``find_network`` is the controller's."""

    def __init__(
        self,
        registry: Registry,
        lives: Lives,
        sandboxes: Sandboxes,
        find_network: Callable[[str], NetworkRecord],
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._registry = registry
        self._lives = lives
        self._sandboxes = sandboxes
        self._find_network = find_network
        self._clock = clock
        self._chance = chance

    # -- looking ----------------------------------------------------------------------------------

    def list(self) -> Sequence[ContainerRecord]:
        """All, the newest first."""
        return self._registry.all()

    def find(self, term: str) -> ContainerRecord:
        """By id, name or beginning of an id. Raises NotFound, InvalidParameter."""
        return self._registry.find(term)

    def endpoints(self, container: ContainerRecord) -> Mapping[str, EndpointRecord]:
        """Where a running container stands, by network name, as far as its user asked for it."""
        standing = self._lives.body(container).standing
        if standing is None:
            return {}
        return {
            name: foothold.endpoint for name, foothold in standing.footholds.items() if name != GATEWAY_BRIDGE
        }

    # -- making and removing ----------------------------------------------------------------------

    async def create(self, name: str, spec: ContainerSpec) -> tuple[str, Sequence[str]]:
        """Keep a new container: its id, and warnings."""
        check_wishes(spec, self._find_network)
        image = catalogue.find(spec.image)
        if image is None:
            raise NotFound(f"No such image: {tagged(spec.image)}")
        if name:
            check_name(name.removeprefix("/"))
        check_links(spec, self._registry)
        spec = with_joined_by_id(spec, self._registry)
        container = ContainerRecord(
            id=local_id(self._chance),
            name=name.removeprefix("/") or free_name(self._registry, self._chance),
            created=rfc3339(self._clock.wall()),
            spec=spec,
            image_id=image.id,
            arguments=arguments_of(spec, image),
            networks=networks_of(spec, self._find_network),
        )
        await self._registry.add(container)
        self._lives.tell(container, "create")
        return container.id, ()

    async def remove(self, term: str, *, force: bool) -> None:
        """Forget a container; a running one only by force."""
        container, body = self._lives.find(term)
        if body.removing:
            raise Conflict(f"removal of container {term} is already in progress")
        if body.running and not force:
            paused = container.state.status == "paused"
            reason = "paused and must be unpaused first" if paused else RUNNING
            raise Conflict(f'cannot remove container "{container.name}": container is {reason}')
        body.removing = True
        try:
            while not await self._forgotten(container, body):  # a start was under way
                if not force:
                    raise Conflict(f'cannot remove container "{container.name}": container is {RUNNING}')
        finally:
            body.removing = False

    async def _forgotten(self, container: ContainerRecord, body: Body) -> bool:
        """End and forget a container; False if it runs again meanwhile."""
        await self._end(container, body, SIGKILL, KILL_TIMEOUT_S)
        async with body.lock:
            if body.running:
                return False
            if (current := self._registry.get(container.id)) is not None:
                await self._lives.forget(current, body)
            return True

    async def rename(self, term: str, name: str) -> None:
        """Give it another name."""
        container = self._registry.find(term)
        if not name:
            raise InvalidParameter("Neither old nor new names may be empty")
        if name.removeprefix("/") == container.name:
            raise InvalidParameter("Renaming a container with the same name as its current name")
        try:
            await self._registry.rename(container.id, name.removeprefix("/"))
        except (Conflict, InvalidParameter) as error:
            raise type(error)(f"Error when allocating new name: {error}") from None
        renamed, body = self._lives.find(container.id)
        async with body.lock:
            if body.standing is not None:
                await self._sandboxes.rename(renamed, body.standing)
        self._lives.tell(renamed, "rename", oldName=f"/{container.name}")

    # -- running ----------------------------------------------------------------------------------

    async def start(self, term: str) -> None:
        """Run it. Raises NotModified when it runs already."""
        container, body = self._lives.find(term)
        if body.removing:
            raise Conflict("container is marked for removal and cannot be started")
        async with body.lock:
            if container.state.status == "paused":
                raise Conflict("cannot start a paused container, try unpause instead")
            if body.running:
                raise NotModified(f"container {container.id} is already running")
            await self._lives.begin(self._registry.find(container.id), body)

    async def stop(self, term: str, *, timeout_s: int | None, signal: int | None) -> None:
        """Ask it to end, and after a while make it. Raises NotModified when it does not run."""
        container, body = self._lives.find(term)
        if not body.running:
            if body.restart is None:
                raise NotModified(f"container {container.id} is already stopped")
            self._lives.cancel_restart(body)
            await self._registry.change_state(container.id, status="exited", stopped_by_user=True)
            body.tell(Ended(container.state.exit_code), "next-exit", "not-running")
            return
        limit = container.spec.stop_timeout_s if timeout_s is None else timeout_s
        image = catalogue.find(container.spec.image)
        wanted = signal or number_of(container.spec.stop_signal or (image and image.stop_signal) or "SIGTERM")
        await self._end(container, body, wanted, STOP_TIMEOUT_S if limit is None else limit)
        self._lives.tell(container, "stop")

    async def _end(self, container: ContainerRecord, body: Body, signal: int, patience_s: float) -> None:
        """Send a signal, wait for the end, and kill what does not heed it; below 0 wait for ever."""
        task = body.task
        if task is None:
            return
        if container.spec.restart.name != "no":
            await self._registry.change_state(container.id, stopped_by_user=True)
        ended = body.wait("next-exit")
        if container.state.status == "paused":
            task.resume()
        task.kill(signal)
        self._lives.tell(container, "kill", signal=str(signal))
        try:
            async with asyncio.timeout(None if patience_s < 0 else patience_s):
                await asyncio.shield(ended)
        except TimeoutError:
            task.kill(SIGKILL)
            self._lives.tell(container, "kill", signal=str(SIGKILL))
            await ended

    async def kill(self, term: str, signal: int) -> None:
        """Send a signal to its program."""
        container, body = self._lives.find(term)
        if body.task is None:
            raise Conflict(f"cannot kill container: {term}: container {container.id} is not running")
        if container.spec.restart.name != "no" and signal in (SIGKILL, SIGTERM):
            await self._registry.change_state(container.id, stopped_by_user=True)
        if signal == SIGKILL and container.state.status == "paused":
            body.task.resume()
        body.task.kill(signal)
        self._lives.tell(container, "kill", signal=str(signal))

    async def restart(self, term: str, *, timeout_s: int | None, signal: int | None) -> None:
        """Stop it if it runs, and start it."""
        container, body = self._lives.find(term)
        try:
            if body.running:
                await self.stop(term, timeout_s=timeout_s, signal=signal)
            async with body.lock:
                if not body.running:
                    await self._lives.begin(self._registry.find(container.id), body)
        except NodeError as error:
            raise Failed(f"Cannot restart container {term}: {error}") from None
        self._lives.tell(container, "restart")

    async def update(self, term: str, restart: RestartPolicy) -> None:
        """Give it another restart policy."""
        container = self._registry.find(term)
        await self._registry.change(
            container.id,
            lambda c: msgspec.structs.replace(c, spec=msgspec.structs.replace(c.spec, restart=restart)),
        )
        self._lives.tell(container, "update")

    async def pause(self, term: str) -> None:
        """Freeze its programs."""
        container, body = self._lives.find(term)
        async with body.lock:
            if body.task is None:
                raise Conflict(f"container {container.id} is not running")
            if self._registry.find(container.id).state.status == "paused":
                raise Conflict(f"Container {container.id} is already paused")
            body.task.pause()
            await self._registry.change_state(container.id, status="paused")
            self._lives.tell(container, "pause")

    async def unpause(self, term: str) -> None:
        """Let its programs go on."""
        container, body = self._lives.find(term)
        async with body.lock:
            if body.task is None or self._registry.find(container.id).state.status != "paused":
                raise Failed(f"Container {container.id} is not paused")
            body.task.resume()
            await self._registry.change_state(container.id, status="running")
            self._lives.tell(container, "unpause")
