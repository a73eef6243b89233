"""Deliberate defects by name. They prove that the checkers see: exploring seeds must find every one of them.

No product code knows of this; what a defect changes is swapped from outside (planting.py).
"""

from __future__ import annotations

import tests.defects.control
import tests.defects.traffic  # noqa: F401 - both fill the table
from tests.defects.planting import DEFECTS, Defect

__all__ = ["DEFECTS", "Defect"]
