"""The Docker engine that every node says it is: release and API versions."""

from __future__ import annotations

ENGINE_VERSION = "28.2.2"
"""Whose behaviour is simulated."""
API_VERSION = (1, 50)
API_VERSION_MIN = (1, 24)
