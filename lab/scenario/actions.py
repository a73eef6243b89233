"""Does what a step of a timeline says, on a stage; expectations are judged elsewhere (expectations.py)."""

from __future__ import annotations

import msgspec

from lab.scenario import model
from lab.scenario.commands import last_line
from lab.scenario.faults import injections
from lab.scenario.stage import Outcome, Stage
from lab.scenario.user import User, complaint, ok
from node.errors import NodeError
from node.tasks import TaskScope

SAID_MAX = 4000
"""Characters of a command's output that are kept."""


class Problem(Exception):
    """A step could not be done, or did something else than it was to do; the text says what."""


class Actions:
    """See the module. ``living`` is kept up to date here."""

    def __init__(self, stage: Stage, user: User, living: dict[str, None], tasks: TaskScope) -> None:
        self._stage = stage
        self._user = user
        self._living = living
        self._tasks = tasks
        self._frozen: dict[str, None] = {}

    async def do(self, number: int, step: model.AnyStep) -> str:
        """Do it; what a command printed comes back. Raises Problem, NotHere."""
        match step:
            case model.StoreMemberLostStep():
                await self._stage.lose_store_member(step.member, step.lasts)
            case model.FaultStep():
                await self._fault(number, step)
            case model.HealStep():
                await self._stage.heal(step.ids)
            case model.KillStep() | model.StartStep() | model.RestartStep() | model.PauseStep():
                await self._life(step)
            case model.ExecStep():
                return await self._command(step)
            case _:
                _judge(await self._request(step), getattr(step, "fails", ""))
        return ""

    # -- faults -----------------------------------------------------------------------------------

    async def _fault(self, number: int, step: model.FaultStep) -> None:
        named = msgspec.structs.replace(step, id=step.id or f"step-{number}")
        try:
            for node, injection in injections(named, self._stage.nodes()):
                await self._stage.inject(node, injection)
        except NodeError as error:
            raise Problem(str(error)) from None

    # -- nodes ------------------------------------------------------------------------------------

    async def _life(
        self, step: model.KillStep | model.StartStep | model.RestartStep | model.PauseStep
    ) -> None:
        node = step.node
        match step:
            case model.KillStep():
                self._living.pop(node, None)
                self._user.node_ended(node)
                await self._stage.kill(node)
            case model.StartStep():
                await self._stage.start(node)
                self._living[node] = None
            case model.RestartStep():
                self._user.node_ended(node)
                await self._stage.restart(node)
            case model.PauseStep():
                self._frozen[node] = None
                await self._stage.pause(node)
                self._tasks.start(self._thaw(node, self._stage.now() + step.lasts), f"pause of {node}")

    async def _thaw(self, node: str, at: float) -> None:
        await self._stage.sleep_until(at)
        if self._frozen.pop(node, "gone") is None:
            await self._stage.resume(node)

    async def end_all(self) -> None:
        """Every fault and pause ends now."""
        for node in list(self._frozen):
            del self._frozen[node]
            await self._stage.resume(node)
        await self._stage.heal()

    # -- what a user does -------------------------------------------------------------------------

    async def _request(self, step: model.AnyStep) -> Outcome:
        user = self._user
        match step:
            case model.CreateNetworkStep():
                return await user.create_network(step.on, step.name, step.network)
            case model.RemoveNetworkStep():
                return await user.remove_network(step.on, step.name)
            case model.RunStep():
                return await user.run(step.name, step.container)
            case model.RemoveStep() | model.StopStep() | model.ConnectStep() | model.DisconnectStep():
                if step.container not in user.containers:
                    return Outcome(-1, f"container {step.container} does not run")
        match step:
            case model.RemoveStep():
                return await user.remove(step.container)
            case model.StopStep():
                return await user.stop(step.container)
            case model.ConnectStep():
                return await user.connect(step.container, step.network)
            case model.DisconnectStep():
                return await user.disconnect(step.container, step.network)
        raise AssertionError(f"{type(step).__name__} is no request")

    async def _command(self, step: model.ExecStep) -> str:
        outcome = await self._user.execute(step.container, step.command)
        if outcome.code != step.code:
            raise Problem(f"exit code {outcome.code}, not {step.code}: {last_line(outcome.text)}")
        if step.prints not in outcome.text:
            raise Problem(f'it did not print "{step.prints}": {last_line(outcome.text)}')
        return outcome.text[:SAID_MAX]


def _judge(outcome: Outcome, fails: str) -> None:
    """A request was to succeed, or to fail with this text."""
    if not fails and not ok(outcome) and outcome.code != 304:
        raise Problem(complaint(outcome))
    if fails and ok(outcome):
        raise Problem(f'it succeeded, and was to fail with "{fails}"')
    if fails and fails not in complaint(outcome):
        raise Problem(f'it was to fail with "{fails}", and said: {complaint(outcome)}')
