"""Scenarios: a topology, a timeline of actions and faults, and what is expected of it, as data."""
