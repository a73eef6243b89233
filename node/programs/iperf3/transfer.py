"""Data goes one way over all streams at once, and is counted interval by interval.

A simulated program takes no time for its work, so it must take some for a certain amount of data: where
nothing else limits a sender, it stops at about a gigabit a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from node.programs.iperf3.control import Failed
from node.programs.iperf3.plan import Plan
from node.programs.iperf3.stream import Stream
from node.programs.process import Process

TURN_S = 0.001
TURN_BYTES = 131_072
PIECE_BYTES = 8192
"""What is written at once, and so how exactly a sender knows what it has sent."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one stream, or all, did between two moments, in seconds since the beginning."""

    start: float
    end: float
    bytes: int
    retransmits: int = 0
    window_bytes: int = 0
    round_trip_s: float = 0.0
    packets: int = 0
    lost: int = 0
    jitter_s: float = 0.0


def sum_of(samples: list[Sample]) -> Sample:
    """All streams as one."""
    return Sample(
        samples[0].start,
        samples[0].end,
        sum(sample.bytes for sample in samples),
        retransmits=sum(sample.retransmits for sample in samples),
        packets=sum(sample.packets for sample in samples),
        lost=sum(sample.lost for sample in samples),
        jitter_s=sum(sample.jitter_s for sample in samples) / len(samples),
    )


class Transfer:
    """See the module. ``report`` hears of each interval: one sample a stream."""

    def __init__(
        self,
        process: Process,
        plan: Plan,
        streams: list[Stream],
        interval_s: float,
        report: Callable[[list[Sample]], None],
    ) -> None:
        self.plan = plan
        self.streams = streams
        self.seconds = 0.0
        """How long it took, once it is over."""
        self._is_stopped = False
        self._process = process
        self._clock = process.clock
        self._interval_s = interval_s
        self._report = report
        self._begun = 0.0
        self._blocks = 0
        self._before = [_zero() for _ in streams]
        self._tasks: list[asyncio.Task[None]] = []
        self._is_over = asyncio.Event()
        self._error: Failed | None = None

    def start(self) -> None:
        """Begin."""
        self._begun = self._clock.now()
        for stream in self.streams:
            if stream.tcp is not None:
                work = self._send_tcp if stream.is_sender else self._receive_tcp
            else:
                work = self._send_udp if stream.is_sender else self._receive_udp
            self._tasks.append(self._process.start(self._guarded, work, stream))
        if self._interval_s:
            self._tasks.append(self._process.start(self._report_regularly))

    async def finished(self) -> None:
        """Wait until time is up, or all that was asked for has been carried. Raises Failed."""
        limit = None if self.plan.num > 0 or self.plan.blockcount > 0 else float(self.plan.time)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._is_over.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """No more data; the last interval is reported. Harmless if it was done."""
        if self._is_stopped:
            return
        self._is_stopped = True
        for task in self._tasks:
            task.cancel()
        self.seconds = self._clock.now() - self._begun
        samples = self._samples()
        took = self.seconds - self._before[0].end
        if took >= self._interval_s / 10 or any(sample.bytes for sample in samples):
            self._report(samples)

    async def _guarded(self, work: Callable[[Stream], Coroutine[Any, Any, None]], stream: Stream) -> None:
        try:
            await work(stream)
        except OSError as error:
            doing = "write to" if stream.is_sender else "read from"
            self._error = Failed(f"unable to {doing} stream socket: {error.strerror}")
            self._is_over.set()

    # -- data -------------------------------------------------------------------------------------

    async def _send_tcp(self, stream: Stream) -> None:
        assert stream.tcp is not None
        piece, owed = bytes(PIECE_BYTES), 0
        await self._clock.sleep(TURN_S)
        while not self._is_enough():
            left = self.plan.len
            while left:
                size = min(left, PIECE_BYTES)
                await stream.tcp.write(piece[:size])
                stream.carried_bytes += size
                left -= size
            self._blocks += 1
            owed += self.plan.len
            pause = self._due(stream) - self._clock.now()
            if owed >= TURN_BYTES or pause > 0:
                owed = 0
                await self._clock.sleep(max(pause, TURN_S))

    async def _receive_tcp(self, stream: Stream) -> None:
        assert stream.tcp is not None
        while data := await stream.tcp.read():
            stream.carried_bytes += len(data)
            self._is_enough()

    async def _send_udp(self, stream: Stream) -> None:
        assert stream.udp is not None
        length = self.plan.len
        await self._clock.sleep(TURN_S)
        while not self._is_enough():
            owed = 0
            while owed < TURN_BYTES and self._due(stream) <= self._clock.now() and not self._is_enough():
                stream.udp.send(stream.datagram(length, self._clock.wall()))
                self._blocks += 1
                owed += length
            await self._clock.sleep(max(self._due(stream) - self._clock.now(), TURN_S))

    async def _receive_udp(self, stream: Stream) -> None:
        assert stream.udp is not None
        number_bytes = 8 if self.plan.udp_counters_64bit else 4
        while True:
            stream.take(await stream.udp.receive(), self._clock.wall(), number_bytes)
            self._is_enough()

    def _due(self, stream: Stream) -> float:
        """When the next block may go, if there is a rate to keep."""
        if not self.plan.bandwidth:
            return self._begun
        return self._begun + stream.carried_bytes * 8 / self.plan.bandwidth

    def _is_enough(self) -> bool:
        plan = self.plan
        total = sum(stream.carried_bytes for stream in self.streams)
        blocks = self._blocks or total // plan.len
        is_late = plan.time > 0 and self._clock.now() - self._begun >= plan.time
        if is_late or (0 < plan.num <= total) or (0 < plan.blockcount <= blocks):
            self._is_over.set()
        return self._is_over.is_set()

    # -- figures ----------------------------------------------------------------------------------

    async def _report_regularly(self) -> None:
        turn = 1
        while True:
            await self._clock.sleep(max(self._begun + turn * self._interval_s - self._clock.now(), 0.0))
            self._report(self._samples())
            turn += 1

    def _samples(self) -> list[Sample]:
        """Of each stream, what is new since the last time."""
        now = self._clock.now() - self._begun
        samples = []
        for index, stream in enumerate(self.streams):
            before = self._before[index]
            info = stream.tcp.info if stream.tcp is not None else None
            total = Sample(
                0.0,
                now,
                stream.carried_bytes,
                retransmits=stream.retransmits,
                window_bytes=info.congestion_window_bytes if info is not None else 0,
                round_trip_s=info.round_trip_s if info is not None else 0.0,
                packets=stream.packets,
                lost=stream.lost,
                jitter_s=stream.jitter_s,
            )
            self._before[index] = total
            samples.append(_difference(before, total))
        return samples


def _zero() -> Sample:
    return Sample(0.0, 0.0, 0)


def _difference(before: Sample, total: Sample) -> Sample:
    return Sample(
        before.end,
        total.end,
        total.bytes - before.bytes,
        retransmits=total.retransmits - before.retransmits,
        window_bytes=total.window_bytes,
        round_trip_s=total.round_trip_s,
        packets=total.packets - before.packets,
        lost=total.lost - before.lost,
        jitter_s=total.jitter_s,
    )
