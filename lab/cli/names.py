"""Names that a shell can complete: of clusters, and of the nodes of one."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from lab.launch.cluster import Cluster, ClusterError, NodeEntry, load, names

DEFAULT_CLUSTER = "default"


class _ClusterName(click.ParamType[str]):
    name = "text"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Clusters that have a record."""
        return [CompletionItem(name) for name in names() if name.startswith(incomplete)]


class _NodeName(click.ParamType[str]):
    name = "text"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Nodes of the cluster that is meant; the last one of several with commas between."""
        before, comma, begun = incomplete.rpartition(",")
        return [
            CompletionItem(f"{before}{comma}{entry.config.name}")
            for entry in _nodes(ctx)
            if entry.config.name.startswith(begun)
        ]


def _nodes(ctx: click.Context) -> list[NodeEntry]:
    try:
        cluster: Cluster | None = load(ctx.params.get("name") or DEFAULT_CLUSTER)
    except ClusterError:
        return []
    return cluster.nodes if cluster is not None else []


CLUSTER = _ClusterName()
NODE = _NodeName()
