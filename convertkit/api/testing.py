"""What plugins are tested with: graphs as text, golden files, equivalence, and a conformance kit for passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel as LightModel
    from convertkit.passes.testing.conformance import Report as Report
    from convertkit.passes.testing.conformance import assert_conforms as assert_conforms
    from convertkit.passes.testing.conformance import conformance as conformance
    from convertkit.passes.testing.corpus import Sample as Sample
    from convertkit.passes.testing.corpus import corpus as corpus
    from convertkit.passes.testing.drawn import Case as Case
    from convertkit.passes.testing.drawn import cases as cases
    from convertkit.passes.testing.equivalence import assert_equivalent as assert_equivalent
    from convertkit.passes.testing.golden import assert_golden as assert_golden
    from convertkit.passes.testing.text import apply as apply
    from convertkit.passes.testing.text import parse as parse
    from convertkit.passes.testing.text import rewritten as rewritten
    from convertkit.passes.testing.text import show as show
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
