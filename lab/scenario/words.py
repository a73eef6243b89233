"""Steps of a timeline in words, one short line each."""

from __future__ import annotations

from lab.scenario import model
from node.chaos.faults import Direction
from node.chaos.kinds import Flows, Mode

_WAYS = {Direction.BOTH: "", Direction.OUTGOING: ", outgoing only", Direction.INCOMING: ", incoming only"}


def describe(step: model.Step) -> str:
    """What a step does, or expects."""
    if isinstance(step, model.FaultStep):
        return _fault(step)
    if isinstance(step, model.ExpectStep):
        return _expectation(step)
    match step:
        case model.KillStep():
            return f"{step.node} loses its power"
        case model.StartStep():
            return f"{step.node} is started"
        case model.PauseStep():
            return f"{step.node} freezes for {span(step.lasts)}"
        case model.RestartStep():
            return f"{step.node} is restarted"
        case model.HealStep():
            return f"heal {', '.join(step.ids) or 'everything'}"
        case model.CreateNetworkStep():
            return f"{step.on}: docker network create -d {step.network.driver} {step.name}"
        case model.RemoveNetworkStep():
            return f"{step.on}: docker network rm {step.name}"
        case model.RunStep():
            return f"{step.container.on}: docker run --name {step.name} {step.container.image}"
        case model.RemoveStep():
            return f"docker rm -f {step.container}"
        case model.StopStep():
            return f"docker stop {step.container}"
        case model.ConnectStep():
            return f"docker network connect {step.network} {step.container}"
        case model.DisconnectStep():
            return f"docker network disconnect {step.network} {step.container}"
        case model.ExecStep():
            return f"docker exec {step.container} {' '.join(step.command)}"
    raise AssertionError(f"{type(step).__name__} has no words")


def span(seconds: float) -> str:
    """ "250ms", "10s", "2m", "1h"; as scenario files have it."""
    if seconds != 0 and abs(seconds) < 1:
        return f"{seconds * 1000:g}ms"
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _fault(step: model.FaultStep) -> str:
    return f"{_what(step)}{_where(step)} for {span(step.lasts)}"


def _what(step: model.FaultStep) -> str:
    match step:
        case model.PartitionStep():
            return _partition(step)
        case model.LossStep():
            runs = f" in runs of {step.burst:g}" if step.burst > 1 else ""
            return f"{step.rate:.4g} of all is lost{runs}"
        case model.DelayStep():
            give = f" give or take {span(step.jitter)}" if step.jitter else ""
            return f"everything is late by {span(step.delay)}{give}"
        case model.ReorderStep():
            return f"{step.rate:.4g} of all is overtaken"
        case model.DuplicateStep():
            return f"{step.rate:.4g} of all comes twice"
        case model.CorruptStep():
            return f"{step.rate:.4g} of all has a wrong bit"
        case model.BandwidthStep():
            return f"at most {step.bits_per_second / 1e6:g} Mbit/s get through"
        case model.MtuStep():
            return f"packets longer than {step.mtu} bytes vanish"
        case model.SlowNodeStep():
            return f"everything is late by {span(step.delay)} on all planes"
        case model.ClockSkewStep():
            return f"clocks run {step.rate:g} times as fast, {step.offset:+g}s"
        case model.StoreUnavailableStep():
            return "the store cannot be reached"
        case model.StoreSlowStep():
            return f"the store answers {span(step.delay)} late"
        case model.StoreMemberLostStep():
            return f"member {step.member} of the store is lost"
        case model.WatchStalledStep():
            return "the store brings no news"
        case model.NameServerSilentStep():
            return "name servers are silent"
        case model.PortDeadStep():
            return "published ports are dead"
    raise AssertionError(f"{type(step).__name__} has no words")


def _partition(step: model.PartitionStep) -> str:
    flaps = f", flapping every {span(step.flap)}" if step.flap else ""
    how = " (refused at once)" if step.mode is Mode.REJECT else ""
    flows = "" if step.flows is Flows.ALL else f" for {step.flows.value} conversations"
    if step.groups:
        sides = [",".join(group) for group in step.groups]
        between = f"{sides[0]} --x--> {' '.join(sides[1:])}" if step.one_way else " | ".join(sides)
        return f"cut {between}{flows}{how}{flaps}"
    return f"cut{flows}{how}{flaps}"


def _where(step: model.FaultStep) -> str:
    on = f" on {','.join(step.on)}" if step.on else ""
    peers = f" towards {','.join(step.peers)}" if step.peers else ""
    planes = f" ({', '.join(step.planes)})" if step.planes else ""
    networks = f" in {','.join(step.networks)}" if step.networks else ""
    return f"{on}{peers}{networks}{planes}{_WAYS[step.direction]}"


def _expectation(step: model.ExpectStep) -> str:
    parts = []
    if step.reachable is not None:
        parts.append(f"{step.source} {'reaches' if step.reachable else 'does not reach'} {step.to}")
    if step.resolves:
        answers = "" if step.addresses is None else f" to {', '.join(step.addresses) or 'nothing'}"
        parts.append(f"{step.source} resolves {step.resolves}{answers}")
    if step.fetches:
        parts.append(f"{step.source} reads {step.fetches}")
    if step.throughput:
        parts.append(f"TCP carries {step.throughput / 1e6:g} Mbit/s from {step.source} to {step.to}")
    if step.converged:
        parts.append("all nodes agree")
    if step.no_drops:
        parts.append(f"nothing is dropped as {', '.join(step.no_drops)}")
    if step.drops:
        parts.append(f"something is dropped as {', '.join(step.drops)}")
    within = f" within {span(step.within)}" if step.within else ""
    return f"expect: {' and '.join(parts)}{within}"
