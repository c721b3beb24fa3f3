"""Turn trained detection models into verified artifacts for accelerators.

The commands are functions here, with the same words: ``convertkit.build("maskrcnn", variant="mini")``. They are loaded
on first use. Plugins import the parts of :mod:`convertkit.api`, and nothing else of it.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convertkit.api.commands.build import build as build
    from convertkit.api.commands.detect import detect as detect
    from convertkit.api.commands.diff import diff as diff
    from convertkit.api.commands.estimate import estimate as estimate
    from convertkit.api.commands.lint import lint as lint
    from convertkit.api.commands.merge import merge as merge
    from convertkit.api.commands.optimize import optimize as optimize
    from convertkit.api.commands.plan import plan as plan
    from convertkit.api.commands.ranges import ranges as ranges
    from convertkit.api.commands.tensors import compare as compare
    from convertkit.api.commands.tensors import dump as dump
    from convertkit.api.commands.tune import tune as tune
    from convertkit.api.commands.verify import verify as verify
    from convertkit.errors import ConvertkitError as ConvertkitError

# onnxruntime 1.29 and later reports models (names, hashes of graph and weights) to its maker unless told not to,
# at import. Whoever wants that sets the variable to something else.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

del os

if not TYPE_CHECKING:  # which would believe any name

    def __getattr__(name: str) -> Any:
        from convertkit.api._door import door

        return door(__name__, __file__)[0](name)

    def __dir__() -> list[str]:
        from convertkit.api._door import door

        return [*globals(), *door(__name__, __file__)[1]()]
