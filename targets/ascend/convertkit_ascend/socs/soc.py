"""What is known of one chip: what the compiler is told, and the figures of a roofline.

The figures are those of the compiler's own platform file (ascend-facts: chip-figures), not of a data sheet. Its memory
bandwidth is lower than what is usually quoted: 144 GB/s against 204.8 GB/s for the 310P3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Vectors = Literal["inside", "separate"]


@dataclass(frozen=True)
class Soc:
    """One chip, immutable.

    Attributes:
        soc_version: how ``atc --soc_version`` wants it: ``Ascend310P3``.
        family: name of the kernel library and of ``aic-<family>-ops-info.json``, as in ``Ascend310P``.
        architecture: the compiler's name of the core, ``AIC-M-200``.
        ai_cores: cores with a matrix unit.
        vector_cores: further cores without one; 0 where there are none.
        ai_cpus: processors that run what no core can.
        mhz: clock of the matrix unit, 10^6 per second.
        macs_per_cycle: multiplications and additions per cycle and core, by element type.
        vector_lanes: fp16 elements per cycle and core of the vector unit.
        l0_bytes: per core, by buffer: ``a`` and ``b`` operands, ``c`` results of the matrix unit.
        l1_bytes, unified_buffer_bytes: per core.
        l2_bytes: of the chip.
        memory_bytes: of the device; None where the platform file does not say.
        ddr_bytes_per_cycle, l2_bytes_per_cycle: per core, as the compiler models them.
        bf16, int4, fp32_matrix: whether there are instructions for it.
        notes: what to know before trusting a figure.
    """

    soc_version: str
    family: str
    architecture: str
    ai_cores: int
    vector_cores: int
    ai_cpus: int
    mhz: int
    macs_per_cycle: Mapping[str, int]
    vector_lanes: int
    l0_bytes: Mapping[str, int]
    l1_bytes: int
    unified_buffer_bytes: int
    l2_bytes: int
    memory_bytes: int | None
    ddr_bytes_per_cycle: int
    l2_bytes_per_cycle: int
    bf16: bool
    int4: bool
    fp32_matrix: bool
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name on convertkit's command line: ``ascend310p3``."""
        return self.soc_version.lower()

    @property
    def kernels(self) -> str:
        """The directory of its kernel lists in an installation: ``ascend310p``."""
        return self.family.lower()

    @property
    def vectors(self) -> Vectors:
        """Where the vector unit is: ``inside`` a core with the matrix unit, or on ``separate`` cores (910B)."""
        return "separate" if self.family == "Ascend910B" else "inside"

    def peak(self, dtype: str = "fp16") -> float:
        """Operations per second of all matrix units, a multiplication and an addition counted as two.

        Raises:
            KeyError: the matrix unit does not take ``dtype`` (``fp16``, ``int8``, ``int4``).
        """
        return self.ai_cores * self.macs_per_cycle[dtype] * 2 * self.mhz * 1e6

    @property
    def vector_rate(self) -> float:
        """Element-wise fp16 operations per second of the vector units that sit beside the matrix units."""
        cores = self.vector_cores if self.vectors == "separate" else self.ai_cores
        return cores * self.vector_lanes * self.mhz * 1e6

    @property
    def memory_rate(self) -> float:
        """Bytes per second to and from the device memory, as the compiler models it."""
        return self.ai_cores * self.ddr_bytes_per_cycle * self.mhz * 1e6

    @property
    def ridge(self) -> float:
        """fp16 operations per byte from which the matrix units, not the memory, are the bound."""
        return self.peak() / self.memory_rate
