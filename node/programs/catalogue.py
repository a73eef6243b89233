"""The images there are: each is a name for programs that behave like the image's own.

A simulated container does not run an image's code. What an image decides is whose tools' output the
programs show, and what runs when no command is given.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Family = Literal["busybox", "gnu"]

CREATED = "2025-05-30T12:00:00Z"
NGINX_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Image:
    """One image. ``description`` says what its default command does here."""

    name: str
    family: Family
    command: tuple[str, ...]
    description: str
    entrypoint: tuple[str, ...] = ()
    environment: tuple[str, ...] = (NGINX_PATH,)
    exposed_ports: tuple[str, ...] = ()
    working_directory: str = ""
    stop_signal: str = ""
    size: int = 8_000_000
    os_release: str = ""

    @property
    def id(self) -> str:
        """The same in every run."""
        return "sha256:" + hashlib.sha256(f"shoal image {self.name}".encode()).hexdigest()


_ALPINE = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.0\nPRETTY_NAME="Alpine Linux v3.22"\n'
_DEBIAN = (
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n'
)
_UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.2 LTS"\nNAME="Ubuntu"\nID=ubuntu\nVERSION_ID="24.04"\n'
_SHELL = "a shell and small tools"

IMAGES: tuple[Image, ...] = (
    Image("alpine", "busybox", ("/bin/sh",), _SHELL, size=8_310_000, os_release=_ALPINE),
    Image("busybox", "busybox", ("sh",), _SHELL, size=4_420_000),
    Image("debian", "gnu", ("bash",), _SHELL, size=117_000_000, os_release=_DEBIAN),
    Image("ubuntu", "gnu", ("/bin/bash",), _SHELL, size=78_100_000, os_release=_UBUNTU),
    Image(
        "nginx",
        "gnu",
        ("nginx", "-g", "daemon off;"),
        "a web server on port 80, whose only page tells who asked whom for what",
        entrypoint=("/docker-entrypoint.sh",),
        exposed_ports=("80/tcp",),
        stop_signal="SIGQUIT",
        size=192_000_000,
        os_release=_DEBIAN,
    ),
    Image(
        "traefik/whoami",
        "gnu",
        (),
        "a web server on port 80 that tells who it is",
        entrypoint=("/whoami",),
        exposed_ports=("80/tcp",),
        size=6_600_000,
    ),
    Image("hello-world", "gnu", ("/hello",), "a greeting", size=10_072),
    Image(
        "networkstatic/iperf3",
        "gnu",
        (),
        "iperf3, which measures what a network carries: -s serves, -c HOST asks",
        entrypoint=("iperf3",),
        exposed_ports=("5201/tcp",),
        size=85_000_000,
        os_release=_DEBIAN,
    ),
    Image("nicolaka/netshoot", "gnu", ("bash",), _SHELL, size=480_000_000, os_release=_ALPINE),
)


def find(reference: str) -> Image | None:
    """The image that a user means by "nginx", "nginx:1.27", "docker.io/library/nginx@sha256:..." or an id."""
    name = reference.removeprefix("docker.io/").removeprefix("library/")
    for image in IMAGES:
        if len(reference) >= 12 and image.id.removeprefix("sha256:").startswith(
            reference.removeprefix("sha256:")
        ):
            return image
    name = name.partition("@")[0]
    head, _, last = name.rpartition("/")
    last = last.partition(":")[0]
    name = f"{head}/{last}" if head else last
    return next((image for image in IMAGES if image.name == name), None)


def names() -> list[str]:
    """All of them."""
    return [image.name for image in IMAGES]


def missing(reference: str) -> str:
    """The one sentence for a user who wants another."""
    return (
        f"No such image: {reference}. A simulated container does not run an image's code, so only these "
        f"are there: {', '.join(names())}"
    )
