"""Generates node/rpc from the files beside it: `make proto` writes it, `make check` compares.

    proto/node/rpc/v1/probe.proto --> node/rpc/v1/probe_pb2.py        messages
                                      node/rpc/v1/probe_pb2.pyi       their types
                                      node/rpc/v1/probe_pb2_grpc.py   services

A folder here is a protobuf package and a Python package, so that the generated files import each other
without further ado. They are committed: whoever only runs Shoal needs no compiler.
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
GENERATED = Path("node/rpc")


class Refused(Exception):
    """The compiler did not accept the .proto files; it has said why on stderr."""


def generate(source: Path, target: Path) -> None:
    """Write what the .proto files under ``source`` stand for below ``target``, which is made."""
    protos = sorted((source / GENERATED).rglob("*.proto"))
    for folder in sorted({GENERATED} | {proto.parent.relative_to(source) for proto in protos}):
        (target / folder).mkdir(parents=True, exist_ok=True)
        (target / folder / "__init__.py").write_text(f'"""Generated from proto/{folder}/: do not edit."""\n')
    if not protos:
        return
    well_known = files("grpc_tools") / "_proto"
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    arguments = ["protoc", f"-I{source}", f"-I{well_known}", *outputs, *map(str, protos)]
    if protoc.main(arguments) != 0:
        raise Refused


def differences(source: Path, committed: Path) -> list[str]:
    """Paths below ``committed`` that are missing, left over or not what ``source`` generates; sorted."""
    with tempfile.TemporaryDirectory() as fresh:
        generate(source, Path(fresh))
        wanted, present = _files(Path(fresh)), _files(committed)
        changed = {
            path
            for path in wanted & present
            if not filecmp.cmp(Path(fresh) / path, committed / path, shallow=False)
        }
        return sorted(str(path) for path in changed | (wanted ^ present))


def _files(root: Path) -> set[Path]:
    return {
        path.relative_to(root)
        for path in (root / GENERATED).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def main() -> int:
    """Generate, or with --check only compare; the exit code."""
    parser = argparse.ArgumentParser(description="Generate node/rpc from proto/.")
    parser.add_argument("--check", action="store_true", help="change nothing, fail if something would change")
    try:
        if parser.parse_args().check:
            stale = differences(ROOT / "proto", ROOT)
            for path in stale:
                print(f"{path} is not what proto/ says: run `make proto` and commit it", file=sys.stderr)
            return 1 if stale else 0
        for outdated in sorted((ROOT / GENERATED).rglob("*_pb2*.py*")):
            outdated.unlink()
        generate(ROOT / "proto", ROOT)
    except Refused:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
