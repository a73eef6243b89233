"""The images for the real engine: one small file tree under the names that the simulated catalogue has.

No registry is asked. The tree is busybox, its applets by name, and pages for its web server.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from node.programs.catalogue import IMAGES, Image

FOLDERS = ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr", "usr/bin", "www")
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "www/index.html": "hello\n",
    "usr/bin/nginx": "#!/bin/sh\ntrap 'exit 0' QUIT TERM\nhttpd -f -p 80 -h /www &\nwait\n",
    "docker-entrypoint.sh": '#!/bin/sh\nexec "$@"\n',
    "hello": "#!/bin/sh\necho 'Hello from Docker!'\n",
    "whoami": "#!/bin/sh\nexec httpd -f -p 80 -h /www\n",
}
"""Small programs in place of the images' own. What they print is not compared."""
LINKS = {"usr/bin/env": "/bin/busybox", "bin/bash": "busybox"}


def archive(busybox: Path) -> bytes:
    """The file tree as a tar, for `docker import`."""
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    with io.BytesIO() as written:
        with tarfile.open(fileobj=written, mode="w") as tar:
            for name in FOLDERS:
                _add(tar, name, tarfile.DIRTYPE)
            _add(tar, "bin/busybox", tarfile.REGTYPE, busybox.read_bytes())
            for name in applets:
                if name != "busybox":
                    _add(tar, f"bin/{name}", tarfile.SYMTYPE, target="busybox")
            for name, target in LINKS.items():
                _add(tar, name, tarfile.SYMTYPE, target=target)
            for name, text in FILES.items():
                _add(tar, name, tarfile.REGTYPE, text.encode())
        return written.getvalue()


def _add(tar: tarfile.TarFile, name: str, kind: bytes, content: bytes = b"", target: str = "") -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, 0o755, len(content), target
    tar.addfile(entry, io.BytesIO(content))


def changes(image: Image) -> list[str]:
    """What `docker import --change` has to be told, so that the image's settings are the catalogue's."""
    lines = [f"CMD {_words(image.command)}"] if image.command else []
    lines += [f"ENTRYPOINT {_words(image.entrypoint)}"] if image.entrypoint else []
    lines += [f"ENV {variable}" for variable in image.environment]
    lines += [f"EXPOSE {port}" for port in image.exposed_ports]
    lines += [f"WORKDIR {image.working_directory}"] if image.working_directory else []
    lines += [f"STOPSIGNAL {image.stop_signal}"] if image.stop_signal else []
    return lines


def _words(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def load(docker: list[str], busybox: Path) -> None:
    """Give all images to the engine that the command ``docker`` speaks to. Raises CalledProcessError."""
    content = archive(busybox)
    for image in IMAGES:
        try:
            _import(docker, image.name, content, changes(image))
        except subprocess.CalledProcessError:  # engines before 23 take no signal here
            _import(
                docker, image.name, content, [c for c in changes(image) if not c.startswith("STOPSIGNAL")]
            )


def _import(docker: list[str], name: str, content: bytes, wanted: list[str]) -> None:
    options = [word for change in wanted for word in ("--change", change)]
    subprocess.run([*docker, "import", *options, "-", name], input=content, capture_output=True, check=True)
