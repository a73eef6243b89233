"""When the faults and pauses of a timeline are over: at their own end, or when a later step heals them."""

from __future__ import annotations

from collections.abc import Sequence

from lab.scenario import model


def end_of(timeline: Sequence[model.Step], number: int) -> float:
    """When the fault or pause of this step ends, by the file."""
    step = timeline[number]
    assert isinstance(step, (model.FaultStep, model.PauseStep)), "only these last"
    heals = [one for one in timeline[number + 1 :] if isinstance(one, model.HealStep)]
    if isinstance(step, model.PauseStep):
        heals = []
    return min(
        [step.at + step.lasts, *(h.at for h in heals if not h.ids or getattr(step, "id", "") in h.ids)]
    )


def last_end(timeline: Sequence[model.Step]) -> float:
    """When the last of them is over; 0 if there is none."""
    lasting = (model.FaultStep, model.PauseStep)
    return max(
        (end_of(timeline, number) for number, step in enumerate(timeline) if isinstance(step, lasting)),
        default=0.0,
    )
