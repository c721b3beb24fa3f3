"""Several pictures in one run of a real model against a run for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from convertkit.conversion.engine import graph_after
from convertkit.conversion.request import Asked, make_request
from convertkit.detection.batch import apart, stacked
from convertkit.detection.compare import Tolerance, compare_detections
from convertkit.passes.running import open_on_host
from convertkit.plugins.loading import open_plugins

TOLERANCE = Tolerance(box_px=1e-4, score=1e-5, mask=1e-5)
"""onnxruntime sums a matrix product in other blocks when it has more rows: the last digits differ, by how much is up to
the processor's kernels (scores of mini by less than 1e-6 on an Intel Xeon, by 1.24e-6 on an AMD EPYC)."""


def matched(asked: Asked, images: Sequence[NDArray[Any]], tolerance: Tolerance = TOLERANCE) -> int:
    """Detections that a run of all ``images`` and runs of one agree on; fails where they do not."""
    plugins, count = open_plugins(), len(images)
    requests = [make_request(replace(asked, batch=batch), plugins) for batch in (1, count)]
    one, all_ = (open_on_host(graph_after(request, len(request.pipeline.steps))) for request in requests)
    package, variant = requests[0].package, requests[0].variant
    names, settings = list(package.spec.outputs), package.preprocess_spec(variant)
    inputs = [package.model.preprocess(image, variant.spec.size, settings)[0] for image in images]
    together = apart(dict(zip(names, all_(stacked(inputs, count)), strict=True)), count)
    agreed = 0
    for given, found in zip(inputs, together, strict=True):
        alone = dict(zip(names, one(given), strict=True))
        comparison = compare_detections(alone, found, tolerance)
        assert comparison.ok, comparison.summary
        agreed += comparison.matched
    return agreed
