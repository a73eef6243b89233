"""Tells the user of a test: as text while it runs, or as JSON at its end."""

from __future__ import annotations

from node.programs.iperf3.plan import Plan, Results, StreamResult
from node.programs.iperf3.records import Record
from node.programs.iperf3.report import Texts
from node.programs.iperf3.stream import Stream
from node.programs.iperf3.transfer import Sample, Transfer
from node.programs.process import Process


class Reporter:
    """Of one test."""

    def __init__(self, process: Process, form: str, *, as_json: bool, is_server: bool) -> None:
        self._process = process
        self._form = form
        self._as_json = as_json
        self._is_server = is_server
        self._record = Record()
        self._texts: Texts | None = None
        self._streams: list[Stream] = []
        self._is_first = True

    def say(self, text: str) -> None:
        """A line of text, where text is wanted."""
        if not self._as_json:
            self._process.stdout.write(text)

    def begin(self, plan: Plan, streams: list[Stream]) -> None:
        """The streams stand, and data is about to flow."""
        self._streams = streams
        self._texts = Texts(plan, streams, self._form, is_server=self._is_server)
        self._record.begin(plan, streams)
        self.say(self._texts.connected())

    def interval(self, samples: list[Sample]) -> None:
        """An interval has passed."""
        assert self._texts is not None, "intervals come after the beginning"
        if self._is_first:
            self.say(self._texts.interval_head())
        self.say(self._texts.interval(samples, is_first=self._is_first))
        self._is_first = False
        self._record.interval(self._streams, samples)

    def finish(self, transfer: Transfer, theirs: Results | None) -> None:
        """It is over, and the other end has told what it counted; a server shows its own side alone."""
        assert self._texts is not None, "the end comes after the beginning"
        own = [_sample(stream.result(transfer.seconds), transfer.seconds) for stream in self._streams]
        other = None
        if theirs is not None and not self._is_server:
            told = {result.id: result for result in theirs.streams}
            other = [
                _sample(told.get(stream.id, StreamResult(id=stream.id, bytes=0)), transfer.seconds)
                for stream in self._streams
            ]
        is_sender = self._streams[0].is_sender
        sent, received = (own, other) if is_sender else (other, own)
        if transfer.plan.udp and sent is not None:
            sent = [Sample(one.start, one.end, one.bytes, packets=one.packets) for one in sent]
        self.say(self._texts.final(sent, received))
        self._record.finish(self._streams, sent, received)

    def fail(self, reason: str) -> None:
        """Why there is no result."""
        kind, _, text = reason.partition(" - ")
        if self._as_json:
            self._record.error = text if kind == "error" else reason
        else:
            self._process.stderr.write(f"iperf3: {reason}\n")

    def close(self) -> None:
        """Nothing more will be said."""
        if self._as_json:
            self._process.stdout.write(self._record.text())


def _sample(result: StreamResult, seconds: float) -> Sample:
    return Sample(
        0.0,
        result.seconds if result.seconds > 0 else seconds,
        result.bytes,
        retransmits=result.retransmits,
        packets=result.packets,
        lost=result.errors,
        jitter_s=result.jitter,
    )
