"""``absorb-score-filters``: which filters NonMaxSuppression takes over, and who may not see that more rows come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from convertkit_passes.absorb_score_filters import AbsorbScoreFilters
from convertkit_passes.fuse_multiclass_nms import FuseMulticlassNms
from onnx import TensorProto

from convertkit.api import heads
from convertkit.api.graphs import open_session
from convertkit.api.passes import Finding
from convertkit.graph.graph import open_graph
from convertkit.graph.light import LightModel
from tests.graphtext import apply
from tests.passes.heads.nms_forms import SIZE, Writer

heads.DOMAIN.register_schemas()

CLASSES = 3


@dataclass(frozen=True)
class Levels:
    """A one-stage head as torchvision writes it: of every level the best of the scores above a threshold.

    Attributes:
        counts: boxes of each level.
        best: how many of a level go on at most.
        greater: the comparison that the filter does.
        extra: writes more outputs, from the tensors of the graph by name.
    """

    counts: tuple[int, ...] = (12, 5)
    best: int = 8
    score: tuple[float, ...] = (0.3, 0.3)
    greater: str = "Greater"
    change: str | None = None
    total: int = 6
    opset: int = 11
    extra: Callable[[Writer, dict[str, str]], dict[str, tuple[int, Sequence[Any]]]] = field(
        default=lambda write, names: {}
    )


def level(write: Writer, form: Levels, index: int) -> tuple[str, str, str, str]:
    """Boxes, scores and labels of the best of one level; and places among all scores that pass."""
    scores = write.op("Reshape", f"scores{index}", [-1])
    mask = write.op(form.greater, scores, np.float32(form.score[index]))
    passing = write.op("Transpose", write.op("NonZero", mask), perm=[1, 0])
    kept, places = write.op("GatherND", scores, passing), write.squeeze(passing, 1)
    length = write.op("Concat", write.op("Shape", kept), [form.best], axis=0)
    length = write.op("ReduceMin", length, axes=[0], keepdims=1)
    names = [f"best{index}", f"at{index}"]
    best = write.op("TopK", kept, length, out=names)
    place = write.op("Gather", places, names[1], axis=0)
    label = write.op("Mod", place, np.int64(CLASSES))
    boxes = write.op("Gather", write.clip(f"boxes{index}"), write.op("Div", place, np.int64(CLASSES)), axis=0)
    return boxes, write.op(form.change, best) if form.change else best, label, kept


def model(form: Levels) -> LightModel:
    """Outputs ``found (K, 4)``, ``best (K,)`` and ``labels (K,) int64``."""
    write = Writer(form.opset)
    parts = [level(write, form, index) for index in range(len(form.counts))]
    boxes, scores, labels = (
        write.op("Concat", *(part[column] for part in parts), axis=0) for column in range(3)
    )
    step = write.op("Add", write.op("ReduceMax", boxes, keepdims=0), np.float32(1))
    moved = write.op("Add", boxes, write.unsqueeze(write.op("Mul", write.op("Cast", labels, to=1), step), 1))
    stacked = write.unsqueeze(write.unsqueeze(scores, 0), 0)
    limits = [np.array([2**62]), np.float32([0.5])]
    selected = write.op("NonMaxSuppression", write.unsqueeze(moved, 0), stacked, *limits, out="selected")
    keep = write.squeeze(write.op("Gather", selected, [2], axis=1), 1)
    keep = write.op("Slice", keep, [0], [form.total], [0])
    for name, item in (("found", boxes), ("best", scores), ("labels", labels)):
        write.op("Gather", item, keep, axis=0, out=name)
    names = {"boxes": boxes, "scores": scores, "keep": keep, "kept": parts[0][3], "labels": labels}
    extra = form.extra(write, names)
    inputs = {f"boxes{i}": (count, 4) for i, count in enumerate(form.counts)}
    inputs |= {f"scores{i}": (count, CLASSES) for i, count in enumerate(form.counts)}
    outputs = {
        "found": (TensorProto.FLOAT, ("k", 4)),
        "best": (TensorProto.FLOAT, ("k",)),
        "labels": (TensorProto.INT64, ("k",)),
    }
    return write.model(inputs, {**outputs, **extra})


def inputs(form: Levels, seed: int, top: float) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    found = {}
    for index, count in enumerate(form.counts):
        low = random.uniform(0, SIZE / 2, (count, 2))
        corners = np.concatenate([low, low + random.uniform(4, SIZE / 2, (count, 2))], 1)
        found[f"boxes{index}"] = corners.astype(np.float32)
        found[f"scores{index}"] = random.uniform(0, top, (count, CLASSES)).astype(np.float32)
    return found


def same(form: Levels, before: LightModel, after: LightModel) -> set[int]:
    """Runs both; returns the numbers of detections that there were."""
    old, new = (open_session(heads.lower(item), optimize=False) for item in (before, after))
    rows = set()
    for seed, top in enumerate((1, 1, 0.5, 0.32, 0.301)):
        feeds = inputs(form, seed, top)
        for one, other in zip(old.run(feeds).values(), new.run(feeds).values(), strict=True):
            np.testing.assert_allclose(other[: len(one)], one, rtol=1e-6)
            assert not other[len(one) :].any()
            rows.add(len(one))
    return rows


def refusal(form: Levels) -> str:
    """Why; also that the graph stays as it is."""
    before = model(form)
    (finding,) = AbsorbScoreFilters().explain(open_graph(before))
    assert finding.status == "refused"
    assert apply(AbsorbScoreFilters(), before) is before
    return finding.why


def threshold(after: LightModel) -> float:
    (node,) = (item for item in after.proto.graph.node if item.op_type == "NonMaxSuppression")
    (value,) = (item for item in after.proto.graph.initializer if item.name == node.input[4])
    return float(np.frombuffer(value.raw_data, np.float32)[0])


def test_the_best_of_all_scores_are_taken_and_nms_has_the_threshold() -> None:
    form = Levels()
    before = model(form)

    after = apply(AbsorbScoreFilters(), before)

    kinds = [node.op_type for node in after.proto.graph.node]
    assert "NonZero" not in kinds
    assert kinds.count("TopK") == 2
    assert threshold(after) == np.float32(0.3)
    assert {0, form.total} < same(form, before, after)


def test_a_filter_that_keeps_the_threshold_itself() -> None:
    after = apply(AbsorbScoreFilters(), model(Levels(greater="GreaterOrEqual", opset=12)))

    assert threshold(after) == np.nextafter(np.float32(0.3), np.float32(0))


def test_what_is_absorbed_becomes_one_operator() -> None:
    form = Levels()
    before = model(form)

    after = apply(FuseMulticlassNms(pad_detections=True), apply(AbsorbScoreFilters(), before))

    assert not any(node.op_type == "NonMaxSuppression" for node in after.proto.graph.node)
    assert {0, form.total} < same(form, before, after)


def test_without_it_nms_has_no_candidates_of_fixed_size() -> None:
    (finding,) = FuseMulticlassNms(pad_detections=True).explain(open_graph(model(Levels())))

    assert "no tensor of fixed size holds the candidates" in finding.why


def test_scores_of_fixed_size_are_no_place_to_look_at() -> None:
    before = apply(AbsorbScoreFilters(), model(Levels()))

    assert AbsorbScoreFilters().explain(open_graph(before)) == ()


def test_refused_where_thresholds_differ() -> None:
    assert refusal(Levels(score=(0.3, 0.4))) == "its filters differ: scores above 0.3 and above 0.4"


def test_refused_where_every_score_passes() -> None:
    assert "lets every score pass" in refusal(Levels(score=(-1.0, -1.0)))


def test_refused_where_scores_change_behind_the_filter() -> None:
    assert "is not the best of what a filter takes" in refusal(Levels(change="Sqrt"))


def test_refused_where_the_filter_takes_low_scores() -> None:
    assert "drops even" in refusal(Levels(greater="Less"))


def given(name: str, kind: int, shape: Sequence[Any]) -> Any:
    def extra(write: Writer, names: dict[str, str]) -> dict[str, tuple[int, Sequence[Any]]]:
        write.op("Identity", names[name], out="given")
        return {"given": (kind, shape)}

    return extra


@pytest.mark.parametrize("name", ["scores", "keep"])
def test_refused_where_what_passes_is_given(name: str) -> None:
    kind = TensorProto.INT64 if name == "keep" else TensorProto.FLOAT

    assert "has to do with how many scores pass the filter" in refusal(
        Levels(extra=given(name, kind, ("n",)))
    )


def test_refused_where_what_passes_is_needed_beside_the_best() -> None:
    assert "is needed otherwise too" in refusal(Levels(extra=given("kept", TensorProto.FLOAT, ("n",))))


def test_refused_where_rows_are_summed() -> None:
    def extra(write: Writer, names: dict[str, str]) -> dict[str, tuple[int, Sequence[Any]]]:
        write.op("ReduceSum", names["scores"], keepdims=0, out="given")
        return {"given": (TensorProto.FLOAT, ())}

    assert "does not treat filtered rows one by one" in refusal(Levels(extra=extra))


def test_refused_where_a_place_takes_from_something_else() -> None:
    def extra(write: Writer, names: dict[str, str]) -> dict[str, tuple[int, Sequence[Any]]]:
        write.op("Gather", np.arange(64), names["keep"], axis=0, out="given")
        return {"given": (TensorProto.INT64, ("n",))}

    assert "takes by place what the filter does not take" in refusal(Levels(extra=extra))


def test_a_finding_says_what_is_taken() -> None:
    (finding,) = AbsorbScoreFilters().explain(open_graph(model(Levels())))

    assert isinstance(finding, Finding)
    assert finding.why == "takes scores above 0.3 itself; the best 8 of 36, 8 of 15 come in front of it"
