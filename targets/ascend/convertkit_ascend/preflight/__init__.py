"""Preflight: what the compiler would refuse, and above all what it would silently change, before it runs.

:func:`lint` examines the file that ATC is to read, as it is on the disk. Its own rules are about the traps of the
vendor's ONNX parser; those of :mod:`convertkit_ascend.legality` are about operators, types and shapes. Where a CANN
installation is there, its kernel lists are the truth for the latter, else the table of this package.
"""

from __future__ import annotations

from convertkit_ascend.preflight.catalogue import catalogue
from convertkit_ascend.preflight.lint import Report, examine, lint
from convertkit_ascend.preflight.rule import Description

__all__ = ["Description", "Report", "catalogue", "examine", "lint"]
