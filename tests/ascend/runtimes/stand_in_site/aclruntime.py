"""The stand-in for ``aclruntime``, where a child finds it."""

from tests.ascend.runtimes.stand_in_aclruntime import (
    BaseTensor,
    MemorySummary,
    Tensor,
    dtype,
)
from tests.ascend.runtimes.stand_in_aclruntime import Options as session_options
from tests.ascend.runtimes.stand_in_aclruntime import Session as InferenceSession

__all__ = ["BaseTensor", "InferenceSession", "MemorySummary", "Tensor", "dtype", "session_options"]
