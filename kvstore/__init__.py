"""The swarm's shared state: text keys, byte values, revisions, leases, watches."""
