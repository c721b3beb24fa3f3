"""What the kernels of a chip take: the lists of a CANN installation where there is one, else the package's table."""

from __future__ import annotations

from convertkit_ascend.linter.kernels.installation import Kernels, installed
from convertkit_ascend.linter.kernels.operators import Operators, operators

__all__ = ["Kernels", "Operators", "installed", "operators"]
