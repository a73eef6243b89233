"""A scope of tasks that ends in order: newest first, never by the accident of an address.

asyncio.TaskGroup keeps its children in a set and cancels them in address order, which differs from
run to run; a simulated world that must replay exactly cannot use it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class TaskScope:
    """Background work of one owner. A task that fails is reported once, and the others go on."""

    def __init__(self, failed: Callable[[str, BaseException], None]) -> None:
        """``failed(name, error)`` hears of every task that ended with an exception."""
        self._failed = failed
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """What goes on at this moment, the oldest first."""
        return tuple(task.get_name() for task in self._tasks)

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a coroutine until it ends or the scope does."""
        assert not self._closed, f"{name} started in a scope that has ended"
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def report(self, name: str, error: BaseException) -> None:
        """Something failed that is no task of its own, but nobody else's either."""
        self._failed(name, error)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(task.get_name(), error)

    async def close(self) -> None:
        """Cancel what still runs, newest first, and wait for each to end."""
        self._closed = True
        for task in reversed(list(self._tasks)):
            task.cancel()
            try:
                await asyncio.wait([task])
            finally:
                self._tasks.pop(task, None)
