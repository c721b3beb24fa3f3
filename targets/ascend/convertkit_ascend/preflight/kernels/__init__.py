"""What the kernels of a chip take: the lists of a CANN installation where there is one, else the package's table."""

from __future__ import annotations

from convertkit_ascend.preflight.kernels.installation import Kernels, installed
from convertkit_ascend.preflight.kernels.operators import Operators, operators
from convertkit_ascend.preflight.kernels.socs import FAMILIES, family_of

__all__ = ["FAMILIES", "Kernels", "Operators", "family_of", "installed", "operators"]
