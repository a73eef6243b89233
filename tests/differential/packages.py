"""A real Docker engine out of Debian's packages, in a folder of its own: nothing is installed here.

apt, with all its state in the cache folder, downloads the engine and every library it needs from a newer
release of Debian than this machine may run; unpacked, they are a tree to change root into. The engine that
is imitated is 28.2.2, so the newest release whose engine is no newer than 28 is taken, and the tree is kept
for the next time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MAJOR = 28
SUITES = ("sid", "forky", "trixie")
"""Debian's releases, the newest first."""
PACKAGES = ("docker.io", "iptables", "busybox-static")
INSTALLED_NEEDS = ("dockerd", "containerd", "runc", "iptables", "busybox")
APT_S_MAX = 120

MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that a modern Debian has below /usr only, made by a package that is not needed otherwise."""
FOLDERS = ("proc", "sys", "dev", "run", "tmp", "root", "shared", "var/lib/docker")
FIREWALL = (
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
)
"""Commands that Debian links to one program when the package is configured."""

Say = Callable[[str], None]


class NoEngine(Exception):
    """No real engine can be had; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A root folder with dockerd in it, and its version."""

    root: Path
    version: str
    busybox: Path


def is_imitated(version: str) -> bool:
    """Whether an engine is one that ours is meant to be like."""
    return version.partition(".")[0] == str(MAJOR)


def find(say: Say) -> Tree:
    """The engine that judges: from the cache, else from Debian, else the installed one. Raises NoEngine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shoal" / "engines"
    kept = sorted((path for path in cache.glob("*/*") if (path / "ready").exists()), key=_order)
    if kept and is_imitated(kept[-1].name):
        return _tree(kept[-1])
    troubles = []
    for suite in SUITES:
        try:
            return _fetch(cache, suite, say)
        except (OSError, subprocess.SubprocessError, NoEngine) as trouble:
            troubles.append(f"{suite}: {trouble}")
            say(f"no engine from Debian {suite}: {trouble}")
    if all(shutil.which(command) for command in INSTALLED_NEEDS):
        return _installed()
    raise NoEngine(
        "no real Docker engine can be had from Debian's packages ("
        + "; ".join(troubles)
        + "): install the packages docker.io and busybox-static"
    )


def _order(path: Path) -> list[int]:
    """Trees by their version, older first."""
    return [int(number) for number in re.findall(r"\d+", path.name)]


def _tree(root: Path) -> Tree:
    return Tree(root, root.name, root / "usr/bin/busybox")


def _installed() -> Tree:
    said = subprocess.run(["dockerd", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version ([^,]+)", said)
    assert version is not None, said
    return Tree(Path("/"), version[1], Path(str(shutil.which("busybox"))))


def _fetch(cache: Path, suite: str, say: Say) -> Tree:
    """One release's engine, downloaded and unpacked."""
    apt = _Apt(cache / "apt" / suite, suite)
    say(f"asking Debian {suite} for its Docker engine")
    apt.run("apt-get", "update", "--error-on=any")
    policy = apt.run("apt-cache", "policy", PACKAGES[0])
    found = re.search(r"Candidate: (?:\d+:)?((\d+)\.\S+)", policy)
    if found is None:
        raise NoEngine(f"it has no {PACKAGES[0]}")
    if int(found[2]) > MAJOR:
        raise NoEngine(f"its engine {found[1]} is newer than {MAJOR}, which is imitated")
    root = cache / suite / found[1]
    if (root / "ready").exists():
        return _tree(root)
    say(f"downloading engine {found[1]} and its libraries")
    apt.run("apt-get", "install", "--yes", "--no-install-recommends", "--download-only", *PACKAGES)
    say("unpacking them")
    making = cache / suite / "making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for package in sorted((apt.folder / "cache/archives").glob("*.deb")):
        _unpack(package, making)
    _complete(making)
    shutil.rmtree(root, ignore_errors=True)
    making.rename(root)
    shutil.rmtree(apt.folder)
    return _tree(root)


class _Apt:
    """apt, its state in ``folder``: to it nothing is installed, and so it fetches every library."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder = folder
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        sources = folder / "sources.list"
        mirror, keyring = _mirror()
        sources.write_text(f"deb [signed-by={keyring}] {mirror} {suite} main\n")
        settings = {
            "Dir::Etc::SourceList": sources,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State": folder,
            "Dir::State::Lists": folder / "lists",
            "Dir::State::Status": "/dev/null",
            "Dir::Cache": folder / "cache",
            "Dir::Cache::pkgcache": "",
            "APT::Update::Post-Invoke": "",
            "APT::Sandbox::User": "root",
        }
        self._options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def run(self, command: str, *arguments: str) -> str:
        """Its output. Raises NoEngine with its last word if it fails."""
        done = subprocess.run(
            [command, *self._options, *arguments],
            capture_output=True,
            text=True,
            timeout=APT_S_MAX,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
        if done.returncode != 0:
            raise NoEngine((done.stderr or done.stdout).strip().rpartition("\n")[2])
        return done.stdout


def _mirror() -> tuple[str, Path]:
    """Where this machine gets Debian from, and Debian's keys. Raises NoEngine."""
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    if shutil.which("apt-get") is None or not keyring.exists():
        raise NoEngine("this machine has no apt with Debian's keys (package debian-archive-keyring)")
    said = subprocess.run(
        ["apt-get", "indextargets", "Created-By: Packages", "--format", "$(LABEL) $(REPO_URI)"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for line in said.splitlines():
        label, _, mirror = line.partition(" ")
        if label == "Debian":
            return mirror, keyring
    raise NoEngine("this machine's apt knows no mirror of Debian")


def _unpack(package: Path, root: Path) -> None:
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE)
    subprocess.run(
        ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--exclude=./usr/share/*"],
        stdin=archive.stdout,
        check=True,
    )
    if archive.wait() != 0:
        raise NoEngine(f"{package.name} cannot be unpacked")


def _complete(root: Path) -> None:
    """What configuring the packages would have made."""
    for name in MERGED:
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root / "var/run", ignore_errors=True)
    (root / "var/run").symlink_to("/run")
    for name in FIREWALL:
        (root / "usr/sbin" / name).unlink(missing_ok=True)
        (root / "usr/sbin" / name).symlink_to("xtables-nft-multi")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\ndocker:x:999:\n")
    (root / "usr/lib/os-release").write_text('PRETTY_NAME="Debian"\nID=debian\n')
    (root / "ready").touch()
