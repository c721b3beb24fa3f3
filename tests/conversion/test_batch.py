"""A model for several pictures in one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec import structs

from convertkit import heads
from convertkit.conversion.engine import graph_after
from convertkit.conversion.keys import core_facts, samples_fact
from convertkit.conversion.request import Asked, make_request
from convertkit.conversion.samples import sample_inputs
from convertkit.conversion.stock import stock_facts
from convertkit.errors import GraphError, UsageError
from convertkit.graph.session import open_session
from convertkit.plugins.loading import open_plugins
from convertkit.storage.files import tree_digest


@pytest.fixture
def many(tiny: Path) -> Path:
    """The tiny package with a stock graph that takes any number of pictures."""
    model = onnx.load(tiny / "small.onnx")
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "B"
    onnx.save(model, tiny / "small.onnx")
    return tiny


def request(root: Path, batch: int | None, origin: str = "stock"):
    return make_request(Asked(root, origin=origin, batch=batch), open_plugins())


def run(root: Path, batch: int, images: np.ndarray) -> np.ndarray:
    asked = request(root, batch)
    session = open_session(graph_after(asked, len(asked.pipeline.steps)), optimize=False)
    return next(iter(session.run({"image": images}).values()))


def test_one_run_of_four_equals_four_runs(many):
    images = np.random.default_rng(1).normal(size=(4, 3, 8, 8)).astype(np.float32)

    together = run(many, 4, images)

    np.testing.assert_array_equal(together, np.concatenate([run(many, 1, image[None]) for image in images]))


def test_a_variant_may_say_it(many):
    text = (many / "model.yaml").read_text()
    (many / "model.yaml").write_text(text.replace("stock: small.onnx}", "stock: small.onnx, batch: 4}"))

    assert request(many, None).variant.spec.batch == 4
    assert request(many, None).label == "tiny-small-batch4-cpu"
    assert request(many, 4, "auto").from_stock  # its own graph is for its own batch
    assert request(many, 1, "auto").label == "tiny-small-cpu"
    assert not request(many, 1, "auto").from_stock


def test_samples_fill_a_run(many):
    (sample,) = sample_inputs(request(many, 3).package, request(many, 3).variant)

    assert sample["image"].shape == (3, 3, 8, 8)


def test_keys_tell_batches_apart(many):
    one, two = request(many, None), request(many, 2)

    assert stock_facts(one) != stock_facts(two)
    assert samples_fact(one.package, one.variant) != samples_fact(two.package, two.variant)


def test_keys_tell_listed_samples_apart(many):
    one = request(many, None)
    other = replace(one.package, spec=structs.replace(one.package.spec, samples=("b.png",)))

    assert samples_fact(one.package, one.variant) != samples_fact(other, one.variant)


def test_keys_tell_weights_beside_the_stock_graph_apart(many):
    file = many / "small.onnx"
    onnx.save(onnx.load(file), file, save_as_external_data=True, location="w.data", size_threshold=0)
    before = stock_facts(request(many, None))

    data = bytearray((file.parent / "w.data").read_bytes())
    data[0] ^= 1
    (file.parent / "w.data").write_bytes(data)

    assert before["sha256"] == stock_facts(request(many, None))["sha256"]
    assert [*before["beside"]] == ["w.data"] and before != stock_facts(request(many, None))


def test_keys_have_the_code_that_heads_are_lowered_by():
    assert tree_digest(Path(heads.__file__).parent) in core_facts()["core"]


def test_a_stock_graph_for_one_picture_is_refused_for_two(tiny):
    asked = request(tiny, 2)

    with pytest.raises(GraphError, match=r"input image is \[1, 3, 8, 8\]; .* promises \[2, 3, H=8, W=8\]"):
        graph_after(asked, 0)


def test_bounds(many):
    assert request(many, 1024).variant.spec.batch == 1024
    with pytest.raises(UsageError, match="--batch 1025: a run takes 1 to 1024 pictures"):
        request(many, 1025)
