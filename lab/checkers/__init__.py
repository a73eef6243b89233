"""Invariants: what must hold of a swarm at every moment, as pure functions of what is seen."""
