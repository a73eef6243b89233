"""Plays a scenario on a stage: sets it up, walks its timeline, judges, and records what came of it.

    set up --> begin --> step, step, step ... --> heal all --> right again within `recovery`?
                 |          each at its moment                            |
                 '-- traffic, checkers: all the time ---------------------'

It knows nothing of the world it plays in but the stage (stage.py). An invariant that does not hold ends
the run at once, so that the story ends where it went wrong; an expectation that is missed is noted, and
the run goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from lab.checkers.checker import Checker
from lab.scenario import model
from lab.scenario.actions import Actions, Problem
from lab.scenario.endings import end_of, last_end
from lab.scenario.expectations import Judge, dropped
from lab.scenario.inspector import Inspector
from lab.scenario.packets import Packets
from lab.scenario.recovery import Recovery
from lab.scenario.result import Broken, Failure, Line, Recovered, Result, StepResult
from lab.scenario.setting import set_up
from lab.scenario.stage import NotHere, Stage
from lab.scenario.traffic import Traffic
from lab.scenario.user import User
from lab.scenario.words import describe
from node.tasks import TaskScope

LOOK_S = 0.5
"""How often the checkers look even if nothing seems to change."""
BROKEN_MAX = 20

Tell = Callable[[float, str], None]


def unheard(at: float, what: str) -> None:
    """The ``tell`` of nobody who listens."""


class Director:
    """See the module. One director plays one scenario once.

    ``late`` is asked before each step how many seconds it is to come later than its time.
    """

    def __init__(
        self,
        scenario: model.Scenario,
        stage: Stage,
        checkers: Sequence[Checker],
        *,
        tell: Tell = unheard,
        late: Callable[[model.AnyStep], float] = lambda _: 0.0,
    ) -> None:
        self._scenario = scenario
        self._stage = stage
        self._inspector = Inspector(checkers, self._broke, Packets(stage.now))
        self._tell = tell
        self._late = late
        self._living: dict[str, None] = dict.fromkeys(stage.nodes())
        self._user = User(stage, scenario)
        self._judge = Judge(stage, self._user, self._living)
        self._recovery = Recovery(stage, self._user, self._living)
        self._tasks = TaskScope(self._crashed)
        self._traffic = Traffic(stage, self._user, self._tasks)
        self._actions = Actions(stage, self._user, self._living, self._tasks)
        self._steps: dict[int, StepResult] = {}
        self._recoveries: list[Recovered] = []
        self._measuring: list[asyncio.Task[None]] = []
        self._failures: list[Failure] = []
        self._story: list[Line] = []
        self._over = asyncio.Event()
        """Something has gone so wrong that nothing more is to be learned from going on."""

    async def play(self, seed: int = 0) -> Result:
        """The whole of it. Raises NotHere before anything begins, if this world cannot do it."""
        for step in self._scenario.timeline:
            if isinstance(step, model.StoreMemberLostStep) and self._stage.world == "simulated":
                raise NotHere("the simulated store is one and has no members to lose: use shoal play")
        playing = asyncio.ensure_future(self._play())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait([playing, over], return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
        finally:
            for task in (playing, over):
                task.cancel()
                await asyncio.wait([task])
            await self._tasks.close()
        return Result(
            title=self._scenario.title,
            world=self._stage.world,
            seed=seed,
            lasted_s=self._stage.now(),
            steps=tuple(self._steps[number] for number in sorted(self._steps)),
            samples=tuple(self._traffic.samples),
            recoveries=tuple(self._recoveries),
            broken=tuple(self._inspector.broken),
            failures=tuple(self._failures),
            story=tuple(self._story),
            moments=self._inspector.moments,
        )

    async def _play(self) -> None:
        scenario, stage = self._scenario, self._stage
        problem = await set_up(scenario, stage, self._user)
        stage.begin()
        if problem:
            self._fail("step", "set-up", problem)
            return
        self._say("the scenario begins")
        self._judge.drops_before = dropped(await stage.look())
        if self._inspector.checkers:
            stage.watch(self._inspector, closely=True)
            self._tasks.start(self._inspector.keep_looking(stage), "checkers")
        for number, wish in enumerate(scenario.traffic):
            self._tasks.start(self._traffic.run(number, wish), f"traffic {number}")
        await self._walk()
        await self._end()

    # -- the timeline -----------------------------------------------------------------------------

    async def _walk(self) -> None:
        """Every step at its moment; what is expected meanwhile is judged beside it."""
        judged: list[asyncio.Task[None]] = []
        urgent: list[asyncio.Task[None]] = []
        for number, step in enumerate(self._scenario.timeline):
            await self._stage.sleep_until(step.at + self._late(step))
            if isinstance(step, model.ExpectStep):
                task = self._tasks.start(self._expect(number, step), f"step {number}")
                judged.append(task)
                if not step.within:
                    urgent.append(task)
                continue
            await _all(urgent)  # what is expected at once is seen before anything else is done
            urgent.clear()
            await self._act(number, step)
        await _all(judged)
        await self._stage.sleep_until(max(self._scenario.lasts, last_end(self._scenario.timeline)))

    async def _expect(self, number: int, step: model.ExpectStep) -> None:
        began = self._stage.now()
        problem = await self._judge.judge(step)
        self._record(number, step, began, problem, "")

    async def _act(self, number: int, step: model.AnyStep) -> None:
        began = self._stage.now()
        self._say(describe(step))
        problem = said = ""
        try:
            said = await self._actions.do(number, step)
        except Problem as error:
            problem = str(error)
        self._record(number, step, began, problem, said)
        if (ends := self._disturbed_until(number, step, began)) is not None:
            measuring = self._tasks.start(self._measure(number, step, ends), f"recovery {number}")
            self._measuring.append(measuring)

    def _disturbed_until(self, number: int, step: model.AnyStep, began: float) -> float | None:
        """When the disturbance that a step is ends; None if it is none, or none that ends by itself."""
        if isinstance(step, (model.FaultStep, model.PauseStep)):
            return end_of(self._scenario.timeline, number) + began - step.at
        if isinstance(step, (model.StartStep, model.RestartStep)):
            return self._stage.now()
        return None

    def _record(self, number: int, step: model.AnyStep, began: float, problem: str, said: str) -> None:
        what = describe(step)
        self._steps[number] = StepResult(
            number=number,
            kind=str(type(step).__struct_config__.tag),
            what=what,
            began=began,
            ended=self._stage.now(),
            problem=problem,
            said=said,
        )
        if problem:
            self._fail("step", what, f"{what}: {problem}")
        elif isinstance(step, model.ExpectStep):
            self._say(f"{what}: so it is")

    async def _measure(self, number: int, step: model.AnyStep, ends: float) -> None:
        """How long after the end of a disturbance everything is right again."""
        await self._stage.sleep_until(ends)
        ended = self._stage.now()
        righted = await self._recovery.by(ended + self._scenario.recovery)

        def after(moment: float | None) -> float | None:
            return None if moment is None else round(moment - ended, 9)

        self._recoveries.append(
            Recovered(
                step=number,
                what=describe(step),
                ended=ended,
                after_s=after(righted.everything),
                tables_s=after(righted.tables),
                names_s=after(righted.names),
                reason=righted.reason,
            )
        )

    # -- the end ----------------------------------------------------------------------------------

    async def _end(self) -> None:
        """All faults end, and everything is to be right again in time."""
        await self._actions.end_all()
        self._say("all faults have ended")
        righted = await self._recovery.by(self._stage.now() + self._scenario.recovery)
        await _all(self._measuring)
        if righted.everything is None:
            late = f"not everything is right again {self._scenario.recovery:g} s after the last fault"
            self._fail("recovery", "end", f"{late}: {righted.reason}")
        else:
            self._say("everything is right again")
        self._inspector.moment(await self._stage.look())

    def _say(self, what: str) -> None:
        at = self._stage.now()
        self._story.append(Line(at=at, who="scenario", what=what))
        self._tell(at, what)

    def _fail(self, kind: str, name: str, text: str) -> None:
        at = self._stage.now()
        packets = self._inspector.packets.lines()
        self._failures.append(Failure(kind=kind, name=name, at=at, text=text, packets=packets))
        self._say(f"FAILED: {text}")

    def _broke(self, broken: Broken) -> None:
        self._fail("invariant", broken.checker, f"{broken.checker} is broken: {broken.text}")
        self._over.set()

    def _crashed(self, name: str, error: BaseException) -> None:
        self._fail("crash", name, f"{name} ended with {error!r}")
        self._over.set()


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if not task.done():
            await asyncio.wait([task])
