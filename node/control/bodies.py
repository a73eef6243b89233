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
    starting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it was started, or will not be: whoever attached before that may go on."""
    removing: bool = False
    """Somebody removes it, and nothing else may begin with it."""
    stdin_closed: bool = False
    """Its user had no more input before it even started."""

    @property
    def running(self) -> bool:
        """Its program runs, or is paused."""
        return self.task is not None

    async def started(self) -> Task | None:
        """Its program, once it runs; None if it will not."""
        await self.starting.wait()
        return self.task

    def close_stdin(self) -> None:
        """Its program gets no more input, now or when it starts."""
        if self.task is not None:
            self.task.close_stdin()
        else:
            self.stdin_closed = True

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
