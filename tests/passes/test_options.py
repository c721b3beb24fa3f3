from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convertkit.api.passes import GraphPass
from convertkit.errors import UsageError
from convertkit.passes.options import build, parse_step, split_steps, step_text


class Sample(GraphPass):
    """Has one option of every kind."""

    name = "sample"
    effect = "exact"
    count: int = 3
    ratio: float = 0.5
    on: bool = False
    word: str = "plain"
    mode: Literal["fast", "slow"] = "fast"
    skip: tuple[str, ...] = ()
    names: dict[str, str] = {}  # noqa: RUF012 - frozen by the base class' dataclass, never mutated
    limit: int | None = None


def read(text: str) -> Sample:
    name, options = parse_step(text)
    assert name == "sample"
    return build(Sample, options)


def test_defaults_are_left_out_of_the_text() -> None:
    assert step_text(Sample()) == "sample"


def test_every_kind_of_option_is_read() -> None:
    step = read(
        'sample{count=5, ratio=1e-5, on=true, word="a, b", mode=slow, skip=[x, y], names={a: b}, limit=7}'
    )

    assert (step.count, step.ratio, step.on, step.word, step.mode) == (5, 1e-5, True, "a, b", "slow")
    assert (step.skip, step.names, step.limit) == (("x", "y"), {"a": "b"}, 7)


def test_dashes_and_underscores_are_the_same_in_option_names() -> None:
    assert read("sample{count=4}") == build(Sample, {"count": 4})


words = st.text(max_size=12)


@pytest.mark.slow
@given(
    st.builds(
        Sample,
        count=st.integers(-(2**53), 2**53),
        ratio=st.floats(allow_nan=False),
        on=st.booleans(),
        word=words,
        mode=st.sampled_from(["fast", "slow"]),
        skip=st.lists(words, max_size=3).map(tuple),
        names=st.dictionaries(words, words, max_size=3),
        limit=st.none() | st.integers(0, 9),
    )
)
def test_text_and_instance_round_trip(step: Sample) -> None:
    text = step_text(step)

    assert read(text) == step
    assert split_steps(f"first,{text},last") == ["first", text, "last"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sample{cuont=1}", "pass sample has no option 'cuont' (did you mean 'count'?"),
        ("sample{count=many}", "pass sample: option 'count': Expected `int`, got `str`; got 'many'"),
        ("sample{mode=quick}", "pass sample: option 'mode': Invalid enum value 'quick'"),
        ("sample{count}", "pass sample: option 'count' has no value"),
        ("sample{count=1", "cannot be read"),
        ("sample{word=[a}", "do not close"),
        ("", "cannot be read"),
    ],
)
def test_mistakes_name_the_pass_and_the_option(text: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)

    assert line in str(caught.value)


def test_values_never_run_code() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read("sample{word=!!python/object/apply:os.system [echo]}")


def test_options_cannot_be_changed_afterwards() -> None:
    step: Any = Sample()

    with pytest.raises(AttributeError):
        step.count = 1
