"""One container's life on its node: started, ended, started again, never in two states at once.

                 begin                     its program ends
    created ------------> running ----------------------------> exited
                          ^   |  pause, unpause                   |
                          |   v                                   | restart policy
                          |  paused                               v
                          '--------------- wait, begin ------- restarting

Every transition happens under the container's own lock and is kept in the node's own store, so that
a node that comes back knows what it was (moby: daemon/start.go, monitor.go, restartmanager).
"""

from __future__ import annotations

import random

from node.control.bodies import Body
from node.control.events import Events
from node.control.registry import Registry
from node.control.restarting import STEADY_S, backoff_s, starts_again
from node.control.sandboxes import JOINED_PREFIX, Sandboxes
from node.errors import NodeError, NotFound
from node.model import times
from node.model.container import ContainerRecord, Ended
from node.model.times import rfc3339
from node.programs import catalogue
from node.programs.console import Console
from node.programs.runtime import Run, Task, exit_code, start
from node.seams import Clock
from node.tasks import TaskScope


class Lives:
    """See the module."""

    def __init__(
        self,
        registry: Registry,
        sandboxes: Sandboxes,
        events: Events,
        clock: Clock,
        chance: random.Random,
        tasks: TaskScope,
    ) -> None:
        self.bodies: dict[str, Body] = {}
        self._registry = registry
        self._sandboxes = sandboxes
        self._events = events
        self._clock = clock
        self._chance = chance
        self._tasks = tasks

    def body(self, container: ContainerRecord) -> Body:
        """A container's body, made when it is first needed."""
        body = self.bodies.get(container.id)
        if body is None:
            body = self.bodies[container.id] = Body(Console(self._clock))
        return body

    def find(self, term: str) -> tuple[ContainerRecord, Body]:
        """A container by id, name or beginning of an id. Raises NotFound, InvalidParameter."""
        container = self._registry.find(term)
        return container, self.body(container)

    # -- begin ------------------------------------------------------------------------------------

    async def begin(self, container: ContainerRecord, body: Body) -> None:
        """Start a container that does not run; the caller holds its lock. Raises NodeError."""
        self.cancel_restart(body)
        try:
            body.standing = await self._sandboxes.build(container)
            body.task = start(
                self._run(container, body), lambda error: self._tasks.report(container.name, error)
            )
            if container.spec.network_mode.startswith(JOINED_PREFIX):
                container = await self._registry.share_hostname(container.id, body.standing.hostname)
            container = await self._registry.record_start(
                container.id,
                pid=body.task.pid,
                ports=self._sandboxes.ports(container),
                started=rfc3339(self._clock.wall()),
            )
        except NodeError as error:
            await self._failed(container, body, error)
            raise
        body.starting.set()
        if body.stdin_closed:
            body.task.close_stdin()
        self.tell(container, "start")
        self._tasks.start(self._watch(container, body, body.task), f"container {container.name}")

    def _run(self, container: ContainerRecord, body: Body) -> Run:
        assert body.standing is not None
        spec = container.spec
        image = catalogue.find(spec.image)
        if image is None:
            raise NotFound(f"No such image: {spec.image}")
        return Run(
            arguments=container.arguments,
            environment=(*body.standing.environment, *image.environment, *spec.environment),
            working_directory=spec.working_directory or image.working_directory,
            image=image,
            hostname=body.standing.hostname,
            files=body.standing.files,
            tty=spec.tty,
            open_stdin=spec.open_stdin,
            sandbox=body.standing.sandbox,
            clock=self._clock,
            chance=self._chance,
            console=body.console,
        )

    async def _failed(self, container: ContainerRecord, body: Body, error: NodeError) -> None:
        """A start that came to nothing leaves nothing behind but its reason."""
        if body.task is not None:
            task, body.task = body.task, None
            task.kill(9)
        if body.standing is not None:
            standing, body.standing = body.standing, None
            await self._sandboxes.demolish(standing)
        code = exit_code(error)
        try:
            container = await self._registry.change_state(container.id, error=str(error), exit_code=code)
        finally:
            # Whoever attached before must hear that it will not come; who waits for an exit, waits on.
            body.console.end()
            body.starting.set()
        if container.spec.auto_remove:
            await self.forget(container, body)

    # -- end --------------------------------------------------------------------------------------

    async def _watch(self, container: ContainerRecord, body: Body, task: Task) -> None:
        exit_code = await task.wait()
        async with body.lock:
            if body.task is task:
                await self._ended(container, body, exit_code)

    async def _ended(self, container: ContainerRecord, body: Body, exit_code: int) -> None:
        """The program has ended: give its networks back, keep how it ended, and see what comes next."""
        body.task = None
        body.starting.clear()
        body.stdin_closed = False
        standing, body.standing = body.standing, None
        if standing is not None:
            await self._sandboxes.demolish(standing)
        current = self._registry.get(container.id)
        if current is None:
            return
        again = starts_again(current, exit_code)
        current = await self._registry.change_state(
            container.id,
            status="restarting" if again else "exited",
            exit_code=exit_code,
            pid=0,
            ports=(),
            finished=rfc3339(self._clock.wall()),
        )
        ran_s = times.seconds(current.state.finished) - times.seconds(current.state.started)
        self.tell(current, "die", execDuration=str(int(ran_s)), exitCode=str(exit_code))
        body.console.end()
        body.tell(Ended(exit_code), "next-exit", *(() if again else ("not-running",)))
        if again:
            self.restart_later(current, body)
        elif current.spec.auto_remove:
            await self.forget(current, body)

    def restart_later(self, container: ContainerRecord, body: Body) -> None:
        """Start it again after a back-off."""
        delay = backoff_s(body.restarts_in_a_row)
        body.restarts_in_a_row += 1
        body.restart = self._tasks.start(
            self._restart(container.id, body, delay), f"restart {container.name}"
        )

    async def _restart(self, identity: str, body: Body, delay_s: float) -> None:
        await self._clock.sleep(delay_s)
        async with body.lock:
            container = self._registry.get(identity)
            if container is None or body.running or container.state.status != "restarting":
                return
            body.restart = None  # it is this very task: nothing is left to cancel
            container = await self._registry.change_state(identity, restarts=container.state.restarts + 1)
            try:
                await self.begin(container, body)
            except NodeError:
                current = await self._registry.change_state(identity, status="restarting")
                self.restart_later(current, body)
                return
        self._tasks.start(self._steady(body, body.task), f"steady {identity}")

    async def _steady(self, body: Body, task: Task | None) -> None:
        await self._clock.sleep(STEADY_S)
        if body.task is task:
            body.restarts_in_a_row = 0

    def cancel_restart(self, body: Body) -> None:
        """Whatever the restart policy was about to do, it does not."""
        if body.restart is not None:
            body.restart.cancel()
            body.restart = None

    async def forget(self, container: ContainerRecord, body: Body) -> None:
        """Remove a container that does not run; the caller holds its lock."""
        self.cancel_restart(body)
        await self._registry.remove(container.id)
        self.bodies.pop(container.id, None)
        body.console.end()
        self.tell(container, "destroy")
        body.tell(Ended(container.state.exit_code), "removed", "not-running", "next-exit")

    # -- the node's own life ----------------------------------------------------------------------

    async def close(self) -> None:
        """End every program; the node stops. Their records say that they ran."""
        for body in reversed(list(self.bodies.values())):
            self.cancel_restart(body)
            if body.task is not None:
                task, body.task = body.task, None
                task.kill(9)
            if body.standing is not None:
                standing, body.standing = body.standing, None
                await self._sandboxes.demolish(standing)
            body.console.end()

    def abandon(self) -> None:
        """Drop every program as the death of the process would; nothing is given back."""
        for body in self.bodies.values():
            if body.task is not None:
                body.task.kill(9)
            if body.standing is not None:
                body.standing.close()

    def tell(self, container: ContainerRecord, action: str, **attributes: str) -> None:
        """An event of this container, with the attributes that the engine adds to all of them."""
        facts = {**container.spec.labels, **attributes, "image": container.spec.image, "name": container.name}
        self._events.tell("container", action, container.id, facts)
