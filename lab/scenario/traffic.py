"""Background traffic: each kind of question at its interval, whether or not the last one was answered."""

from __future__ import annotations

from lab.scenario.commands import last_line
from lab.scenario.model import TrafficWish
from lab.scenario.result import Sample
from lab.scenario.stage import Outcome, Stage
from lab.scenario.user import User
from node.tasks import TaskScope

OPEN_MAX = 64
"""Questions of one kind that are not answered yet; beyond it one is left out."""
SAMPLES_MAX = 200_000
SAID_MAX = 200
"""Characters."""


class Traffic:
    """See the module."""

    def __init__(self, stage: Stage, user: User, tasks: TaskScope) -> None:
        self.samples: list[Sample] = []
        self._stage = stage
        self._user = user
        self._tasks = tasks
        self._open: dict[int, int] = {}

    async def run(self, number: int, wish: TrafficWish) -> None:
        """Ask for ever."""
        begun, count = self._stage.now(), 0
        while True:
            if self._open.get(number, 0) < OPEN_MAX and len(self.samples) < SAMPLES_MAX:
                self._tasks.start(self._ask(number, wish), f"traffic {number}")
            count += 1
            await self._stage.sleep_until(begun + count * wish.every)

    async def _ask(self, number: int, wish: TrafficWish) -> None:
        at = self._stage.now()
        self._open[number] = self._open.get(number, 0) + 1
        try:
            outcome = await self._outcome(wish)
        finally:
            self._open[number] -= 1
        good = outcome.code == 0
        said = "" if good else last_line(outcome.text)[:SAID_MAX]
        took_s = round(self._stage.now() - at, 9)
        self.samples.append(Sample(traffic=number, at=at, took_s=took_s, ok=good, said=said))

    async def _outcome(self, wish: TrafficWish) -> Outcome:
        match wish.kind:
            case "ping":
                return await self._user.ping(wish.source, wish.to, wish.timeout)
            case "resolve":
                return await self._user.resolve(wish.source, wish.to, wish.timeout)
            case "fetch":
                return await self._user.fetch(wish.source, wish.to, wish.timeout)
