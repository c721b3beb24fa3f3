"""What a build leaves for ATC, and what is done with it where ATC is.

:data:`GRAPH` (the file ATC reads), the files its options want, ``atc.json`` (options and exact command),
``compile.sh``, ``preflight.json`` and ``origins.json`` say all there is to say: :func:`finish` needs nothing else.
"""

from __future__ import annotations

from convertkit_ascend.bundle.ask import ask, settle, user_options
from convertkit_ascend.bundle.contents import GRAPH, write
from convertkit_ascend.bundle.finish import finish
from convertkit_ascend.bundle.preflight import PreflightError
from convertkit_ascend.bundle.remarks import remarks
from convertkit_ascend.bundle.where import identity

__all__ = [
    "GRAPH",
    "PreflightError",
    "ask",
    "finish",
    "identity",
    "remarks",
    "settle",
    "user_options",
    "write",
]
