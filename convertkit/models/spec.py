"""The shape of ``model.yaml`` and of a variant file, as frozen records.

Every record forbids unknown keys; :mod:`convertkit.models.yamlspec` turns a violation into one line that names
the file, the key and the nearest known key. Paths are relative to the file they stand in.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from convertkit.detection.roles import Column, Meaning
from convertkit.detection.settings import PostprocessSpec, PreprocessSpec

Positive = Annotated[int, Meta(gt=0)]
Pixels = Annotated[int, Meta(gt=0, le=1 << 16)]
MOST_PICTURES = 1024
"""In one run: more is a slip of the pen."""

Batch = Annotated[int, Meta(gt=0, le=MOST_PICTURES)]
Size = tuple[Pixels, Pixels]
"""Height and width in pixels, in this order."""

MOST_PROFILES = 100
"""As many as a compiler is known to take of one model."""

Name = Annotated[str, Meta(pattern=r"^[^/]{1,100}$")]
"""Part of the names of directories: of environments, datasets, artifacts."""

Role = Literal[
    "dets", "detections", "boxes", "scores", "labels", "count", "masks", "image", "other"
]  # fmt: skip

DType = Literal[
    "", "bool", "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip
"""Of a tensor; empty where nobody says."""


OWN_CLASSES = "give the variant the network's own list: `classes`, in the order of its labels"


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every record: immutable, strict about keys."""


class TensorSpec(Record, frozen=True):
    """One input or output of the stock graph.

    ``role`` says what the tensor means, so that checks may compare detections as sets: ``dets`` is
    ``(N, 5) float32 x1 y1 x2 y2 score, pixels of the network input``, ``detections`` ``(N, 6)`` with the label behind
    it, ``boxes`` ``(N, 4)`` alone; ``columns`` says another order, or boxes by ``cx cy w h``. ``scores`` and ``labels``
    (class indices) are ``(N,)``, ``count`` is how many of the N slots are filled, ``masks`` ``(N, C, h, w)`` or
    ``(N, h, w)`` probabilities inside the box. What is said of ``dtype`` and ``shape`` has to be true
    of the stock graph: ``H`` and ``W`` are the variant's size, any other letter is one size, whatever it is. A first
    axis of 1 is the picture's: that of a variant's ``batch``.
    """

    role: Role = "other"
    dtype: DType = ""
    shape: tuple[int | str, ...] = ()
    columns: tuple[Column, ...] = ()

    @property
    def meaning(self) -> Meaning:
        """What the tensor means."""
        return Meaning(self.role, self.columns)

    def of(self, batch: int) -> tuple[int | str, ...]:
        """The shape for so many pictures in one run."""
        return (batch, *self.shape[1:]) if self.shape[:1] == (1,) else self.shape

    def at(self, size: Size, batch: int = 1) -> tuple[int | str, ...]:
        """The shape for so many pictures of this height and width."""
        sides = dict(zip("HW", size, strict=True))
        return tuple(sides.get(side, side) if isinstance(side, str) else side for side in self.of(batch))


class EnvironmentSpec(Record, frozen=True):
    """The export environment: what pip installs, line by line, and with which variables.

    ``requirements`` is a file of pip's, ``variables`` are set in pip's environment.
    ``modules`` is what must be importable in the end; an interpreter the user names is asked for these.
    ``python`` lists the versions (``3.11``) it can be made from; any where there are none.
    """

    requirements: str
    variables: dict[str, str] = {}
    modules: tuple[str, ...] = ()
    python: tuple[str, ...] = ()


class OtherEnvironmentSpec(EnvironmentSpec, frozen=True):
    """An environment for ``--env``: another version of the framework, whose graphs may want other options of passes.

    ``passes`` are steps of a pipeline, each run in place of the pass of its name.
    """

    passes: tuple[str, ...] = ()


class ExportSpec(Record, frozen=True):
    """The export hook: a worker script run by the interpreter of the export environment; or ``like`` another package.

    ``worker`` is the script's file, ``environment`` what it needs, ``opset`` that of the graphs it writes.
    ``like`` is the name of a package, beside this one or of convertkit, whose worker and environment are taken.
    ``standalone`` says that it also takes the tasks ``check`` and ``weights``, in our interpreter, without a framework.
    ``environments`` are others that the same worker runs in, by the name that ``--env`` has for them.
    """

    worker: str | None = None
    environment: EnvironmentSpec | None = None
    like: Name | None = None
    opset: Positive = 11
    standalone: bool = False
    environments: dict[Name, OtherEnvironmentSpec] = {}


class ConfigSpec(Record, frozen=True):
    """The framework's configuration: a ``base`` config it ships, plus ``overrides``; or a JSON ``file`` with both."""

    base: str | None = None
    overrides: dict[str, Any] = {}
    file: str | None = None


class WeightsSpec(Record, frozen=True):
    """Where the checkpoint comes from: a file that travels with the package, or a download.

    ``path`` is the file; or ``url`` is fetched, of so many bytes (``size``) and with this ``sha256``.
    ``ema`` takes the second set of weights that it holds, as trainers with averaging leave it, for the model's own.
    """

    path: str | None = None
    url: str | None = None
    sha256: str | None = None
    size: Positive | None = None
    ema: bool = False


