"""Plays one scenario from many seeds, on all processors, until one fails.

Children get the file's text and a seed, and give back JSON: they share nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

import msgspec

from lab.scenario.load import parse
from lab.scenario.result import Result
from lab.sim.play import play

AHEAD = 2
"""Seeds for each processor that wait or are played."""


def explore(text: str, name: str, seeds: range, processes: int = 0, *, stop: bool = True) -> Iterator[Result]:
    """Results as they come; with ``stop`` the first failure is the last. Those that passed have no story."""
    workers = processes or len(os.sched_getaffinity(0))
    waiting = iter(seeds)
    open_plays: dict[Future[bytes], int] = {}
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        while True:
            while len(open_plays) < workers * AHEAD and (seed := next(waiting, None)) is not None:
                open_plays[pool.submit(_one, text, name, seed)] = seed
            if not open_plays:
                return
            done, _ = wait(open_plays, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda one: open_plays[one]):
                del open_plays[future]
                result = msgspec.json.decode(future.result(), type=Result)
                yield result
                if stop and not result.passed:
                    return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _one(text: str, name: str, seed: int) -> bytes:
    """In a child."""
    result = play(parse(text, name), seed).result
    if result.passed:
        result = msgspec.structs.replace(result, story=(), samples=())
    return msgspec.json.encode(result)
