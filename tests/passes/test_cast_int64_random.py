"""``cast-int64-to-int32`` on random graphs: the same numbers, a sound graph, and nothing left to do."""

from __future__ import annotations

import pytest
from convertkit_passes.cast_int64 import CastInt64ToInt32
from hypothesis import HealthCheck, given, settings

from convertkit.graph.validate import validate
from convertkit.passes.testing.drawn import Case, cases
from tests.graphtext import apply, show
from tests.passes.outputs import assert_same, outputs

pytestmark = pytest.mark.slow

MANY = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(cases())
def test_outputs_are_the_same(case: Case) -> None:
    before = outputs(case.model, case.feeds)

    result = apply(CastInt64ToInt32(ranges={"x": (-5, 5)}), case.model)  # what is cast of x is no NaN

    validate(result)
    after = outputs(result, case.feeds)
    assert_same(before, after)
    assert all(value.dtype.name != "int64" for value in after.values())
    assert_same(before, outputs(result, case.feeds, optimize=True))


@MANY
@given(cases())
def test_a_second_application_changes_nothing(case: Case) -> None:
    once = apply(CastInt64ToInt32(), case.model)

    twice = apply(CastInt64ToInt32(), once)

    assert show(twice) == show(once)
    assert twice.digest() == once.digest()


@MANY
@given(cases())
def test_kept_outputs_and_retyped_inputs(case: Case) -> None:
    before = outputs(case.model, case.feeds)

    kept = apply(CastInt64ToInt32(outputs=False), case.model)
    narrow = apply(CastInt64ToInt32(inputs=True), case.model)

    validate(kept)
    validate(narrow)
    after = outputs(kept, case.feeds)
    assert_same(before, after)
    assert [value.dtype for value in before.values()] == [value.dtype for value in after.values()]
    feeds = {
        name: value.astype("int32") if value.dtype == "int64" else value for name, value in case.feeds.items()
    }
    assert_same(before, outputs(narrow, feeds))
