"""What the chip is taken to compute: the vendor operators, fp16, AIPP, the peaks of the roofline.

"As by the loop" are tests against loops over single values in tests/ascend/oracles.py, written from the same sources:
they show that the fast code computes what was read, not that the chip does.
"""

from __future__ import annotations

from tests.ascend.evidence import Claim

ROI = "tests/ascend/test_roi_extractor.py"
NMS = "tests/ascend/test_nms.py"
LIMITS = "tests/ascend/test_schemas.py"
STORAGE = "tests/ascend/numerics/test_storage.py"
AIPP = "tests/ascend/aipp"
ROOFLINE = "tests/ascend/roofline/test_roofline.py"

ROI_EXTRACTOR = (
    Claim(
        "a scale equal to a bound goes down a level (mmdet: up)",
        "ascend-facts: roi-levels",
        "read",
        (f"{ROI}::test_a_roi_on_a_bound_goes_up_in_mmdet_and_down_on_ascend",),
    ),
    Claim(
        "the scale is rounded to fp16 before it is compared",
        "ascend-facts: roi-levels",
        "read",
        (f"{ROI}::test_the_device_compares_the_level_in_fp16",),
    ),
    Claim(
        "a RoI is at least one feature pixel wide and high, aligned or not",
        "ascend-facts: roi-bins",
        "read",
        (f"{ROI}::test_a_roi_below_a_feature_pixel_is_one_on_ascend",),
    ),
    Claim(
        "both kernels take pooled_height for the width too: bins are square",
        "ascend-facts: roi-bins",
        "read",
        (f"{ROI}::test_both_sides_have_pooled_height_bins_on_ascend",),
    ),
    Claim(
        "one RoI's result goes through 262,144 bytes of unified buffer; what happens beyond was not tried",
        "ascend-facts: roi-buffer",
        "read",
        (f"{ROI}::test_a_result_beyond_the_unified_buffer_is_a_remark",),
    ),
    Claim(
        "bins by a product with fp32 1 / pooled size: 21 feature pixels take 4 samples",
        "ascend-facts: roi-bins; `_calc_grid_size`",
        "read",
        (f"{ROI}::test_21_feature_pixels_take_4_samples_on_the_device",),
    ),
    Claim(
        "a single level takes no RoI above twice the finest scale",
        "ascend-facts: roi-levels; `where_and_nonzero`",
        "read",
        (f"{ROI}::test_a_single_level_takes_no_large_roi_on_the_device",),
    ),
    Claim(
        "features and RoIs are fp16, coordinates fp32; the image's number is floored",
        "ascend-facts: roi-ir, roi-bins",
        "read",
        (f"{ROI}::test_the_device_is_that_of_the_loop_in_fp16",),
    ),
    Claim(
        "sums are fp32 and rounded once: a lower bound of the kernel's error",
        "ascend-facts: roi-open; order of additions not found",
        "assumed",
        (f"{ROI}::test_device_rounds_the_ideal_once_where_its_inputs_are_exact",),
    ),
    Claim(
        "RoIs with one inverted side, or not finite, pool to 0",
        "ascend-facts: roi-open; not found",
        "assumed",
        (
            f"{ROI}::test_the_device_is_that_of_the_loop_in_fp16",
            f"{ROI}::test_levels_of_random_rois_are_those_of_the_loop",
        ),
    ),
)

