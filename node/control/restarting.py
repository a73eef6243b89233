"""When a container starts again by itself: restart policies (moby: restartmanager), and a node's return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.control.registry import Registry
from node.model.container import ContainerRecord
from node.model.times import rfc3339

if TYPE_CHECKING:
    from node.control.lives import Lives

BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 60.0
STEADY_S = 10.0
"""A program that ran this long has started well: the next back-off is the shortest again."""
KILLED_BY_CRASH = 255
"""The exit code of a container whose node died under it."""


def starts_again(container: ContainerRecord, exit_code: int) -> bool:
    """Whether a container that has just ended is to be started again."""
    policy = container.spec.restart
    if container.state.stopped_by_user:
        return False
    if policy.name in ("always", "unless-stopped"):
        return True
    if policy.name == "on-failure" and exit_code != 0:
        return policy.retries == 0 or container.state.restarts < policy.retries
    return False


def backoff_s(restarts_in_a_row: int) -> float:
    """How long to wait before the next start: 100 ms, doubling to a minute."""
    return min(BACKOFF_MIN_S * (1 << min(restarts_in_a_row, 16)), BACKOFF_MAX_S)


async def restore(registry: Registry, lives: Lives, wall_s: float) -> None:
    """After a restart of the node: what ran has died, and what is to run again is started."""
    for container in reversed(registry.all()):
        policy = container.spec.restart.name
        if container.state.status in ("running", "paused", "restarting"):
            ended = {"status": "exited", "exit_code": KILLED_BY_CRASH, "pid": 0, "finished": rfc3339(wall_s)}
            now = await registry.change_state(container.id, **ended)
            wanted = policy in ("always", "unless-stopped", "on-failure")
        else:
            # `always` comes back even after `docker stop`; `unless-stopped` does not.
            now = container
            wanted = policy == "always" and container.state.status == "exited"
        body = lives.body(now)
        if wanted:
            lives.restart_later(await registry.change_state(now.id, status="restarting"), body)
        elif now.spec.auto_remove and now.state.status != "created":
            await lives.forget(now, body)
