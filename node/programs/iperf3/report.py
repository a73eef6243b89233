"""What iperf3 prints, line by line (src/iperf_locale.c, src/units.c)."""

from __future__ import annotations

from node.programs.iperf3.plan import Plan
from node.programs.iperf3.stream import Stream
from node.programs.iperf3.transfer import Sample, sum_of

SEPARATOR = " ".join("-" * 25) + "\n"
HEAD = "[ ID] Interval           Transfer     Bitrate"
_PREFIXES = ("", "K", "M", "G", "T")


def scaled(value: float, step: float, unit: str, prefix: str = "") -> str:
    """ "1.44 GBytes": in the prefix that is asked for, or the one that suits."""
    index = _PREFIXES.index(prefix) if prefix else 0
    if prefix:
        value /= step**index
    while not prefix and value >= step and index < len(_PREFIXES) - 1:
        value /= step
        index += 1
    figures = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:4.{figures}f} {_PREFIXES[index]}{unit}"


class Texts:
    """The lines of one test; ``form`` is the option -f: k, m, g, t for bits, K, M, G, T for bytes."""

    def __init__(self, plan: Plan, streams: list[Stream], form: str, *, is_server: bool) -> None:
        self._plan = plan
        self._streams = streams
        self._form = form
        self._is_server = is_server
        self._is_sender = streams[0].is_sender

    def connected(self) -> str:
        """Between whom each stream is."""
        return "".join(
            f"[{one.number:3d}] local {one.local[0]} port {one.local[1]} "
            f"connected to {one.remote[0]} port {one.remote[1]}\n"
            for one in self._streams
        )

    def interval_head(self) -> str:
        """Above the intervals."""
        if self._plan.udp:
            columns = "Total Datagrams" if self._is_sender else "Jitter    Lost/Total Datagrams"
            return f"{HEAD}         {columns}\n"
        return HEAD + ("         Retr  Cwnd\n" if self._is_sender or not self._is_server else "\n")

    def interval(self, samples: list[Sample], *, is_first: bool) -> str:
        """One interval of all streams, and their sum."""
        several = len(samples) > 1
        text = SEPARATOR if several and not is_first else ""
        for stream, sample in zip(self._streams, samples, strict=True):
            text += self._line(f"[{stream.number:3d}]", sample, self._interval_tail(sample, several=False))
        if several:
            total = sum_of(samples)
            text += self._line("[SUM]", total, self._interval_tail(total, several=True))
        return text

    def final(self, sent: list[Sample] | None, received: list[Sample] | None) -> str:
        """The whole test: what the senders and what the receivers have counted; None where unknown."""
        columns = "         Jitter    Lost/Total Datagrams" if self._plan.udp else ""
        if self._plan.tcp and (sent is not None):
            columns = "         Retr"
        text = f"{SEPARATOR}{HEAD}{columns}\n"
        for index, stream in enumerate(self._streams):
            for samples, role in ((sent, "sender"), (received, "receiver")):
                if samples is not None:
                    text += self._final_line(f"[{stream.number:3d}]", samples[index], role)
        if len(self._streams) > 1:
            for samples, role in ((sent, "sender"), (received, "receiver")):
                if samples is not None:
                    text += self._final_line("[SUM]", sum_of(samples), role)
        return text

    def _line(self, label: str, sample: Sample, tail: str) -> str:
        took = sample.end - sample.start
        moved = scaled(sample.bytes, 1024, "Bytes")
        return (
            f"{label} {sample.start:6.2f}-{sample.end:<6.2f} sec  {moved}  "
            f"{self._rate(sample.bytes / took if took > 0 else 0.0)}/sec{tail}\n"
        )

    def _rate(self, bytes_per_s: float) -> str:
        if self._form and self._form in "KMGT":
            return scaled(bytes_per_s, 1024, "Bytes", self._form)
        return scaled(bytes_per_s * 8, 1000, "bits", self._form.upper())

    def _interval_tail(self, sample: Sample, *, several: bool) -> str:
        if self._plan.udp:
            return f"  {sample.packets}  " if self._is_sender else f"  {_loss(sample)}  "
        if not self._is_sender:
            return " " * 18
        window = " " * 7 if several else f"{scaled(sample.window_bytes, 1024, 'Bytes')}    "
        return f"  {sample.retransmits:3d}   {window}   "

    def _final_line(self, label: str, sample: Sample, role: str) -> str:
        if self._plan.udp:
            tail = f"  {_loss(sample)}  {role}"
        elif role == "sender":
            tail = f"  {max(sample.retransmits, 0):3d}             {role}"
        else:
            tail = f"{' ' * 18}{role}"
        return self._line(label, sample, tail)


def _loss(sample: Sample) -> str:
    share = 100 * sample.lost / sample.packets if sample.packets else 0.0
    return f"{sample.jitter_s * 1000:5.3f} ms  {sample.lost}/{sample.packets} ({share:.2g}%)"
