"""Routes about images: there is a catalogue, and nothing can be brought in or taken out."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from node import errors
from node.api import filters as by
from node.api.backend import Backend
from node.api.docker_json import images as image_json
from node.api.http import JSON_TYPE, Answer, Request, Stream, json_bytes, json_response
from node.api.router import Route, route
from node.errors import InvalidParameter, NotFound
from node.model.image import ImageRecord

IMAGE_FILTERS = ("before", "dangling", "label", "reference", "since", "until")
FIXED = "the images are names for programs of the simulator: none can be {} here"


class ImageRoutes:
    """See the module."""

    def __init__(self, backend: Backend) -> None:
        self._images = backend.images

    def routes(self) -> list[Route]:
        """The table."""
        return [
            route("GET", "/images/json", self.list),
            route("POST", "/images/create", self.pull),
            route("GET", "/images/{name}/json", self.inspect),
            route("GET", "/images/{name}/history", self.history),
            route("GET", "/images/search", self.refuse_search),
            route("POST", "/images/load", self.refuse_change),
            route("POST", "/images/prune", self.prune),
            route("POST", "/images/{name}/push", self.refuse_change),
            route("POST", "/images/{name}/tag", self.refuse_change),
            route("DELETE", "/images/{name}", self.refuse_change),
            route("POST", "/build", self.refuse_change),
            route("POST", "/commit", self.refuse_change),
        ]

    async def list(self, request: Request) -> Answer:
        """The catalogue."""
        filters = by.parse(request.text("filters"), IMAGE_FILTERS)
        dangling = by.truth(filters, "dangling")
        chosen = [
            image
            for image in self._images.list()
            if not dangling
            and by.labelled(filters, image.labels)
            and by.matches(filters, "reference", *image.tags, *(tag.rpartition(":")[0] for tag in image.tags))
        ]
        return json_response([image_json.listed(image) for image in chosen])

    async def inspect(self, _request: Request, name: str) -> Answer:
        """One image."""
        return json_response(image_json.inspected(self._images.find(name)))

    async def history(self, _request: Request, name: str) -> Answer:
        """One layer, which says what the image is."""
        image = image_json.listed(self._images.find(name))
        layer = {
            "Id": image["Id"],
            "Created": image["Created"],
            "CreatedBy": "simulated",
            "Tags": image["RepoTags"],
            "Size": image["Size"],
            "Comment": "",
        }
        return json_response([layer])

    async def pull(self, request: Request) -> Answer:
        """A pull of what is there succeeds; of anything else it fails at once, with a list of what is."""
        name, tag = request.text("fromImage"), request.text("tag")
        if request.text("fromSrc") or not name:
            raise errors.NotImplemented(FIXED.format("imported"))
        joint = "@" if tag.startswith("sha256:") else ":"
        reference = f"{name}{joint}{tag}" if tag else name
        try:
            image = self._images.find(reference)
        except NotFound:
            raise NotFound(self._images.missing(_familiar(reference))) from None
        return Stream(_progress(image, reference, tag), {"Content-Type": JSON_TYPE})

    async def prune(self, _request: Request) -> Answer:
        """There is never anything to reclaim."""
        return json_response({"ImagesDeleted": None, "SpaceReclaimed": 0})

    async def refuse_change(self, _request: Request, *_names: str) -> Answer:
        """Nothing of the catalogue can be changed."""
        raise errors.NotImplemented(FIXED.format("added, changed or removed"))

    async def refuse_search(self, request: Request) -> Answer:
        """There is no registry; the sentence lists what there is."""
        raise InvalidParameter(self._images.missing(request.text("term")))


def _familiar(reference: str) -> str:
    return reference.removeprefix("docker.io/").removeprefix("library/")


async def _progress(image: ImageRecord, reference: str, tag: str) -> AsyncGenerator[bytes, None]:
    """What a registry's answer would be for an image that is up to date."""
    repository = reference.removeprefix("docker.io/")
    yield json_bytes({"status": f"Pulling from {repository.partition(':')[0]}", "id": tag or "latest"})
    yield json_bytes({"status": f"Digest: {image.id}"})
    yield json_bytes({"status": f"Status: Image is up to date for {_familiar(reference)}"})
