"""Faults as data, and as wrappers around a node's seams."""
