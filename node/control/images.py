"""The catalogue as the Engine API shows it."""

from __future__ import annotations

from collections.abc import Sequence

from node.errors import NotFound
from node.model.image import ImageRecord
from node.programs import catalogue


class Images:
    """See the module."""

    def list(self) -> Sequence[ImageRecord]:
        """All of it."""
        return [_record(image) for image in catalogue.IMAGES]

    def find(self, term: str) -> ImageRecord:
        """By name, tag or id. Raises NotFound."""
        image = catalogue.find(term)
        if image is None:
            raise NotFound(f"No such image: {tagged(term)}")
        return _record(image)

    def missing(self, name: str) -> str:
        """The sentence for a user who wants another."""
        return catalogue.missing(name)


def tagged(name: str) -> str:
    """An image's name with its tag, "nginx:latest"."""
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def _record(image: catalogue.Image) -> ImageRecord:
    return ImageRecord(
        id=image.id,
        tags=(f"{image.name}:latest",),
        created=catalogue.CREATED,
        size=image.size,
        command=image.command,
        entrypoint=image.entrypoint,
        environment=image.environment,
        exposed_ports=image.exposed_ports,
        working_directory=image.working_directory,
        stop_signal=image.stop_signal,
    )
