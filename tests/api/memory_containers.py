"""Containers, their programs and execs, and images, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from node.control.validate_container import check_endpoints, validate_modes
from node.errors import Conflict, Failed, NotFound, NotModified
from node.model.container import (
    ContainerRecord,
    ContainerSpec,
    Ended,
    ProcessRow,
    RestartPolicy,
    WaitCondition,
)
from node.model.exec import ExecRecord, ExecSpec
from node.model.ids import local_id
from node.model.image import ImageRecord
from node.model.network import EndpointRecord, EndpointSpec
from node.model.output import STDOUT, AttachSpec, LogSpec, Output
from node.model.times import rfc3339, seconds
from tests.api.memory import IMAGES, Life, MemoryNetworks, Node, find_container
from tests.api.memory_programs import COMMANDS, Console, Program, Reader


class MemoryContainers:
    """See node/api/backend.py: Containers."""

    def __init__(self, node: Node, networks: MemoryNetworks, images: MemoryImages) -> None:
        self._node = node
        self._networks = networks
        self._images = images

    def list(self) -> Sequence[ContainerRecord]:
        return sorted(self._node.containers.values(), key=lambda c: c.created, reverse=True)

    def find(self, term: str) -> ContainerRecord:
        return find_container(self._node, term)

    def endpoints(self, container: ContainerRecord) -> Mapping[str, EndpointRecord]:
        return self._node.life(container).endpoints

    async def create(self, name: str, spec: ContainerSpec) -> tuple[str, Sequence[str]]:
        validate_modes(spec)
        image = self._images.find(spec.image)
        name = name.removeprefix("/") or f"nameless_{len(self._node.containers)}"
        for other in self._node.containers.values():
            if other.name == name:
                raise Conflict(
                    f'Conflict. The container name "/{name}" is already in use by container "{other.id}". '
                    "You have to remove (or rename) that container to be able to reuse that name."
                )
        mode = "bridge" if spec.network_mode == "default" else spec.network_mode
        wishes = {"bridge" if n == "default" else n: wish for n, wish in spec.endpoints.items()}
        known = {network.name: network for network in self._networks.list()}
        check_endpoints((known.get(name), name, wish) for name, wish in wishes.items())
        networks = {} if mode.startswith("container:") else {mode: EndpointSpec(), **wishes}
        container = ContainerRecord(
            id=local_id(self._node.chance),
            name=name,
            created=rfc3339(self._node.clock.wall()),
            spec=spec,
            image_id=image.id,
            arguments=spec.command or image.command,
            networks=networks,
        )
        self._node.containers[container.id] = container
        self._node.tell(container, "create")
        return container.id, ()

    async def start(self, term: str) -> None:
        container = self.find(term)
        life = self._node.life(container)
        if container.state.status == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        if life.program is not None:
            raise NotModified("it runs")
        try:
            self._begin(container, life)
        except (Failed, NotFound) as error:
            self._node.change(container, error=str(error), exit_code=127)
            life.console.end()  # who waits for an exit waits on: nothing has run
            if container.spec.auto_remove:
                self._forget(container)
            raise

    def _begin(self, container: ContainerRecord, life: Life) -> None:
        if container.arguments[0] not in COMMANDS:
            raise Failed(
                "failed to create task for container: failed to create shim task: OCI runtime create failed: "
                f'runc create failed: unable to start container process: exec: "{container.arguments[0]}": '
                "executable file not found in $PATH: unknown"
            )
        for name, wish in container.networks.items():
            try:
                network = self._networks.find(name)
            except NotFound as error:
                life.endpoints.clear()
                raise NotFound(f"failed to set up container networking: {error}") from None
            life.endpoints[network.name] = self._networks.endpoint(network, container, wish)
        life.program = Program(container.arguments, life.console)
        now = rfc3339(self._node.clock.wall())
        running = self._node.change(container, status="running", pid=4242, started=now, exit_code=0, error="")
        self._node.tell(running, "start")
        life.started.set()
        self._node.spawn(self._watch(container, life, life.program))

    async def _watch(self, container: ContainerRecord, life: Life, program: Program) -> None:
        code = await program.wait()
        life.program = None
        life.endpoints.clear()
        life.started.clear()
        now = rfc3339(self._node.clock.wall())
        self._node.change(container, status="exited", exit_code=code, pid=0, finished=now)
        self._node.tell(container, "die", exitCode=str(code))
        life.console.end()
        life.tell(Ended(code), "next-exit", "not-running")
        if container.spec.auto_remove:
            self._forget(container)

    def _forget(self, container: ContainerRecord) -> None:
        code = self._node.containers.pop(container.id).state.exit_code
        life = self._node.lives.pop(container.id, None)
        self._node.tell(container, "destroy")
        if life is not None:
            life.console.end()
            life.tell(Ended(code), "removed", "next-exit", "not-running")

    async def stop(self, term: str, *, timeout_s: int | None, signal: int | None) -> None:
        container = self.find(term)
        await self._end(container, signal or 15)
        self._node.tell(container, "stop")

    async def _end(self, container: ContainerRecord, signal: int) -> None:
        life = self._node.life(container)
        if life.program is None:
            raise NotModified("it does not run")
        ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        life.waiting[ended] = "next-exit"
        life.program.kill(signal)
        await ended

    async def restart(self, term: str, *, timeout_s: int | None, signal: int | None) -> None:
        container = self.find(term)
        if self._node.life(container).program is not None:
            await self._end(container, signal or 15)
        await self.start(container.id)
        self._node.tell(container, "restart")

    async def kill(self, term: str, signal: int) -> None:
        container = self.find(term)
        program = self._node.life(container).program
        if program is None:
            raise Conflict(f"cannot kill container: {term}: container {container.id} is not running")
        self._node.tell(container, "kill", signal=str(signal))
        program.kill(signal)

    async def pause(self, term: str) -> None:
        self._node.change(self.find(term), status="paused")

    async def unpause(self, term: str) -> None:
        self._node.change(self.find(term), status="running")

    async def rename(self, term: str, name: str) -> None:
        container = self.find(term)
        self._node.containers[container.id] = msgspec.structs.replace(container, name=name)
        self._node.tell(container, "rename", oldName=f"/{container.name}")

    async def update(self, term: str, restart: RestartPolicy) -> None:
        container = self.find(term)
        spec = msgspec.structs.replace(container.spec, restart=restart)
        self._node.containers[container.id] = msgspec.structs.replace(container, spec=spec)

    async def remove(self, term: str, *, force: bool) -> None:
        container = self.find(term)
        if self._node.life(container).program is not None:
            if not force:
                raise Conflict(
                    f'cannot remove container "{container.name}": container is running: '
                    "stop the container before removing or force remove"
                )
            await self._end(container, 9)
        if container.id in self._node.containers:
            self._forget(container)


class MemoryTerminal:
    """A program's input and output (node/api/backend.py: Terminal)."""

    def __init__(self, reader: Reader, life: Life | None, program: Program | None) -> None:
        self._reader = reader
        self._life = life
        self._program = program

    def __aiter__(self) -> AsyncIterator[Output]:
        return self._reader.__aiter__()

    def close(self) -> None:
        self._reader.close()

    def _target(self) -> Program | None:
        return self._life.program if self._life is not None else self._program

    async def write(self, data: bytes) -> None:
        if self._life is not None:
            await self._life.started.wait()
        if (program := self._target()) is not None:
            program.stdin.put_nowait(data)

    def close_stdin(self) -> None:
        if (program := self._target()) is not None:
            program.stdin.put_nowait(None)


