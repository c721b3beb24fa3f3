"""How the search says that a candidate is none."""

from __future__ import annotations


class RefusedError(Exception):
    """A candidate is not what the vendor operator computes.

    Attributes:
        why: one line for the finding.
        tensor: the name of the tensor to blame; empty where there is none.
    """

    def __init__(self, why: str, tensor: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.tensor = tensor
