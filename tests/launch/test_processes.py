"""Processes are known by more than a number."""

from __future__ import annotations

import os
import signal
import subprocess

from lab.launch.processes import Known, alive, is_paused, known, send, wait_gone


def test_a_number_that_was_given_out_again_is_another_process() -> None:
    me = known(os.getpid())
    assert me is not None
    assert alive(me)
    before = Known(me.pid, me.started - 1)
    assert not alive(before)
    assert not send(before, signal.SIGKILL), "nobody is killed by mistake"


def test_a_process_is_seen_to_pause_and_to_go() -> None:
    child = subprocess.Popen(["sleep", "100"])
    process = known(child.pid)
    assert process is not None
    assert send(process, signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    assert is_paused(process)
    assert wait_gone([process], 0.05) == [process]
    assert send(process, signal.SIGKILL)
    child.wait()
    assert not alive(process)
    assert wait_gone([process], 0.0) == []


def test_nobody_is_no_process() -> None:
    assert known(2**22 + 1) is None
    assert not alive(None)
    assert not send(None, signal.SIGTERM)