class MemoryPrograms:
    """See node/api/backend.py: Programs."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def _find(self, term: str) -> tuple[ContainerRecord, Life]:
        container = find_container(self._node, term)
        return container, self._node.life(container)

    def wait(self, term: str, condition: WaitCondition) -> asyncio.Future[Ended]:
        container, life = self._find(term)
        future: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        if condition == "not-running" and life.program is None:
            future.set_result(Ended(container.state.exit_code, container.state.error))
        else:
            life.waiting[future] = condition
            future.add_done_callback(lambda done: life.waiting.pop(done, None))
        return future

    def attach(self, term: str, spec: AttachSpec) -> MemoryTerminal:
        container, life = self._find(term)
        self._node.tell(container, "attach")
        past = list(life.console.log) if spec.logs else []
        return MemoryTerminal(life.console.read(past, live=spec.stream), life, None)

    def logs(self, term: str, spec: LogSpec) -> Reader:
        _, life = self._find(term)
        wanted = [
            output
            for output in life.console.log
            if (spec.stdout if output.stream == STDOUT else spec.stderr)
            and seconds(output.time) >= spec.since_s
            and (not spec.until_s or seconds(output.time) <= spec.until_s)
        ]
        wanted = wanted if spec.tail is None else wanted[len(wanted) - min(spec.tail, len(wanted)) :]
        return life.console.read(wanted, live=spec.follow and life.program is not None)

    def resize(self, term: str, height: int, width: int) -> None:
        container, life = self._find(term)
        if life.program is None:
            raise Conflict(f"container {container.id} is not running")
        life.program.size = (height, width)

    def top(self, term: str) -> Sequence[ProcessRow]:
        container, life = self._find(term)
        if life.program is None:
            raise Conflict(f"container {container.id} is not running")
        command = " ".join(container.arguments)
        return [ProcessRow(user="root", pid=4242, parent=1, started_s=0.0, command=command)]


class MemoryExecs:
    """See node/api/backend.py: Execs."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def find(self, identity: str) -> ExecRecord:
        if identity not in self._node.execs:
            raise NotFound(f"No such exec instance: {identity}")
        return self._node.execs[identity]

    async def create(self, term: str, spec: ExecSpec) -> str:
        container = find_container(self._node, term)
        if self._node.life(container).program is None:
            raise Conflict(f"container {container.id} is not running")
        record = ExecRecord(id=local_id(self._node.chance), container=container.id, spec=spec)
        self._node.execs[record.id] = record
        self._node.tell(container, f"exec_create: {' '.join(spec.command)}", execID=record.id)
        return record.id

    async def start(self, identity: str, *, console_size: tuple[int, int]) -> MemoryTerminal:
        record = self.find(identity)
        if record.running or record.exit_code is not None:
            raise Conflict(f"exec process {identity} has already run")
        console = Console(self._node.clock, tty=record.spec.tty)
        reader = console.read([], live=True)
        if record.spec.command[0] not in COMMANDS:
            console.write(
                STDOUT,
                b'OCI runtime exec failed: exec failed: unable to start container process: exec: "'
                + record.spec.command[0].encode()
                + b'": executable file not found in $PATH: unknown\n',
            )
            console.end()
            self._change(identity, exit_code=127)
            return MemoryTerminal(reader, None, None)
        program = self._node.exec_programs[identity] = Program(record.spec.command, console)
        self._change(identity, running=True, pid=77)
        self._node.spawn(self._watch(identity, program))
        return MemoryTerminal(reader, None, program)

    async def _watch(self, identity: str, program: Program) -> None:
        code = await program.wait()
        self._node.exec_programs.pop(identity, None)
        self._change(identity, running=False, exit_code=code, pid=0)
        program.console.end()

    def _change(self, identity: str, **fields: object) -> None:
        self._node.execs[identity] = msgspec.structs.replace(self._node.execs[identity], **fields)

    def resize(self, identity: str, height: int, width: int) -> None:
        self.find(identity)
        if identity in self._node.exec_programs:
            self._node.exec_programs[identity].size = (height, width)


class MemoryImages:
    """See node/api/backend.py: Images."""

    def list(self) -> Sequence[ImageRecord]:
        return IMAGES

    def find(self, term: str) -> ImageRecord:
        name = term.removeprefix("docker.io/").removeprefix("library/")
        tag = name if ":" in name else f"{name}:latest"
        for image in IMAGES:
            if term == image.id or tag in image.tags:
                return image
        raise NotFound(f"No such image: {tag}")

    def missing(self, name: str) -> str:
        return f"No such image: {name}. Only these are there: alpine, nginx"