class DatasetSpec(Record, frozen=True):
    """A COCO dataset: a directory of images with an annotation file, or a generator in the package.

    ``annotations`` is a COCO instances file, ``images`` the directory of its photos.
    ``generator`` is ``FILE.py:FUNCTION``, called as ``function(directory, split, count)``; ``count`` is how many
    photos. A variant's own file may name only those that ``model.yaml`` names. ``split`` becomes part of a
    directory's name. ``opencv`` is the oldest version that draws the images which the accuracy spec was written
    for; those of an older one are not judged.
    """

    annotations: str | None = None
    images: str | None = None
    generator: str | None = None
    split: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")] = "heldout"
    count: Annotated[int, Meta(gt=0, le=10_000)] | None = None
    opencv: Annotated[str, Meta(pattern=r"\A\d{1,4}\.\d{1,4}\Z")] | None = None


class AccuracySpec(Record, frozen=True):
    """What the deployed model must reach: metrics (``AP``, ``AP50`` ...) by task, minus ``tolerance``.

    Tasks are ``bbox`` and ``segm``: of boxes and of masks, in 0..1.

    ``source`` says where the expected figures come from, ``images`` on how many images they were measured: a run
    over fewer is reported but not judged. ``framework`` holds the recorded figures of the framework itself.

    Gates hold for photos like those measured, so their 95 % interval decides, on any number of them: ``floor`` is the
    least by task and metric, ``drop`` by rung, task and metric the most that may be lost against that rung. A metric
    may be ``AP CATEGORY`` there. ``references`` are published figures by label, task and metric, shown and not judged.
    """

    bbox: dict[str, float] = {}
    segm: dict[str, float] = {}
    tolerance: Annotated[float, Meta(ge=0)] = 0.002
    images: Positive | None = None
    source: str = ""
    framework: dict[str, dict[str, float]] = {}
    floor: dict[str, dict[str, float]] = {}
    drop: dict[str, dict[str, dict[str, Annotated[float, Meta(ge=0)]]]] = {}
    references: dict[str, dict[str, dict[str, float]]] = {}


class PerformanceSpec(Record, frozen=True):
    """A recorded speed: images per second of computing alone (1000 x batch / mean compute ms), and who measured it.

    ``fps`` is that figure with ``batch`` pictures in one run, ``source`` who measured it.
    """

    fps: Annotated[float, Meta(gt=0)]
    batch: Positive = 1
    source: str = ""


class VariantSpec(Record, frozen=True):
    """One concrete model of a package: configuration, weights and input size; or an ONNX file, ``stock``, and its size.

    ``size`` is height and width in pixels, ``summary`` a line for ``convertkit list models``; ``config`` and
    ``weights`` are what is exported, ``dataset`` the photos of ``verify``, and ``accuracy`` what it judges by.
    ``classes``, ``preprocess`` and ``postprocess`` are instead of those of the package; ``classes`` is a list, a file
    with one name a line, or ``checkpoint``: the names that training wrote into it. ``batch`` is how many pictures one
    run takes. ``profiles`` are sizes to build one model each for, instead of ``size``: a photo goes to the one in which
    it keeps the largest scale. ``passes`` are steps of a pipeline, each run in place of the pass of its name, or where
    its own constraints put it. ``performance`` is by target, and so is ``targets``: options for its compiler, over
    those of the package. ``extends`` is for a file: another variant, by name or file, whose keys hold where this one
    leaves its own out.
    """

    size: Size
    extends: str | None = None
    config: ConfigSpec | None = None
    summary: str = ""
    weights: WeightsSpec = WeightsSpec()
    stock: str | None = None
    batch: Batch = 1
    profiles: Annotated[tuple[Size, ...], Meta(max_length=MOST_PROFILES)] = ()
    passes: tuple[str, ...] = ()
    dataset: DatasetSpec | None = None
    accuracy: AccuracySpec = AccuracySpec()
    performance: dict[str, PerformanceSpec] = {}
    targets: dict[str, dict[str, Any]] = {}
    preprocess: PreprocessSpec | None = None
    postprocess: PostprocessSpec | None = None
    classes: tuple[str, ...] | str | None = None


class ModelSpec(Record, frozen=True):
    """``model.yaml``: everything about a model package that is data rather than code.

    ``name`` and ``summary`` are what ``convertkit list models`` shows. ``inputs`` and ``outputs`` say by name what the
    stock graph's tensors mean, ``preprocess`` and ``postprocess`` what is done around it, ``classes`` the names of
    labels: a list, a file with one a line, or ``coco``. ``pipeline`` are the passes for every target; each target
    appends its own. ``variants`` are the concrete models by name, ``default_variant`` the one without ``--variant``.

    Without ``plugin`` photos and outputs are treated by their roles (:class:`convertkit.models.base.Model`); without
    ``export`` every variant is an ONNX file, its ``stock``. ``samples`` are photos on which every pass is checked.
    ``targets`` holds options for the compilers of targets, by target and name.
    """

    name: Name
    summary: str
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    preprocess: PreprocessSpec
    pipeline: tuple[str, ...]
    variants: dict[Name, VariantSpec]
    default_variant: str
    plugin: str | None = None
    export: ExportSpec | None = None
    samples: tuple[str, ...] = ()
    targets: dict[str, dict[str, Any]] = {}
    postprocess: PostprocessSpec = field(default_factory=PostprocessSpec)
    classes: tuple[str, ...] | str = ()

    @property
    def has_code(self) -> bool:
        """Whether anything of the package is run: its plugin, its export hook or a generator of photos."""
        datasets = (variant.dataset for variant in self.variants.values())
        generates = any(dataset is not None and dataset.generator for dataset in datasets)
        return bool(self.plugin or self.export or generates)
