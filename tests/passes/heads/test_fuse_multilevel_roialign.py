"""``fuse-multilevel-roialign``: every way of writing it is found with the right attributes, near-misses stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from convertkit_passes.fuse_multilevel_roialign import FuseMultilevelRoialign
from convertkit_passes.heads.roi.levels import NEAR, Levels
from convertkit_passes.heads.roi.pooling import Pooling
from convertkit_passes.heads.roi.rois import questions
from convertkit_passes.simplify import Simplify
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from convertkit.api import heads
from convertkit.api.graphs import load, open_session
from convertkit.graph.graph import open_graph
from tests import graphtext
from tests.passes.heads import roi_forms as forms
from tests.passes.heads.roi_forms import Extraction

MINI = Path(__file__).parents[3] / "models" / "maskrcnn" / "mini" / "mini.onnx"

FUSE = FuseMultilevelRoialign()
SMALL = Extraction()
TORCHVISION = SMALL.but(samples=2, aligned=False, bins=(3, 3))


@pytest.fixture(autouse=True)
def registered():
    heads.DOMAIN.register_schemas()


def fused(model):
    return open_graph(graphtext.apply(FUSE, model))


def extractors(graph):
    return list(graph.find("MultilevelRoiAlign", domain=heads.HEADS))


def findings(model):
    return FUSE.explain(open_graph(model))


def attributes(e: Extraction):
    return {
        "finest_scale": e.finest,
        "spatial_scale": [float(np.float32(1 / stride)) for stride in e.strides],
        "output_height": e.bins[0],
        "output_width": e.bins[1],
        "sampling_ratio": e.samples,
        "aligned": int(e.aligned),
        "at_bound": "up",
        "clamp": int(e.opset < 16 or not e.aligned),
    }


def random_inputs(e: Extraction, rois="rois", seed=0):
    """Features and RoIs of a feature pixel of the coarsest level or more, off the bounds, some unused slots."""
    random = np.random.default_rng(seed)
    count = e.count if isinstance(e.count, int) else 20
    features = {f"f{i}": random.random(e.map(i), np.float32) - np.float32(0.5) for i in range(e.levels)}
    boxes = np.zeros((count, 5), np.float32)
    boxes[:, 0] = random.integers(0, e.images, count) if rois == "rois" else 0
    boxes[:, 1:3] = random.integers(-160, 640, (count, 2)) / 8
    boxes[:, 3:] = boxes[:, 1:3] + random.integers(129, 800, (count, 2)) / 8
    if e.opset < 16:
        boxes[::5] = 0
    return {**features, rois: boxes[:, 5 - (5 if rois == "rois" else 4) :]}


def run(model, inputs):
    return open_session(model, optimize=False).run(inputs)


def assert_same_results(model, e, rois="rois"):
    """The graph computes what it did."""
    inputs = random_inputs(e, rois)
    after = heads.lower(graphtext.apply(FUSE, model))
    before, now = run(model, inputs), run(after, inputs)
    for name, value in before.items():
        np.testing.assert_allclose(now[name], value, atol=2e-6)


@pytest.mark.parametrize("opset", [11, 16])
@pytest.mark.parametrize(
    ("form", "rois", "e"),
    [
        (forms.mask_add, "rois", SMALL),
        (forms.mask_add, "rois", SMALL.but(count=1, channels=1, bins=(1, 1), images=2)),
        (forms.scatter_nd, "rois", SMALL.but(samples=1, images=2)),
        (forms.torchvision, "boxes", TORCHVISION),
        (forms.torchvision, "boxes", TORCHVISION.but(aligned=True, samples=0)),
        (forms.concat_gather, "rois", SMALL),
        (forms.where, "boxes", SMALL.but(images=2)),
    ],
)
def test_every_form_becomes_one_node(form, rois, e, opset):
    e = e.but(opset=opset)
    model = form(e)

    graph = fused(model)

    (node,) = extractors(graph)
    assert not list(graph.find("RoiAlign"))
    found = dict(node.attrs)
    assert found.pop("spatial_scale") == pytest.approx(attributes(e).pop("spatial_scale"))
    assert found.items() <= attributes(e).items()
    assert [item.name for item in node.inputs[:-1]] == [f"f{level}" for level in range(e.levels)]
    assert (node.outputs[0].dtype, node.outputs[0].shape) == (np.float32, [e.count, e.channels, *e.bins])
    assert_same_results(model, e, rois)


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize(
    ("form", "rois"),
    [
        (forms.mask_add, "rois"),
        (forms.torchvision, "boxes"),
        (forms.concat_gather, "rois"),
        (forms.where, "boxes"),
    ],
)
def test_the_number_of_rois_may_be_open(form, rois, opset):
    e = SMALL.but(count="K", samples=2, opset=opset)
    model = form(e)

    (node,) = extractors(fused(model))

    assert node.outputs[0].shape == ["K", e.channels, *e.bins]
    assert_same_results(model, e, rois)
    nothing = {**random_inputs(e, rois), rois: np.zeros((0, 4 if rois == "boxes" else 5), np.float32)}
    after = run(heads.lower(graphtext.apply(FUSE, model)), nothing)
    assert [value.shape for value in after.values()] == [(0, e.channels, *e.bins)]


@pytest.mark.parametrize(
    ("fewest", "status", "why"),
    [
        (1, "matched", "MultilevelRoiAlign of 3"),
        (2, "refused", "the result of a RoI depends on how many there are"),
    ],
)
def test_a_roi_has_to_give_alone_what_it_gives_among_many(fewest, status, why):
    (finding,) = findings(forms.mask_add(SMALL.but(count="K", fewest=fewest)))

    assert (finding.status, finding.why.startswith(why)) == (status, True)


def test_rois_without_a_common_source_are_refused_by_the_name_of_the_first():
    model = forms.wide_source(SMALL)
    first = next(node for node in model.proto.graph.node if node.op_type == "RoiAlign")

    (finding,) = findings(model)

    assert (finding.status, finding.tensor) == ("refused", first.input[1])
    assert "the RoIs of the levels have no common source of 4 or 5 columns" in finding.why


def exactly(factor, wanted=16.0):
    """A size that times a factor is what is wanted, to the last bit."""
    size = wanted / factor
    while size * factor != wanted:
        size = np.nextafter(size, np.inf if size * factor < wanted else 0)
    return float(size)


AFTER, BEFORE = exactly(1 - NEAR), exactly(1 + NEAR)


@pytest.mark.parametrize(("low", "high"), [(AFTER, 17.0), (15.0, BEFORE)])
def test_a_bound_may_be_as_far_off_as_frameworks_round(low, high):
    assert Levels((0, 1), ((low, high),)).finest() == 8


@pytest.mark.parametrize(("low", "high"), [(AFTER + 1e-9, 16.001), (15.999, BEFORE - 1e-9)])
def test_a_bound_further_off_is_refused(low, high):
    with pytest.raises(heads.Refused, match=r"not at 2, 4, 8, ... times the whole number of pixels"):
        Levels((0, 1), ((low, high),)).finest()


def test_boxes_get_the_image_they_name():
    e = SMALL.but(images=2)

    (node,) = extractors(fused(forms.where(e, image=1)))

    (concat,) = node.inputs[-1].inputs
    assert concat.op == "Concat" and concat.inputs[1].name == "boxes"
    assert (concat.inputs[0].values == np.ones((e.count, 1), np.float32)).all()


def test_levels_written_in_any_order_are_sorted_by_measurement():
    (node,) = extractors(fused(forms.mask_add(SMALL.but(order=(2, 0, 1)))))

    assert [item.name for item in node.inputs[:-1]] == ["f0", "f1", "f2"]
    assert node.attrs["spatial_scale"] == [1 / 4, 1 / 8, 1 / 16]


@pytest.mark.parametrize(
    ("change", "why", "tensor"),
    [
        ({"mode": "max"}, "pooling mode is max, not avg", None),
        ({"samples": 1000}, "sampling_ratio 1000 take 3000 points a side of every RoI; up to 128", None),
        ({"bins": (129, 129), "samples": 0}, "129 bins a side with sampling_ratio 0 take 129 points", None),
        ({"bounds": (2, 5)}, "levels change at 16", None),
        ({"bounds": (1.999, 4)}, "levels change at 15.99", None),
        ({"bounds": (2, 4), "finest": 8.5}, "levels change at 17", None),
        ({"scaled": (1, 2, 1)}, "RoIs differ from the operator's, per level by up to", "result"),
        ({"scaled": (1, 1, 1.001)}, "RoIs differ from the operator's, per level by up to", "result"),
        ({"expand": 1.1}, "RoIs differ from the operator's", "result"),
        ({"shift": 0.25}, "RoIs differ from the operator's", "result"),
        ({"shared": True}, "two levels pool from the same features", "f0"),
        ({"opset": 17}, "opset must be 11 to 16, it is 17", ""),
        ({"order": (0, 1)}, "is pooled from no level", "result"),
        ({"uneven": True}, "output_height differs between levels", None),
    ],
)
def test_near_misses_are_refused_and_stay(change, why, tensor):
    e = SMALL.but(**change)
    model = forms.scatter_nd(e) if "scaled" in change or "order" in change else forms.mask_add(e)

    assert graphtext.apply(FUSE, model) is model
    refused = findings(model)

    assert [item.status for item in refused] == ["refused"]
    assert why in refused[0].why
    if tensor is not None:
        assert refused[0].tensor == (model.proto.graph.output[0].name if tensor == "result" else tensor)


def test_bins_need_not_be_square_unless_a_target_asks_for_it():
    e = SMALL.but(bins=(3, 2))
    model = forms.mask_add(e)

    assert len(extractors(fused(model))) == 1
    assert_same_results(model, e)
    (finding,) = FuseMultilevelRoialign(square=True).explain(open_graph(model))
    assert (finding.status, finding.why) == ("refused", "its bins are 3 x 2, not square")


@pytest.mark.parametrize("form", [forms.single, lambda e: forms.mask_add(e.but(strides=(4,)))])
def test_a_single_level_stays(form):
    (finding,) = findings(form(SMALL))
    assert finding.status == "refused"
    assert "there is one level only" in finding.why


def test_a_level_whose_result_is_also_used_elsewhere_stays():
    model = forms.mask_add(SMALL)
    tap(model, "RoiAlign")

    assert graphtext.apply(FUSE, model) is model
    assert {item.status for item in findings(model)} == {"refused"}


def test_the_levels_may_be_used_elsewhere():
    model = forms.mask_add(SMALL)
    tap(model, "Clip")

    graph = fused(model)

    assert len(extractors(graph)) == 1
    assert not list(graph.find("RoiAlign"))
    assert_same_results(model, SMALL)


def test_two_heads_on_the_same_rois():
    model = forms.two_heads(SMALL, SMALL.but(bins=(4, 4), samples=1))

    nodes = extractors(fused(model))

    assert [(node.attrs["output_height"], node.attrs["sampling_ratio"]) for node in nodes] == [(3, 0), (4, 1)]
    assert nodes[0].inputs[-1] is nodes[1].inputs[-1]
    assert_same_results(model, SMALL)


def test_the_heads_of_a_cascade():
    model = forms.cascade(SMALL)

    first, second = extractors(fused(model))

    assert first.attrs == second.attrs
    assert first.inputs[-1].name == "rois" != second.inputs[-1].name
    assert_same_results(model, SMALL)


def test_what_is_added_to_the_levels_stays_outside():
    model = forms.with_semantics(SMALL)

    graph = fused(model)

    assert len(extractors(graph)) == len(list(graph.find("RoiAlign"))) == 1
    assert_same_results(model, SMALL)
    assert sorted(item.status for item in findings(model)) == ["matched", "refused"]


def test_the_finding_says_how_small_rois_are_pooled():
    (before_16,) = findings(forms.mask_add(SMALL))
    (half_pixel,) = findings(forms.mask_add(SMALL.but(opset=16)))

    assert before_16.why.endswith("(and unused slots) are clamped to one")
    assert half_pixel.why.endswith("(and unused slots) are not clamped")
    assert "finest_scale=8, spatial_scale=[0.25, 0.125, 0.0625], output_height=3" in before_16.why


def test_a_graph_without_roialign_has_nothing_to_say():
    assert findings(graphtext.parse("(float[2] x) => (float[2] y) { y = Relu(x) }")) == ()


def test_golden():
    before = """
        (float[1,1,8,8] fine, float[1,1,4,4] coarse, float[2,4] boxes) => (float[2,1,1,1] y)
        <int64 zero = {0}, int64 one = {1}, int64 two = {2}, int64 three = {3}, float bound = {16},
         int64[2] images = {0, 0}, int64[4] rank = {-1, 1, 1, 1}>
        {
            x1 = Gather <axis = 1> (boxes, zero)
            y1 = Gather <axis = 1> (boxes, one)
            x2 = Gather <axis = 1> (boxes, two)
            y2 = Gather <axis = 1> (boxes, three)
            width = Sub (x2, x1)
            height = Sub (y2, y1)
            area = Mul (width, height)
            scale = Sqrt (area)
            is_small = Less (scale, bound)
            mask = Reshape (is_small, rank)
            a = RoiAlign <spatial_scale = 0.25, sampling_ratio = 2> (fine, boxes, images)
            b = RoiAlign <spatial_scale = 0.125, sampling_ratio = 2> (coarse, boxes, images)
            y = Where (mask, a, b)
        }"""
    after = """
        (float[1,1,8,8] fine, float[1,1,4,4] coarse, float[2,4] boxes) => (float[2,1,1,1] y)
        <float[2,1] roi_images = {0.0, 0.0}>
        {
            rois_output = Concat <axis = 1> (roi_images, boxes)
            y = convertkit.heads.MultilevelRoiAlign <ATTRIBUTES> (fine, coarse, rois_output)
        }"""
    written = (
        'aligned = 0, at_bound = "up", clamp = 1, finest_scale = 8, output_height = 1, output_width = 1, '
    )
    written += "sampling_ratio = 2, spatial_scale = [0.25, 0.125]"
    assert graphtext.rewritten(FUSE, before) == graphtext.text(after).replace("ATTRIBUTES", written)


@st.composite
def extractions(draw):
    levels = draw(st.integers(2, 5))
    first = draw(st.sampled_from([2, 4, 8, 12]))
    strides = tuple(float(first * 2**level) for level in range(levels))
    if draw(st.booleans()):
        strides = tuple(
            sorted(draw(st.lists(st.integers(2, 60), min_size=levels, max_size=levels, unique=True)))
        )
    return Extraction(
        strides=strides,
        finest=draw(st.integers(1, 150)),
        bins=draw(st.integers(1, 4).map(lambda side: (side, side))),
        samples=draw(st.integers(0, 3)),
        aligned=draw(st.booleans()),
        channels=draw(st.integers(1, 3)),
        image=draw(st.tuples(st.integers(20, 200), st.integers(20, 200))),
        count=draw(st.integers(1, 80)),
        images=draw(st.integers(1, 2)),
        opset=draw(st.sampled_from([11, 12, 13, 16])),
        order=tuple(draw(st.permutations(range(levels)))),
    )


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(form=st.sampled_from([forms.mask_add, forms.torchvision]), e=extractions())
def test_attributes_are_recovered(form, e):
    (node,) = extractors(fused(form(e)))

    assert dict(node.attrs) == attributes(e)


@pytest.mark.parametrize("finest", [8, 56, 150])
@pytest.mark.parametrize("count", [64, 100, 256])
def test_verification_asks_on_both_sides_of_every_bound(finest, count):
    strides = (4, 8, 16, 32)
    maps = tuple((1, 1, 1216 // stride, 1216 // stride) for stride in strides)
    pooling = Pooling((), maps, tuple(1 / stride for stride in strides), (7, 7), 0)

    asked = questions(pooling, finest, (0, 1, 2, 3), None, count)

    sides = asked.rois[:, 3:].astype(np.float64) - asked.rois[:, 1:3]
    scale = np.sqrt(sides.prod(axis=1))
    for bound in finest * 2.0 ** np.arange(1, 4):
        beside = scale / bound - 1
        assert (np.abs(beside) > 2e-5).all()
        assert ((beside > 2e-5) & (beside < 4e-5)).any() and ((beside > -4e-5) & (beside < -2e-5)).any()
    assert set(asked.level[~asked.small]) == {0, 1, 2, 3}
    assert set(asked.level[asked.small]) == {0, 1, 2, 3}
    assert (sides == 0).all(axis=1).any()


def test_constant_features_stay():
    model = forms.mask_add(SMALL)
    given = model.proto.graph.input
    constant = numpy_helper.from_array(np.ones(SMALL.map(0), np.float32), "f0")
    del given[0]
    model.proto.graph.initializer.append(constant)

    (finding,) = findings(model)

    assert (finding.why, finding.tensor) == ("the features are constant", "f0")


def tap(model, op):
    """The first result of an operator becomes one more output of the graph."""
    node = next(node for node in model.proto.graph.node if node.op_type == op)
    rank = {"RoiAlign": 4, "Clip": 1}[op]
    model.proto.graph.output.append(onnx.helper.make_tensor_value_info(node.output[0], 1, [None] * rank))


@pytest.mark.slow
def test_both_extractors_of_a_real_mask_rcnn():
    """mini.onnx is mmdet's own export; the number of its masks' RoIs is known once it is simplified."""
    graph = fused(Simplify().run(load(MINI)))

    boxes, masks = extractors(graph)

    wanted = {
        "finest_scale": 56,
        "spatial_scale": [1 / 4, 1 / 8, 1 / 16, 1 / 32],
        "sampling_ratio": 0,
        "aligned": 1,
    }
    assert wanted.items() <= boxes.attrs.items() and wanted.items() <= masks.attrs.items()
    assert (boxes.attrs["output_height"], masks.attrs["output_width"]) == (7, 14)
    assert not list(graph.find("RoiAlign"))
