"""What this machine has for Ascend: chips, driver, CANN, the Python of its compiler; what is missing, how to get it."""

from __future__ import annotations

import shutil

from convertkit.api import targets
from convertkit_ascend.doctor.cann import Installation, find_installation
from convertkit_ascend.doctor.cann import examine as _cann
from convertkit_ascend.doctor.modules import examine as _modules
from convertkit_ascend.doctor.npu_smi import Chip, parse_npu_smi
from convertkit_ascend.doctor.npu_smi import examine as _chips
from convertkit_ascend.doctor.traps import examine as _traps
from convertkit_ascend.doctor.traps import runtimes
from convertkit_ascend.doctor.variables import examine as _variables

__all__ = ["Chip", "Installation", "examine", "find_installation", "parse_npu_smi"]


def examine() -> list[targets.Diagnosis]:
    """Everything, in the order of a build; what only matters beside CANN is left out where there is none."""
    installation = find_installation()
    found = [*_chips(), *_cann(installation), *_variables()]
    if installation is not None:
        found += _modules()
    if shutil.which("npu-smi") is not None:
        found += runtimes()
    return found + _traps()
