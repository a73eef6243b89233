"""What a container is while its node runs: its lock, its sandbox, its program, and who waits for it.

The record (node/model/container.py) is what is kept; a Body is what lives.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from node.control.standing import Standing
from node.model.container import Ended, WaitCondition
from node.programs.console import Console
from node.programs.runtime import Task


@dataclass(slots=True, eq=False)
class Body:
    """See the module."""

    console: Console
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held during every transition, so that no two cross."""
    standing: Standing | None = None
    task: Task | None = None
    restarts_in_a_row: int = 0
    restart: asyncio.Task[None] | None = None
    """Waits to start it again, as its restart policy says."""
    waiting: dict[asyncio.Future[Ended], WaitCondition] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Its program runs, or is paused."""
        return self.task is not None

    def wait(self, condition: WaitCondition) -> asyncio.Future[Ended]:
        """A future that is done when the condition comes true; it is registered when this returns."""
        future: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.waiting[future] = condition
        return future

    def tell(self, ended: Ended, *conditions: WaitCondition) -> None:
        """One of these conditions has come true."""
        for future in [future for future, wanted in self.waiting.items() if wanted in conditions]:
            del self.waiting[future]
            if not future.done():
                future.set_result(ended)
