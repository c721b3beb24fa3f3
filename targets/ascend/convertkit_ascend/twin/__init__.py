"""The twin: a graph with vendor operators rewritten into plain ONNX that bare onnxruntime runs.

:func:`lower` replaces every node of the domain :data:`convertkit_ascend.ops.DOMAIN` by operators of the default domain
that compute the same in fp32, in the *framework* or the *ideal* semantics of :mod:`convertkit_ascend.ops`.
"""

from __future__ import annotations

from convertkit_ascend.twin.lower import SEMANTICS, lower

__all__ = ["SEMANTICS", "lower"]
