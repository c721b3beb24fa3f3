"""What the vendor operators take at least; what depends on the data is left out and said so."""

from __future__ import annotations

import convertkit

BILINEAR = 8
"""Operations of one bilinear sample: four products with four weights, added up and added to the bin."""


def cost(node: convertkit.Operation) -> convertkit.Cost | None:
    """The cost of a vendor operator; None for one without an entry."""
    rule = {"RoiExtractor": _roi_extractor, "BatchMultiClassNMS": _nms}.get(node.op)
    return rule(node) if rule is not None else None


def _roi_extractor(node: convertkit.Operation) -> convertkit.Cost:
    """``sample_num`` squared samples per bin, 0 lets the RoI's size decide (ascend-facts: roi-bins): at least one.

    A sample touches four places of one level, and no more is read than all levels hold.
    """
    *features, rois = [item for item in node.inputs if item is not None]
    ratio = int(node.attributes.get("sample_num", 0))
    samples = node.outputs[0].elements * max(ratio, 1) ** 2
    touched = min(sum(item.bytes for item in features), 4 * samples * features[0].item_bytes)
    left_out = "" if ratio else "RoI sampling beyond one sample per bin"
    return convertkit.Cost("vector", BILINEAR * samples, touched + rois.bytes, node.writes, left_out)


def _nms(node: convertkit.Operation) -> convertkit.Cost:
    """Every score is compared with the threshold once; how many overlaps are computed depends on the boxes."""
    scores = node.operand(1).elements
    return convertkit.Cost("vector", scores, node.reads, node.writes, "overlaps computed in NMS")
