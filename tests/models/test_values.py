"""A value of ``model.yaml`` that is none of those there are: its key, and the nearest that there is."""

from __future__ import annotations

import pytest

from convertkit.errors import SpecError
from convertkit.models.spec import ModelSpec
from convertkit.models.yamlspec import parse, to_record
from tests.conftest import MASKRCNN

TEXT = (MASKRCNN / "model.yaml").read_text()


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "role: dets",
            "role: detz",
            "model.yaml: outputs.dets.role: 'detz' is not known (did you mean 'dets'? ",
        ),
        (
            "role: image",
            "role: imgae",
            "model.yaml: inputs.input.role: 'imgae' is not known (did you mean 'image'? ",
        ),
        (
            "preprocess:",
            "preprocess: {rounding: flor}\nnope:",
            "model.yaml: unknown key 'nope'",
        ),
    ],
)
def test_a_value_that_is_not_there_is_named_with_its_key(key: str, value: str, line: str) -> None:
    assert key in TEXT

    with pytest.raises(SpecError) as caught:
        to_record(parse(TEXT.replace(key, value, 1)), ModelSpec, where="model.yaml")

    assert str(caught.value).startswith(line)
