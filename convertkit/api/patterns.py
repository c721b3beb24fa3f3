"""Patterns by experiment: a fused operator declared by what it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.passes.patterns import Pattern as Pattern
    from convertkit.passes.patterns import PatternPass as PatternPass
    from convertkit.passes.patterns import gaps as gaps
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
