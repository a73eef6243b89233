"""Commands in the containers of a scenario, as `docker exec` runs them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from lab.scenario.model import ContainerWish
from lab.scenario.stage import Outcome, Stage

PATIENCE_S = 1.0
"""How much longer than its own time limit a command may take before nobody waits for it any more."""
THROUGHPUT_S = 0.5
THROUGHPUT_BYTES_MIN, THROUGHPUT_BYTES_MAX = 1 << 17, 1 << 22


@dataclass(slots=True)
class Placed:
    """A container that the user has run."""

    node: str
    wish: ContainerWish
    networks: list[str] = field(default_factory=list)
    expected: bool = True
    """It is to run now: nobody has stopped it, and no end of its node has ended it for good."""


class Commands:
    """See the module."""

    def __init__(self, stage: Stage) -> None:
        self.containers: dict[str, Placed] = {}
        self._stage = stage

    async def execute(self, name: str, command: tuple[str, ...], limit_s: float = 60.0) -> Outcome:
        """`docker exec`; whoever takes longer than the limit is not waited for."""
        placed = self.containers.get(name)
        if placed is None:
            return Outcome(-1, f"container {name} does not run")
        try:
            async with asyncio.timeout(limit_s):
                return await self._stage.execute(placed.node, name, command)
        except TimeoutError:
            return Outcome(-1, f"no answer within {limit_s:g} s")

    async def ping(self, source: str, to: str, timeout_s: float = 1.0) -> Outcome:
        """One echo request, by name or address."""
        command = ("ping", "-c", "1", "-W", f"{timeout_s:g}", to)
        return await self.execute(source, command, timeout_s + PATIENCE_S)

    async def resolve(self, source: str, name: str, timeout_s: float = 5.0) -> Outcome:
        """Ask the container's name server."""
        return await self.execute(source, ("nslookup", name), timeout_s + PATIENCE_S)

    async def fetch(self, source: str, address: str, timeout_s: float = 2.0) -> Outcome:
        """Read a page."""
        url = address if "://" in address else f"http://{address}"
        command = ("wget", "-q", "-O", "-", "-T", f"{timeout_s:g}", url)
        return await self.execute(source, command, timeout_s + PATIENCE_S)

    async def bits_per_second(self, source: str, to: str, wanted: float) -> tuple[float, str]:
        """What TCP carries from one container to another, by iperf3; and why not, if it is 0.

        It sends what a connection of the wanted rate carries in half a second: a simulated link may
        carry far more, and nothing is to be learned from that.
        """
        amount = min(max(THROUGHPUT_BYTES_MIN, int(wanted / 8 * THROUGHPUT_S)), THROUGHPUT_BYTES_MAX)
        limit_s = 10 * THROUGHPUT_S + PATIENCE_S
        serving = asyncio.ensure_future(self.execute(to, ("iperf3", "-s", "-1"), limit_s))
        try:
            await self._stage.sleep_until(self._stage.now() + 0.05)
            outcome = await self.execute(source, ("iperf3", "-c", to, "-n", str(amount), "-J"), limit_s)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        try:
            return float(json.loads(outcome.text)["end"]["sum_received"]["bits_per_second"]), ""
        except (ValueError, KeyError):
            return 0.0, last_line(outcome.text)


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
