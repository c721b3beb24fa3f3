"""Device numerics: the target graph on the host, with the rounding and the limits of the 310P.

What is modelled, each effect with a switch of its own (:class:`Effects`):

* ``weights``: constants are stored in fp16;
* ``activations``: every operator's result is stored in fp16. Inside an operator the arithmetic is fp32: that is what
  the cube unit does (ascend-facts: chip-arithmetic), for vector operators it is the best case;
* ``roi-extractor`` and ``nms``: the *device* semantics of the vendor operators (:mod:`convertkit_ascend.ops`).

That is ATC's default ``force_fp16`` (ascend-facts: atc-precision) at the granularity of the graph's operators; what ATC
fuses is rounded less often on the chip. Nodes can be kept in fp32, as ``keep_dtype`` does. Nothing here was
compared with hardware.
"""

from __future__ import annotations

from convertkit_ascend.numerics.effects import Effects
from convertkit_ascend.numerics.runtime import DeviceNumerics, emulate

__all__ = ["DeviceNumerics", "Effects", "emulate"]
