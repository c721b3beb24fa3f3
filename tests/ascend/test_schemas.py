"""The schemas in onnx: right graphs pass and become static, wrong ones are refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from convertkit_ascend import ops
from onnx import checker, shape_inference

from convertkit.api.errors import PluginError, UnknownNameError


@pytest.fixture(autouse=True)
def registered():
    ops.register_schemas()


def model(text, opset=11):
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : {opset}, "{ops.DOMAIN}" : {ops.VERSION}]> graph {text}'
    )


def nms(
    boxes="float[1,1000,5,4]",
    scores="float[1,1000,5]",
    out="float[b,t,4]",
    extra="",
    names="boxes, scores",
    attributes="score_threshold = 0.05, iou_threshold = 0.5, max_size_per_class = 100, max_total_size = 100",
):
    return model(f"""({boxes} boxes, {scores} scores{extra}) => ({out} kept, float[b,t] s, float[b,t] c, int32[b] n)
        {{ kept, s, c, n = {ops.DOMAIN}.BatchMultiClassNMS <{attributes}> ({names}) }}""")


def roi(
    f0="float[1,64,304,304]",
    f1="float[1,64,152,152]",
    rois="float[1000,5]",
    out="float[k,c,h,w]",
    attributes="spatial_scale = [0.25, 0.125]",
    names="f0, f1, rois",
):
    return model(f"""({f0} f0, {f1} f1, {rois} rois) => ({out} y)
        {{ y = {ops.DOMAIN}.RoiExtractor <{attributes}> ({names}) }}""")


def shapes(found):
    return [[dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in found.graph.output]


def inferred(given):
    checker.check_model(given, full_check=True, check_custom_domain=True)
    return shape_inference.infer_shapes(given, check_type=True, strict_mode=True, data_prop=True)


def test_registering_again_does_nothing():
    ops.register_schemas()

    assert onnx.defs.get_schema("RoiExtractor", ops.VERSION, ops.DOMAIN).has_type_and_shape_inference_function
    assert ops.names() == ("BatchMultiClassNMS", "RoiExtractor")


def test_every_output_of_nms_is_static():
    assert shapes(inferred(nms())) == [[1, 100, 4], [1, 100], [1, 100], [1]]


def test_every_output_of_roi_extractor_is_static():
    assert shapes(inferred(roi())) == [[1000, 64, 7, 7]]
    sized = roi(attributes="spatial_scale = [0.25, 0.125], pooled_height = 14, pooled_width = 5")
    assert shapes(inferred(sized)) == [[1000, 64, 14, 5]]


def test_shared_boxes_the_optional_inputs_and_fewer_outputs_are_accepted():
    extra = ", float[1,4] window, int32[1] valid"

    assert shapes(inferred(nms(boxes="float[1,1000,1,4]", extra=extra, names="boxes, scores, window, valid")))
    assert shapes(inferred(nms(extra=extra, names='boxes, scores, "", valid')))
    few = nms()
    del few.graph.output[1:]
    few.graph.node[0].output[:] = ["kept"]
    assert shapes(inferred(few)) == [[1, 100, 4]]


def test_float16_goes_through():
    given = nms("float16[1,9,1,4]", "float16[1,9,3]", "float16[b,t,4]")
    for index in (1, 2):
        given.graph.output[index].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16

    assert shapes(inferred(given)) == [[1, 100, 4], [1, 100], [1, 100], [1]]
    assert shapes(inferred(roi(*["float16[1,8,9,9]"] * 2, "float16[7,5]", "float16[k,c,h,w]"))) == [
        [7, 8, 7, 7]
    ]


def test_names_of_sizes_go_through():
    found = inferred(roi(rois="float[many,5]", out="float[many,64,7,7]"))

    assert found.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "many"


COMPLETE = "score_threshold = 0.05, iou_threshold = 0.5, max_size_per_class = 100, max_total_size = 100"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (nms(scores="float16[1,1000,5]"), "inconsistent type|different types"),
        (nms(boxes="double[1,1000,5,4]", scores="double[1,1000,5]"), "unsupported type|element type"),
        (nms(out="float16[b,t,4]"), "differs from existing elem type"),
        (nms(out="float[1,50,4]"), "differ in dimension 1"),
        (nms(boxes="float[1,1000,4]"), "must have rank 4"),
        (nms(scores="float[1,1000,5,1]"), "must have rank 3"),
        (nms(scores="float[1,1000,4]"), "classes of boxes and scores differs"),
        (nms(scores="float[1,999,5]"), "number of boxes and scores differs"),
        (nms(scores="float[2,1000,5]"), "batch of boxes and scores differs"),
        (nms(boxes="float[1,1000,5,5]"), "four coordinates"),
        (nms(extra=", float[1,3] w", names="boxes, scores, w"), "four coordinates of clip_window"),
        (nms(extra=", float[1] v", names='boxes, scores, "", v'), "int32|unsupported type"),
        (nms(extra=", float[1,4] w, int32[2] v", names="boxes, scores, w, v"), "batch differs"),
        (nms(names="boxes"), "input size 1"),
        (nms(attributes=COMPLETE.replace("0.05", "1")), "Mismatched attribute type"),
        (nms(attributes="score_threshold = 0.05"), "Required attribute"),
        (nms(attributes=COMPLETE + ", transpose_box = 0"), "Unrecognized attribute"),
        (nms(attributes=COMPLETE.replace("total_size = 100", "total_size = 1001")), "1 to 1000, it is 1001"),
        (nms(attributes=COMPLETE.replace("class = 100", "class = 0")), "max_size_per_class must be 1 to 1000"),
        (roi(f1="float[1,32,152,152]"), "channels of the features differs"),
        (roi(f1="float[2,64,152,152]"), "batch of the features differs"),
        (roi(f1="float16[1,64,152,152]"), "inconsistent type|different types"),
        (roi(f1="float[64,152,152]"), "must have rank 4"),
        (roi(rois="float[1000,4]"), "columns of rois differs"),
        (roi(rois="int64[1000,5]"), "inconsistent type|different types|element type"),
        (roi(out="int64[k,c,h,w]"), "differs from existing elem type"),
        (roi(out="float[1000,64,14,14]"), "differ in dimension 2"),
        (roi(names="rois"), "input size 1"),
        (roi(attributes="spatial_scale = [0.25]"), "1 spatial scales for 2 feature levels"),
        (roi(attributes="aligned = 0"), "4 spatial scales for 2 feature levels"),
        (roi(attributes="spatial_scale = [1, 2]"), "Mismatched attribute type"),
        (roi(attributes="spatial_scale = [0.25, 0.125], roi_scale_factor = 0"), "Mismatched attribute type"),
        (roi(attributes='spatial_scale = [0.25, 0.125], pool_mode = "max"'), "pool_mode must be avg"),
        (roi(attributes="spatial_scale = [0.25, 0.125], pooled_width = 0"), "pooled_width must be 1 or more"),
    ],
)  # fmt: skip
def test_wrong_forms_are_refused(given, why):
    with pytest.raises((checker.ValidationError, shape_inference.InferenceError), match=why):
        checker.check_model(given, full_check=True)


def test_the_schema_and_the_arrays_agree():
    random = np.random.default_rng(0)
    features = [random.standard_normal((1, 4, 16, 16)).astype(np.float32) for _ in range(2)]
    values = {"spatial_scale": [0.25, 0.125]}
    for semantics in ("framework", "ideal", "device"):
        (pooled,) = ops.ROI_EXTRACTOR.compute(semantics, [*features, np.zeros((3, 5), np.float32)], values)
        assert [list(pooled.shape)] == shapes(inferred(roi(*["float[1,4,16,16]"] * 2, "float[3,5]")))


LIMITS = {"score_threshold": 0.05, "iou_threshold": 0.5, "max_size_per_class": 1000, "max_total_size": 1000}
BOXES, SCORES = (1, 1000, 5, 4), (1, 1000, 5)


@pytest.mark.parametrize(
    ("change", "inputs", "opset", "why"),
    [
        ({}, [BOXES, SCORES], 11, []),
        ({}, [BOXES, SCORES], 16, []),
        ({}, [BOXES, SCORES], 17, ["opset must be 11 to 16, it is 17"]),
        ({}, [BOXES, SCORES], 10, ["opset must be 11 to 16, it is 10"]),
        ({"max_total_size": 1001}, [BOXES, SCORES], 11, ["max_total_size must be 1 to 1000, it is 1001"]),
        ({"max_size_per_class": 0}, [BOXES, SCORES], 11, ["max_size_per_class must be 1 to 1000, it is 0"]),
        ({"image_size": [1, 2]}, [BOXES, SCORES], 11, ["image_size is not an attribute of BatchMultiClassNMS"]),
        ({"iou_threshold": 1}, [BOXES, SCORES], 11,
         ["iou_threshold must be FLOAT, it is 1; the vendor's parser would ignore it"]),
        ({}, [BOXES[1:], SCORES], 11, ["boxes must have rank 4, it has 3"]),
        ({}, [(1, 1000, 2, 4), SCORES], 11, ["boxes must be (B, N, 1 or 5, 4), they are (1, 1000, 2, 4)"]),
        ({}, [BOXES, ("batch", 1000, 5)], 11, ["boxes and scores must have static shapes"]),
        ({}, [(1, 1025, 1, 4), (1, 1025, 5), None, (1,)], 11,
         ["with num_valid_boxes at most 1024 boxes are taken, not 1025"]),
        ({}, [(1, 1025, 1, 4), (1, 1025, 5)], 11, []),
        ({}, [(1, 0, 1, 4), (1, 0, 5)], 11, ["no size may be 0"]),
    ],
)  # fmt: skip
def test_limits_of_nms(change, inputs, opset, why):
    assert ops.BATCH_MULTI_CLASS_NMS.limits({**LIMITS, **change}, inputs, opset) == why


LEVELS = [(1, 256, 304, 304), (1, 256, 152, 152), (1000, 5)]


@pytest.mark.parametrize(
    ("change", "inputs", "why"),
    [
        ({}, LEVELS, []),
        ({"pool_mode": "max"}, LEVELS, ["pool_mode must be avg, it is 'max'"]),
        ({"roi_scale_factor": 0}, LEVELS,
         ["roi_scale_factor must be FLOAT, it is 0; the vendor's parser would ignore it"]),
        ({"spatial_scale": [1, 2]}, LEVELS,
         ["spatial_scale must be FLOATS, it is [1, 2]; the vendor's parser would ignore it"]),
        ({"spatial_scale": [0.25]}, LEVELS, ["1 spatial scales for 2 feature levels"]),
        ({}, [LEVELS[0], (1, 128, 152, 152), LEVELS[2]], ["features differ in batch or channels"]),
        ({}, [*LEVELS[:2], (1000, 4)], ["rois must be (K, 5), they are (1000, 4)"]),
        ({}, [*LEVELS[:2], (None, 5)], ["features and rois must have static shapes"]),
        ({"spatial_scale": [0.25]}, [LEVELS[0], LEVELS[2]],
         ["with one level the kernel skips RoIs above 112 px: use RoiAlign"]),
        ({"spatial_scale": [0.25] * 9}, [LEVELS[0]] * 9 + [LEVELS[2]], ["it takes 1 to 8 feature levels, not 9"]),
        ({"finest_scale": 40000}, LEVELS, ["the bound of the last level is beyond float16"]),
    ],
)  # fmt: skip
def test_limits_of_roi_extractor(change, inputs, why):
    assert ops.ROI_EXTRACTOR.limits({"spatial_scale": [0.25, 0.125], **change}, inputs, 11) == why


def test_notes_say_what_the_310p_does_differently():
    shapes = [(1, 5000, 1, 4), (1, 5000, 1)]

    lines = ops.BATCH_MULTI_CLASS_NMS.notes({**LIMITS, "max_total_size": 129}, shapes)

    assert lines == [
        "only the best 4080 of 5000 boxes per class take part",
        "with max_total_size 129 nmsed_num does not count the last slot",
    ]
    full = ops.BATCH_MULTI_CLASS_NMS.notes(LIMITS, [(1, 1000, 80, 4), (1, 1000, 80)])
    assert full == ["80 classes of 1000 boxes need 1290240 bytes of L1, an AI core has 1048576"]
    assert ops.ROI_EXTRACTOR.notes({"roi_scale_factor": 1.0}, LEVELS) == [
        "roi_scale_factor is not used by the kernel"
    ]
    assert ops.ROI_EXTRACTOR.notes({}, LEVELS) == []  # nothing to be done about: no warning


def test_an_unknown_operator_and_a_clash_are_errors():
    with pytest.raises(UnknownNameError, match="did you mean 'RoiExtractor'"):
        ops.get("RoiExtracter")
    with pytest.raises(PluginError, match="'RoiExtractor' is registered twice"):
        ops.add(ops.VendorOp("RoiExtractor", "", (), (), (), print, print, print, {}))
