"""Which containers `docker ps` shows: a pure choice over all of them (moby: daemon/list.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from node.api import filters as by
from node.api.docker_json.containers import Shown, ports_in_list
from node.api.filters import Filters
from node.errors import Failed, InvalidParameter, NotFound
from node.model import times
from node.model.container import ContainerRecord, Status

CONTAINER_FILTERS = (
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
)
STATES: tuple[str, ...] = get_args(Status)
HEALTHS = ("none", "starting", "healthy", "unhealthy")

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")


@dataclass(frozen=True, slots=True)
class Listing:
    """What GET /containers/json asks for."""

    filters: Filters
    all: bool = False
    limit: int = 0
    """Only so many of the newest, running or not; 0 or less: no limit."""


ImageId = Callable[[str], str]
"""From a reference to the id of an image; empty if there is none."""


def containers(found: Sequence[Shown], listing: Listing, image_id: ImageId) -> list[Shown]:
    """The selected ones of ``found``, which are all, the newest first. Raises NodeError."""
    wishes = _Wishes.of(listing.filters, image_id)
    chosen: list[Shown] = []
    for shown in _between(found, listing.filters):
        if 0 < listing.limit <= len(chosen):
            break
        if _wanted(shown, listing, wishes):
            chosen.append(shown)
    return chosen


def _between(found: Sequence[Shown], filters: Filters) -> Iterator[Shown]:
    """Those made before the container of `before`, and after that of `since`."""
    everything = [shown.container for shown in found]
    before = [_one(everything, term).id for term in filters.get("before", ())][-1:]
    since = [_one(everything, term).id for term in filters.get("since", ())][-1:]
    waiting = bool(before)
    for shown in found:
        if waiting:
            waiting = shown.container.id not in before
        elif shown.container.id in since:
            return
        else:
            yield shown


def _one(found: Sequence[ContainerRecord], term: str) -> ContainerRecord:
    """By id or name, as those two filters find it."""
    for container in found:
        if container.id == term or container.name == term.removeprefix("/"):
            return container
    begun = [container for container in found if term and container.id.startswith(term)]
    if len(begun) != 1:
        raise NotFound(f"No such container: {term}")
    return begun[0]


@dataclass(frozen=True, slots=True)
class _Wishes:
    """Filters whose values have been read."""

    exit_codes: tuple[int, ...]
    images: tuple[str, ...] | None
    published: tuple[str, ...]
    exposed: tuple[str, ...]
    is_task: bool | None

    @classmethod
    def of(cls, filters: Filters, image_id: ImageId) -> _Wishes:
        for value in filters.get("status", ()):
            if value not in STATES:
                raise InvalidParameter(
                    f"invalid filter 'status={value}': invalid value for state ({value}): "
                    f"must be one of {', '.join(STATES)}"
                )
        for value in filters.get("health", ()):
            if value not in HEALTHS:
                raise InvalidParameter(
                    f"invalid filter 'health={value}': invalid value for health ({value}): "
                    f"must be one of {', '.join(HEALTHS)}"
                )
        ancestors = filters.get("ancestor")
        return cls(
            exit_codes=tuple(_exit_code(value) for value in filters.get("exited", ())),
            images=None if ancestors is None else tuple(image_id(value) for value in ancestors),
            published=tuple(
                port for value in filters.get("publish", ()) for port in _ports(value, "publish")
            ),
            exposed=tuple(port for value in filters.get("expose", ()) for port in _ports(value, "expose")),
            is_task=by.truth(filters, "is-task"),
        )


def _exit_code(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise InvalidParameter(
            f"invalid filter 'exited={value}': strconv.Atoi: parsing \"{value}\": invalid syntax"
        ) from None


def _ports(value: str, name: str) -> Iterator[str]:
    """ "80", "80/udp" or "8000-8010/tcp" as single ports."""
    match = _PORTS.fullmatch(value)
    if match is None:
        raise Failed(f"error while looking up for {name} {value}: it is not PORT[-PORT][/PROTOCOL]")
    first, last = int(match[1]), int(match[2] or match[1])
    for number in range(first, min(last, 65_535) + 1):
        yield f"{number}/{match[3] or 'tcp'}"


def _wanted(shown: Shown, listing: Listing, wishes: _Wishes) -> bool:
    container, filters = shown.container, listing.filters
    state = container.state
    if not (shown.running or listing.all or listing.limit > 0 or "status" in filters):
        return False
    has_exited = not shown.running and state.started != times.NEVER
    return (
        by.matches(filters, "name", container.name, f"/{container.name}")
        and by.begins(filters, "id", container.id)
        and wishes.is_task in (None, False)
        and by.labelled(filters, container.spec.labels)
        and by.exactly(filters, "isolation", "default", "")
        and (not wishes.exit_codes or (has_exited and state.exit_code in wishes.exit_codes))
        and by.exactly(filters, "status", state.status)
        and by.exactly(filters, "health", "none")
        and not filters.get("volume")  # no container here has one
        and (wishes.images is None or container.image_id in wishes.images)
        and _in_network(shown, filters)
        and _has_port(shown, wishes)
    )


def _in_network(shown: Shown, filters: Filters) -> bool:
    """By the network's name or the beginning of its id."""
    names = tuple(shown.container.networks)
    ids = tuple(shown.network_id(name) for name in names)
    wanted = filters.get("network", ())
    return not wanted or any(
        term in names or any(term and identity.startswith(term) for identity in ids) for term in wanted
    )


def _has_port(shown: Shown, wishes: _Wishes) -> bool:
    if not wishes.published and not wishes.exposed:
        return True
    ports = ports_in_list(shown)
    exposed = {f"{port['PrivatePort']}/{port['Type']}" for port in ports}
    published = {f"{port['PublicPort']}/{port['Type']}" for port in ports if "PublicPort" in port}
    return not exposed.isdisjoint(wishes.exposed) or not published.isdisjoint(wishes.published)
