"""All that a node keeps of addresses, ports, endpoints and sandboxes, for comparing before and after."""

from __future__ import annotations

from node.agent import Agent

Tables = dict[str, object]


def tables(agent: Agent) -> Tables:
    """What must be as it was when something has failed, or was undone."""
    views = {scope: ledger.view for scope, ledger in agent.ledgers.items()}
    bodies = agent.lives.bodies
    host = agent.host
    return {
        "networks": {scope: sorted(view.networks) for scope, view in views.items()},
        "addresses": {
            (scope, network): dict(view.addresses(network))
            for scope, view in views.items()
            for network in view.networks
        },
        "endpoints": sorted(e.id for view in views.values() for e in view.all_endpoints()),
        "held": sorted(agent.connections.held),
        "containers": sorted((c.id, c.state.status, sorted(c.networks)) for c in agent.registry.all()),
        "sandboxes": sorted(identity for identity, body in bodies.items() if body.standing is not None),
        "programs": sorted(identity for identity, body in bodies.items() if body.running),
        "waiting": sorted(identity for identity, body in bodies.items() if body.waiting),
        "listeners of events": agent.events.listeners,
        "segments": {name: len(s.bridge.ports) for name, s in agent.switchboard.segments.items()},
        "host's interfaces": sorted(row.name for row in host.inspect().interfaces),
        "host's ports": sorted(str(listener.local) for listener in host.stack.tcp.table.listeners()),
        "published": sorted(agent.machine.firewall.published),
    }