NMS_KERNEL = (
    Claim(
        "slots below the threshold are multiplied by 0: what is not finite in fp16 becomes NaN there, classes stay",
        "ascend-facts: nms-kernel; `batch_multi_class_nms_copy_out`",
        "read",
        (
            f"{NMS}::test_slots_below_the_threshold_are_multiplied_by_0_on_the_device",
            f"{NMS}::test_classes_of_unused_slots_are_not_masked_on_the_device",
        ),
    ),
    Claim(
        "boxes times fp16 0.1 before, times 10 after",
        "ascend-facts: nms-kernel",
        "read",
        (f"{NMS}::test_boxes_of_the_device_carry_the_rounding_of_the_scale",),
    ),
    Claim(
        "the best 4,080 boxes of a class are considered",
        "ascend-facts: nms-4080",
        "read",
        (f"{NMS}::test_the_kernel_looks_at_4080_boxes_only",),
    ),
    Claim(
        "`high_precision` goes on from three blocks on, but never to the last",
        "ascend-facts: nms-4080",
        "read",
        (f"{NMS}::test_high_precision_looks_further_but_not_at_the_last_block",),
    ),
    Claim(
        "inter > t / (1 + t) (a + b) suppresses; corners are inclusive after x2 - 1, y2 - 1",
        "ascend-facts: nms-kernel",
        "read",
        (
            f"{NMS}::test_the_device_is_that_of_the_loop_in_fp16",
            f"{NMS}::test_device_and_ideal_agree_where_nothing_rounds",
        ),
    ),
    Claim(
        "classes of unused slots are not masked",
        "ascend-facts: nms-kernel",
        "read",
        (f"{NMS}::test_classes_of_unused_slots_are_not_masked_on_the_device",),
    ),
    Claim(
        "the count forgets the last slot of 129, 257, ...",
        "ascend-facts: nms-kernel; `filter_score_compute`",
        "read",
        (f"{NMS}::test_the_last_slot_of_129_is_not_counted_on_the_device",),
    ),
    Claim(
        "both sizes are 1 to 1,000", "ascend-facts: nms-limits", "read", (f"{LIMITS}::test_limits_of_nms",)
    ),
    Claim(
        "the *ideal* result is that of the vendor's golden model",
        "ascend-facts: nms-golden",
        "read",
        (f"{NMS}::test_fp32_semantics_are_those_of_the_loop",),
    ),
    Claim(
        "every step inside `vrpac` and `viou` rounds to fp16; negative sides count 0",
        "ascend-facts: nms-kernel names the instructions only",
        "assumed",
        (f"{NMS}::test_the_device_is_that_of_the_loop_in_fp16",),
    ),
    Claim(
        "of equal scores the lower box comes first, then the lower class; NaN comes last",
        "ascend-facts: nms-golden, nms-kernel; not promised",
        "assumed",
        (f"{NMS}::test_the_device_is_that_of_the_loop_in_fp16",),
    ),
)

PRECISION = (
    Claim(
        "`force_fp16` is ATC's default: weights and results are stored in fp16",
        "ascend-facts: atc-precision",
        "documented",
        (
            f"{STORAGE}::test_weights_are_rounded_to_fp16_and_nothing_else",
            f"{STORAGE}::test_activations_are_rounded_where_an_operator_computes",
        ),
    ),
    Claim(
        "inside an operator the arithmetic is fp32",
        "ascend-facts: chip-arithmetic says so of the cube unit only",
        "assumed",
        (f"{STORAGE}::test_activations_are_rounded_where_an_operator_computes",),
    ),
    Claim(
        "an operator that only moves values rounds nothing",
        "ascend-facts: atc-precision",
        "derived",
        (f"{STORAGE}::test_an_operator_that_only_moves_values_gets_no_casts",),
    ),
)

AIPP_UNIT = (
    Claim(
        "the settings' names and text form",
        "ascend-facts: aipp-unit",
        "documented",
        (f"{AIPP}/test_text.py::test_protobuf_reads_what_was_written",),
    ),
    Claim(
        "(x - mean - min) var_reci; a fractional mean goes into `min`",
        "ascend-facts: aipp-unit",
        "documented",
        (
            f"{AIPP}/test_prepend.py::test_every_pixel_value_has_the_bits_of_float16_arithmetic",
            f"{AIPP}/test_prepend.py::test_a_mean_kept_in_one_piece_would_be_sixty_times_farther_off",
        ),
    ),
    Claim(
        "every step of it rounds to fp16",
        "ascend-facts: aipp-unit; nothing on precision",
        "assumed",
        (f"{AIPP}/test_prepend.py::test_any_mean_and_std_has_the_bits_of_float16_arithmetic",),
    ),
    Claim(
        "padding is at most 32 pixels a side, and on a 310P 1,080 pixels wide in all",
        "ascend-facts: aipp-limits",
        "documented",
        (
            f"{AIPP}/test_limits.py::test_padding_beyond_32_pixels_is_refused",
            f"{AIPP}/test_limits.py::test_a_padded_width_above_1080_is_refused_on_the_310p_only",
        ),
    ),
)

PEAKS = (
    Claim(
        "cores, clocks, products and bytes per cycle",
        "ascend-facts: chip-figures; the compiler's platform files",
        "read",
        (
            f"{ROOFLINE}::test_the_peaks_of_the_310p3_are_those_of_the_facts",
            f"{ROOFLINE}::test_every_chip_has_peaks_with_sources",
        ),
    ),
    Claim(
        "204.8 GB/s of a 300I Pro, where the compiler counts on 144",
        "ascend-facts: chip-memory; no official page was found",
        "reported",
        (f"{ROOFLINE}::test_the_peaks_of_the_310p3_are_those_of_the_facts",),
    ),
)
