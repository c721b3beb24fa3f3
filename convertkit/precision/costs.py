"""What keeping nodes in fp32 costs on a chip, by its roofline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from convertkit.errors import GraphError
from convertkit.estimation.roofline import estimate

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel
    from convertkit.targets.machine import Machine
    from convertkit.targets.pixels import Pixels


def costs(
    model: LightModel, machine: Machine | None, pixels: Pixels | None
) -> Mapping[str, float | None] | None:
    """Milliseconds by node: its tensors have twice the bytes. Casts around it, and slower arithmetic, are not in it.

    None of a node that the estimate does not count; of all where nothing is known of the chip, or sizes of the graph's
    inputs are open. A node that costs nothing is not in it.
    """
    if machine is None:
        return None
    try:
        low = estimate(model, machine, pixels)
        high = estimate(model, replace(machine, float_bytes=2 * machine.float_bytes), pixels)
    except GraphError:
        return None
    before = {row.name: row.seconds for row in low.rows}
    found = {row.name: 1e3 * (row.seconds - before.get(row.name, 0.0)) for row in high.rows}
    return {**found, **dict.fromkeys((one.name for one in high.uncounted), None)}
