"""Photos through a graph, for their ranges; what was measured once is in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from convertkit.conversion.keys import samples_fact
from convertkit.conversion.store import Store
from convertkit.detection.batch import stacked
from convertkit.precision.ranges import Gauge, Ranges, ranges_key
from convertkit.rungs.keys import target_source, versions
from convertkit.rungs.profiled import Preparation
from convertkit.rungs.stream import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.conversion.request import BuildRequest
    from convertkit.datasets.coco import CocoDataset
    from convertkit.graph.light import LightModel

FILE = "ranges.json"


def measured(
    request: BuildRequest,
    model: LightModel,
    origins: Mapping[str, str],
    dataset: CocoDataset,
    *,
    store: Store,
    on_progress: Callable[[int], object] = lambda count: None,
) -> Ranges:
    """The ranges of a graph of the request on all photos of a dataset, from the store or measured now.

    Args:
        model: fed as the stock graph is, whatever normalises on the target.
        origins: of its nodes, by name.
    """
    photos = [image.sha256 for image in dataset.images]
    around = {
        "preparation": samples_fact(request.package, request.variant),
        "target": target_source(request),
        "versions": versions(),
    }
    key = ranges_key(model, origins, photos, around)
    if (entry := store.find(key)) is not None:
        return msgspec.json.decode((entry.directory / FILE).read_bytes(), type=Ranges)
    gauge, variant = Gauge(model, origins), request.variant.spec
    settings = request.package.preprocess_spec(request.variant).on_host()

    def run(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        gauge.feed(stacked([inputs], variant.batch))
        return {}

    stream(
        dataset.images,
        read=dataset.read,
        preprocess=Preparation(request.package, settings, [variant.size]),
        run=run,
        postprocess=lambda outputs, place: None,
        sink=lambda image, found: None,
        on_progress=on_progress,
    )
    found = gauge.ranges(len(photos))
    store.put_files(key, [(FILE, msgspec.json.encode(found))])
    return found
