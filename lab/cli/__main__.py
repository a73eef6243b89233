"""`python -m lab.cli`: the shoal command without its installed script."""

from __future__ import annotations

from lab.cli.main import main

main()
