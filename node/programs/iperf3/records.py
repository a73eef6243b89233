"""The report of one test as JSON (-J): iperf3's own structure, as far as there are figures for it here."""

from __future__ import annotations

import json
from typing import Any

from node.programs.iperf3.control import VERSION
from node.programs.iperf3.plan import Plan
from node.programs.iperf3.stream import Stream
from node.programs.iperf3.transfer import Sample, sum_of

SYSTEM = "Linux shoal (a simulated container)"


class Record:
    """Filled while a test runs."""

    def __init__(self) -> None:
        self.start: dict[str, Any] = {"connected": [], "version": f"iperf {VERSION}", "system_info": SYSTEM}
        self.intervals: list[dict[str, Any]] = []
        self.end: dict[str, Any] = {}
        self.error = ""

    def begin(self, plan: Plan, streams: list[Stream]) -> None:
        """The streams stand."""
        self.start["connected"] = [
            {
                "socket": stream.number,
                "local_host": stream.local[0],
                "local_port": stream.local[1],
                "remote_host": stream.remote[0],
                "remote_port": stream.remote[1],
            }
            for stream in streams
        ]
        self.start["test_start"] = {
            "protocol": "UDP" if plan.udp else "TCP",
            "num_streams": plan.parallel,
            "blksize": plan.len,
            "omit": 0,
            "duration": max(plan.time, 0),
            "bytes": max(plan.num, 0),
            "blocks": max(plan.blockcount, 0),
            "reverse": int(plan.reverse),
            "tos": 0,
            "target_bitrate": plan.bandwidth,
        }

    def interval(self, streams: list[Stream], samples: list[Sample]) -> None:
        """One has passed."""
        shown = [
            {"socket": one.number, **_figures(sample, one), "omitted": False, "sender": one.is_sender}
            for one, sample in zip(streams, samples, strict=True)
        ]
        total = {**_figures(sum_of(samples), streams[0]), "omitted": False, "sender": streams[0].is_sender}
        total.pop("snd_cwnd", None)
        total.pop("rtt", None)
        self.intervals.append({"streams": shown, "sum": total})

    def finish(self, streams: list[Stream], sent: list[Sample] | None, received: list[Sample] | None) -> None:
        """It is over; None where nobody has told."""
        roles = [(role, samples) for role, samples in (("sender", sent), ("receiver", received)) if samples]
        self.end["streams"] = [
            {
                role: {
                    "socket": stream.number,
                    **_totals(samples[index], stream, role),
                    "sender": stream.is_sender,
                }
                for role, samples in roles
            }
            for index, stream in enumerate(streams)
        ]
        for role, samples in roles:
            name = "sum_sent" if role == "sender" else "sum_received"
            self.end[name] = {**_totals(sum_of(samples), streams[0], role), "sender": streams[0].is_sender}

    def text(self) -> str:
        """All of it."""
        whole: dict[str, Any] = {"start": self.start, "intervals": self.intervals, "end": self.end}
        if self.error:
            whole["error"] = self.error
        return json.dumps(whole, indent="\t", separators=(",", ":\t")) + "\n"


def _basics(sample: Sample) -> dict[str, Any]:
    took = sample.end - sample.start
    return {
        "start": sample.start,
        "end": sample.end,
        "seconds": took,
        "bytes": sample.bytes,
        "bits_per_second": sample.bytes * 8 / took if took > 0 else 0,
    }


def _figures(sample: Sample, stream: Stream) -> dict[str, Any]:
    """Of an interval."""
    shown = _basics(sample)
    if stream.tcp is not None:
        if stream.is_sender:
            shown["retransmits"] = sample.retransmits
            shown["snd_cwnd"] = sample.window_bytes
            shown["rtt"] = round(sample.round_trip_s * 1_000_000)
        return shown
    if not stream.is_sender:
        shown["jitter_ms"] = sample.jitter_s * 1000
        shown["lost_packets"] = sample.lost
        shown["lost_percent"] = 100 * sample.lost / sample.packets if sample.packets else 0
    shown["packets"] = sample.packets
    return shown


def _totals(sample: Sample, stream: Stream, role: str) -> dict[str, Any]:
    """Of a whole test."""
    shown = _basics(sample)
    if stream.tcp is not None:
        if role == "sender":
            shown["retransmits"] = max(sample.retransmits, 0)
        return shown
    shown["jitter_ms"] = sample.jitter_s * 1000
    shown["lost_packets"] = sample.lost
    shown["packets"] = sample.packets
    shown["lost_percent"] = 100 * sample.lost / sample.packets if sample.packets else 0
    return shown
