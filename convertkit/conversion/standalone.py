"""A sample in every artifact: a script that finds and draws what is in a photo, without convertkit.

``sample.py`` is the same for all models of a target; ``sample.json`` has what it needs of the package. They are laid
out beside what the compiler left, and no step's result: nothing is compiled again for another threshold.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.conversion.manifest import FileEntry, Manifest
from convertkit.detection.roles import ROWS
from convertkit.models.base import Model
from convertkit.storage.files import canonical_json, sha256_bytes

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.detection.settings import PreprocessSpec
    from convertkit.models.spec import TensorSpec

SCRIPT, SETTINGS = "sample.py", "sample.json"
TEMPLATE = Path(__file__).with_name("sample.py.txt")
RUN, AFTER = "def run(", "\n\ndef main("
"""Where the function begins that a target writes anew, and what follows it."""


def is_sample(name: str) -> bool:
    """Whether a file of an artifact belongs to its sample."""
    return name.startswith("sample.")


def without_sample(files: Mapping[str, FileEntry]) -> dict[str, FileEntry]:
    """The files that a build's last step made."""
    return {name: entry for name, entry in files.items() if not is_sample(name)}


def digest_of_files(files: Mapping[str, FileEntry]) -> str:
    """The result of a build's last step: its files by their content."""
    table = {name: entry.sha256 for name, entry in without_sample(files).items()}
    return sha256_bytes(canonical_json(table))


def why_none(request: BuildRequest) -> str:
    """Why an artifact has no sample; empty where it has one."""
    package, own = request.package, type(request.package.model)
    words = {"preprocess": Model.preprocess, "postprocess": Model.postprocess}
    if code := [word for word, usual in words.items() if getattr(own, word) is not usual]:
        return f"the package's own code does what its settings would say: {', '.join(code)}"
    roles = [item.role for item in package.spec.inputs.values()]
    if roles != ["image"] or not any(item.meaning.row for item in package.spec.outputs.values()):
        return "the package needs an image for its only input, and boxes among its outputs"
    if request.target.sample is None:
        return f"target {request.target.name} has none"
    return ""


def sample_files(request: BuildRequest) -> dict[str, bytes]:
    """The sample's files by name; none where :func:`why_none` says why."""
    sample = request.target.sample
    if sample is None or why_none(request):
        return {}
    script = TEMPLATE.read_text(encoding="utf-8")
    if sample.run:
        before, _, rest = script.partition(RUN)
        script = before + sample.run.strip() + "\n" + rest[rest.index(AFTER) :]
    lines = (
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in _settings(request, sample.model).items()
    )
    settings = "{\n " + ",\n ".join(lines) + "\n}\n"
    texts = {SCRIPT: script, SETTINGS: settings, **sample.files}
    return {name: text.encode() for name, text in texts.items()}


def entries(beside: Mapping[str, bytes]) -> dict[str, FileEntry]:
    """The files of :func:`sample_files` as a manifest has them."""
    return {name: FileEntry(sha256_bytes(data), len(data)) for name, data in beside.items()}


def has_sample(manifest: Manifest, beside: Mapping[str, bytes]) -> bool:
    """Whether an artifact has this very sample."""
    return {name: entry for name, entry in manifest.files.items() if is_sample(name)} == entries(beside)


def _settings(request: BuildRequest, model: str) -> dict[str, Any]:
    """What ``sample.json`` says; sizes are height and width, ``mean`` is empty where the target normalises."""
    package, variant = request.package, request.variant
    spec, settings, (tensor,) = package.spec, package.preprocess_spec(variant), package.spec.inputs.values()
    on_host = settings.normalize == "host"
    axes, shape = _layout(tensor, variant.spec.size, variant.spec.batch) if on_host else ((0, 1, 2), ())
    return {
        "model": model,
        "package": spec.name,
        "variant": variant.name,
        "input": next(iter(spec.inputs)),
        "size": variant.spec.size,
        "batch": variant.spec.batch,
        "placement": settings.placement,
        "rounding": 0.5 if settings.rounding == "nearest" else 0.0,
        "channels": (2, 1, 0) if settings.to_rgb else (0, 1, 2),
        "mean": _in_float32(settings.mean) if on_host else (),
        "factor": [1 / std for std in _in_float32(settings.std)] if on_host else (),
        "padding": settings.padding if on_host else _pixel(settings),
        "axes": axes,
        "shape": shape or (variant.spec.batch, *variant.spec.size, 3),
        "dtype": (tensor.dtype or "float32") if on_host else "uint8",
        "roles": ["rows" if item.role in ROWS else item.role for item in spec.outputs.values()],
        "columns": next(row for item in spec.outputs.values() if (row := item.meaning.row)),
        "score_threshold": spec.postprocess.score_threshold,
        "mask_threshold": spec.postprocess.mask_threshold,
        "classes": spec.classes,
    }


def _layout(
    tensor: TensorSpec, size: tuple[int, int], batch: int
) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """The axes of an image (H, W, 3) in the order of the input, and the input's shape."""
    last = tensor.shape[-1:] == (3,) != tensor.shape[-3:-2]
    axes, sides = ((0, 1, 2), (*size, 3)) if last else ((2, 0, 1), (3, *size))
    whole = (batch * sides[0], *sides[1:]) if len(tensor.shape) == 3 else (batch, *sides)
    return axes, whole


def _in_float32(values: Sequence[float]) -> list[float]:
    """Mean and std as mmdet's ``Normalize`` stores them."""
    return list(struct.unpack("<3f", struct.pack("<3f", *values)))


def _pixel(settings: PreprocessSpec) -> tuple[int, ...]:
    """The padding of an image's own bytes, BGR."""
    from convertkit.detection.letterbox import pad_pixel

    return pad_pixel(settings)[:: -1 if settings.to_rgb else 1]
