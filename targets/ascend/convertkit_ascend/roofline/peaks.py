"""The peaks of an Ascend chip, from the table of SoCs (ascend-facts: chip-figures)."""

from __future__ import annotations

from collections.abc import Mapping

from convertkit.api import targets
from convertkit_ascend import socs
from convertkit_ascend.roofline.fusions import FUSIONS

PLATFORM = "the compiler's platform file"

QUOTED_MEMORY: Mapping[str, float] = {"Ascend310P3": 204.8e9}
"""Bytes per second usually quoted for the card; no official page was found (ascend-facts: chip-memory)."""

FLOAT_BYTES = 2
"""ATC's default precision is ``force_fp16`` (ascend-facts: atc-precision)."""


def machine(name: str) -> targets.Machine:
    """The chip ``ascend310p3`` as a machine.

    Raises:
        UnknownNameError: there is no such chip.
    """
    soc = socs.get(name)
    cores, lanes = f"{soc.ai_cores} cores", f"{soc.vector_lanes} fp16 lanes x {soc.mhz} MHz"
    quoted = QUOTED_MEMORY.get(soc.soc_version)
    cube = f"{PLATFORM}: {cores} x {soc.macs_per_cycle['fp16']} fp16 products x 2 x {soc.mhz} MHz"
    memory = f"{PLATFORM}: {cores} x {soc.ddr_bytes_per_cycle} bytes x {soc.mhz} MHz"
    other = (
        (targets.Figure("DDR", quoted, "usually quoted for the card, unverified"),)
        if quoted is not None
        else ()
    )
    return targets.Machine(
        name=soc.soc_version,
        matrix=targets.Figure("cube", soc.peak(), cube),
        vector=targets.Figure("vector", soc.vector_rate, f"{PLATFORM}: {lanes} per core"),
        memory=targets.Figure("DDR", soc.memory_rate, memory),
        float_bytes=FLOAT_BYTES,
        other_memory=other,
        fusions=FUSIONS,
    )
