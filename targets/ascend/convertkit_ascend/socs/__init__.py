"""The Ascend chips: one row of data each, found by name.

>>> from convertkit_ascend import socs
>>> socs.get("ascend310p3").soc_version
'Ascend310P3'
"""

from __future__ import annotations

from convertkit_ascend.socs.soc import Soc, Vectors
from convertkit_ascend.socs.table import TABLED, get, names, of_chip, tabled

__all__ = ["TABLED", "Soc", "Vectors", "get", "names", "of_chip", "tabled"]
