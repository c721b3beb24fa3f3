"""The last step before ATC, and the way back.

Inside the pipeline the vendor operators live in the domain :data:`convertkit_ascend.ops.DOMAIN`; the vendor's parser
looks for them in the default one. :func:`for_atc` moves them there, :func:`from_atc` brings such a file back to where
its twin, its device numerics and its shape inference are; :func:`adopt` does so for a user's file, and knows its form.
"""

from __future__ import annotations

from convertkit_ascend.handover.adopt import adopt
from convertkit_ascend.handover.for_atc import for_atc
from convertkit_ascend.handover.from_atc import from_atc

__all__ = ["adopt", "for_atc", "from_atc"]
