"""Amounts as people write them: spans of time, fractions, bandwidths, bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from lab.scenario.load import span

_PLAIN = re.compile(r"\d+(\.\d+)?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_RATE = re.compile(r"(\d+(?:\.\d+)?)([kmg]?)(?:bit)?(?:/s)?", re.IGNORECASE)
_BYTES = re.compile(r"(\d+)([km]?)b?", re.IGNORECASE)
_DECIMAL = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_BINARY = {"": 1, "k": 1 << 10, "m": 1 << 20}


class Amount(click.ParamType[float]):
    """Something that is measured; what cannot be read is refused with what to write instead."""

    def __init__(self, name: str, read: Callable[[str], float], instead: str) -> None:
        self.name = name
        self._read = read
        self._instead = instead

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See click.ParamType."""
        if isinstance(value, (int, float)):
            return float(value)
        try:
            return self._read(value)
        except (ValueError, KeyError):
            self.fail(f'"{value}" is no {self.name}: {self._instead}', param, ctx)


def _seconds(text: str) -> float:
    value = float(span(f"{text}s" if _PLAIN.fullmatch(text) else text))
    if value < 0:
        raise ValueError
    return value


def _fraction(text: str) -> float:
    percent = _PERCENT.fullmatch(text)
    value = float(percent[1]) / 100 if percent is not None else float(text)
    if not 0 < value <= 1:
        raise ValueError
    return value


def _bits(text: str) -> float:
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError
    return float(match[1]) * _DECIMAL[match[2].lower()]


def _bytes(text: str) -> float:
    match = _BYTES.fullmatch(text)
    if match is None:
        raise ValueError
    return int(match[1]) * _BINARY[match[2].lower()]


TIME = Amount("time", _seconds, "write 250ms, 10s, 2m or 1h")
SPAN = Amount("time", lambda text: float(span(text)), "write a number and a unit, as in 50ms or 2s")
"""Where seconds without a unit would mostly be a slip for milliseconds."""
FRACTION = Amount("fraction", _fraction, "write 10% or 0.1, above 0 and at most 100%")
BANDWIDTH = Amount("bandwidth", _bits, "write 512kbit, 10mbit or 1gbit")
BYTES = Amount("number of bytes", _bytes, "write 1400 or 256k")
