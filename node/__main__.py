"""`python -m node --config FILE`: one node by hand, or in a container, until a signal ends it.

Every setting may also come from the environment (SHOAL_NODE_NAME, ...) or from a flag, later ones first.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from node.config import ConfigError, NodeConfig, load
from node.edge.process import run

USAGE = 2
"""The exit code for a wrong setting."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a node; the exit code."""
    given = vars(_parser().parse_args(arguments))
    file = given.pop("config")
    try:
        config = load(file, os.environ, given)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return USAGE

    def ready() -> None:
        print(f"{config.name} answers at unix://{config.socket_path}", flush=True)  # noqa: T201

    return run(config, ready=ready)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m node", description="One simulated Docker host.")
    parser.add_argument("--config", type=Path, help="a JSON file with settings")
    for setting in NodeConfig.__struct_fields__:
        if setting == "store":
            parser.add_argument("--store", action="append", metavar="HOST:PORT", help="etcd; may be repeated")
        elif setting == "default_address_pools":
            parser.add_argument(
                "--default-address-pool",
                dest=setting,
                action="append",
                metavar="base=CIDR,size=BITS",
                type=_pool,
                help="where the node's own networks get their subnets from; may be repeated",
            )
        elif setting == "default_addr_pool":
            parser.add_argument("--default-addr-pool", action="append", metavar="CIDR", help="of overlays")
        elif setting != "static_peers":  # too much for a flag: it belongs into the file
            parser.add_argument(f"--{setting.replace('_', '-')}", metavar="VALUE")
    return parser


def _pool(text: str) -> dict[str, str]:
    """As dockerd takes it."""
    return dict(part.partition("=")[::2] for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
