"""Passes made of what other libraries have: functions of a model, as Polygraphy's, and rewrite rules of onnxscript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.passes.adapters import keeping as keeping
    from convertkit.passes.adapters import pass_of_function as pass_of_function
    from convertkit.passes.adapters import pass_of_rules as pass_of_rules
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
