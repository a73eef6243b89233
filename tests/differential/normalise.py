"""What an engine printed, with everything that chance and time decide replaced by a word for what it is.

Identities become names: `<container web>`, `<network app>`, and `<id 1>` for what has no name of its own.
Times, durations, process ids and drawn hardware addresses become `<time>`, `<duration>`, `<pid>`, `<mac 1>`.
What a script itself names stays as it stands: a hardware address that it gives, for instance. The order of
output stays too, save for objects whose keys are identities: those are sorted by the name within.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

SHORT_ID_LENGTH = 12
"""Characters of an identity as the docker command shows it."""

_ID = re.compile(r"\b(sha256:)?(?:([0-9a-f]{64})|([0-9a-f]{12}))\b")
_MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b")
_NO_MACS = ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")
_COLUMN_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_MACHINE_PATH = re.compile(r"/sys/devices/system/cpu/cpu\d+/thermal_throttle")
_LAYER = re.compile(r"overlay2/[0-9a-f]{64}")
_NEVER = "0001-01-01T00:00:00Z"

_REPLACED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(?!{_NEVER})\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \w+"), "<time>"),
    (re.compile(r'("time(?:Nano)?"): \d+'), r"\1: <time>"),
    (
        re.compile(r"\b(?:Less than a second|About (?:a minute|an hour)|\d+ (?:second|minute|hour)s?)\b"),
        "<duration>",
    ),
    (re.compile(r'("Pid"): [1-9]\d*'), r"\1: <pid>"),
    (re.compile(r'(execDuration"?[:=] ?"?)\d+'), r"\1<duration>"),
    (re.compile(r'("OomKillDisable"): (?:false|null)'), r"\1: <by the kernel's control groups>"),
    (re.compile(r"\bveth[0-9a-f]{7}\b"), "<veth>"),
    (re.compile(r"@if\d+"), "@if<n>"),
    (re.compile(r"\(virtual [\d.]+[kMG]?B\)"), "(virtual <size of the image>)"),
    (re.compile(r"time=[\d.]+ ?ms"), "time=<duration>"),
    (re.compile(r"(min/avg/max(?:/mdev)?) = [\d./]+ ms"), r"\1 = <duration>"),
    (re.compile(r", time \d+ms"), ", time <duration>"),
)
RANDOM_NAME = re.compile(r"\b[a-z]+_[a-z]+\d?\b")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


def normalise(text: str, names: Mapping[str, str], given: str) -> str:
    """The text of one stream, for comparison.

    ``names`` says by full identity what has it ("container web"); ``given`` is the text of the script, whose
    own hardware addresses stay.
    """
    text = "\n".join(_pretty(text))
    text = _identities(text, names)
    text = _macs(text, given)
    for pattern, word in _REPLACED:
        text = pattern.sub(word, text)
    return "\n".join(_COLUMN_GAP.sub("  ", line).rstrip() for line in text.splitlines())


def _pretty(text: str) -> Iterator[str]:
    """JSON, as a whole or line by line, spread over lines; everything else unchanged."""
    try:
        yield _dump(json.loads(text))
    except ValueError:
        for line in text.splitlines():
            try:
                yield _dump(json.loads(line)) if line.startswith(("{", "[")) else line
            except ValueError:
                yield line


def _dump(value: Any) -> str:
    return json.dumps(_sorted_by_name(value), indent=2, ensure_ascii=False)


def _sorted_by_name(value: Any) -> Any:
    """An object keyed by identities has no order of its own; all others keep theirs."""
    if isinstance(value, list):
        return [_sorted_by_name(item) for item in value if not _is_of_machine(item)]
    if not isinstance(value, dict):
        return value
    items = [(key, _sorted_by_name(item)) for key, item in value.items()]
    if items and all(_ID.fullmatch(key) for key, _ in items):
        items.sort(
            key=lambda entry: json.dumps(entry[1].get("Name") if isinstance(entry[1], dict) else entry[1])
        )
    return dict(items)


def _is_of_machine(item: Any) -> bool:
    """Paths that an engine masks only where the machine has them (moby: oci/defaults.go)."""
    return isinstance(item, str) and _MACHINE_PATH.fullmatch(item) is not None


def _identities(text: str, names: Mapping[str, str]) -> str:
    text = _LAYER.sub("overlay2/<layer>", text)
    known = {identity[:SHORT_ID_LENGTH]: name for identity, name in names.items()}
    numbered = _Numbered("id")

    def named(found: re.Match[str]) -> str:
        digest, full, short = found.groups()
        if digest:
            return "<digest>"
        name = known.get((full or short)[:SHORT_ID_LENGTH]) or numbered((full or short)[:SHORT_ID_LENGTH])
        return f"<{name}>" if full else f"<{name}, short>"

    return _ID.sub(named, text)


def _macs(text: str, given: str) -> str:
    numbered = _Numbered("mac")

    def named(found: re.Match[str]) -> str:
        mac = found.group()
        return mac if mac in _NO_MACS or mac in given.lower() else f"<{numbered(mac)}>"

    return _MAC.sub(named, text)


class _Numbered:
    """Gives each value a number, the same whenever it is seen again in this text."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._seen: dict[str, int] = {}

    def __call__(self, value: str) -> str:
        return f"{self._word} {self._seen.setdefault(value, len(self._seen) + 1)}"


def has_unknown_id(text: str, names: Mapping[str, str]) -> bool:
    """Whether something is shown whose name could be asked for."""
    known = {identity[:SHORT_ID_LENGTH] for identity in names}
    return any(
        not digest and (full or short)[:SHORT_ID_LENGTH] not in known
        for digest, full, short in _ID.findall(text)
    )


# --- what a mark of a script line leaves to compare --------------------------------------------------------


def _sorted_lines(text: str) -> str:
    return "\n".join(sorted(text.splitlines()))


def _addresses(text: str) -> str:
    return "\n".join(_ADDRESS.findall(text))


def _names(text: str) -> str:
    return RANDOM_NAME.sub("<random name>", text)


def _words(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


MARKS: dict[str, Callable[[str], str]] = {
    "sorted": _sorted_lines,
    "addresses": _addresses,
    "random names": _names,
    "words": _words,
    "last line": _last_line,
    "exit code": lambda _: "",
}
"""What is compared of a command's output, by the mark in front of it."""
