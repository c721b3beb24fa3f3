"""A model package that was opened: its record, its code, and its variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from convertkit.detection.roles import complaint
from convertkit.detection.settings import PreprocessSpec
from convertkit.errors import GraphError, SpecError, UnknownNameError
from convertkit.models.base import Model
from convertkit.models.classes import names_of
from convertkit.models.extending import extended, is_file
from convertkit.models.spec import OWN_CLASSES, ModelSpec, VariantSpec
from convertkit.models.yamlspec import read_record, read_yaml, to_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.types import Detections, Placement


@dataclass(frozen=True)
class Variant:
    """One concrete model.

    Attributes:
        name: for people: the key in ``model.yaml``, or the stem of the file.
        given: what names it on a command line: the key, or the file's path.
        spec: its record.
        root: the directory its relative paths start from.
    """

    name: str
    spec: VariantSpec
    root: Path
    given: str

    def path(self, relative: str) -> Path:
        """A file the variant names, as an absolute path."""
        return (self.root / relative).resolve()


@dataclass(frozen=True)
class ModelPackage:
    """A model package that was opened: data, code and where they lie."""

    root: Path
    spec: ModelSpec
    model: Model

    def variant(self, name: str | None = None) -> Variant:
        """A variant by name, or from a YAML file by path (``mini48.yaml``); the default one without a name.

        Raises:
            UnknownNameError: no such variant. SpecError: the file is not a variant.
        """
        return find_variant(self.root, self.spec, name)

    def detections(self, outputs: Mapping[str, NDArray[Any]], placement: Placement) -> Detections:
        """What the model finds in raw outputs.

        Raises:
            GraphError: the network has other classes than ``model.yaml`` lists.
        """
        for name, tensor in self.spec.outputs.items():
            if tensor.role == "masks" and name in outputs:
                refuse_class_count(self.spec, name, outputs[name].shape)
        found = self.model.postprocess(outputs, placement, self.spec.postprocess)
        classes = self.spec.classes
        if classes and len(found.labels) and not 0 <= (label := int(found.labels.max())) < len(classes):
            raise GraphError(
                f"label {label}, but `classes` lists {len(classes)} classes ({classes[0]} ... {classes[-1]})",
                hint=OWN_CLASSES,
            )
        return found

    def sample_images(self) -> Iterator[NDArray[Any]]:
        """The photos on which every pass is checked, ``(H, W, 3) uint8`` BGR: ``samples``, or the model's own.

        Raises:
            UsageError: one is missing, or no photo.
        """
        from convertkit.datasets.coco import decode, photo_bytes

        if not self.spec.samples:
            yield from self.model.sample_images()
        for name in self.spec.samples:
            yield decode(name, photo_bytes(self.root / name))

    def of(self, variant: Variant, classes: tuple[str, ...] | None = None) -> ModelPackage:
        """The package as a variant has it: with its own settings instead of the package's, and these classes."""
        own = {
            "classes": classes,
            "preprocess": variant.spec.preprocess,
            "postprocess": variant.spec.postprocess,
        }
        spec = msgspec.structs.replace(
            self.spec, **{key: value for key, value in own.items() if value is not None}
        )
        return replace(self, spec=spec, model=type(self.model)(spec))

    def preprocess_spec(self, variant: Variant) -> PreprocessSpec:
        """The variant's own preprocessing settings, else the package's."""
        return variant.spec.preprocess or self.spec.preprocess


def find_variant(root: Path, spec: ModelSpec, name: str | None = None) -> Variant:
    """As :meth:`ModelPackage.variant`, where only the data of a package was read."""
    name = name or spec.default_variant
    if is_file(name):
        return _from_file(root, spec, name)
    if name not in spec.variants:
        raise UnknownNameError("variant", name, spec.variants)
    return Variant(name, spec.variants[name], root, name)


def _from_file(root: Path, spec: ModelSpec, name: str, within: tuple[Path, ...] = ()) -> Variant:
    """The variant of a file; ``within`` are the files that extend it."""
    data, path = read_yaml(Path(name)), Path(name).resolve()
    if path in within:
        by_way = f", by way of {within[-1]}" if within[-1] != path else ""
        raise SpecError(f"{path}: extends itself{by_way}")
    other = data.get("extends") if isinstance(data, dict) else None
    if not isinstance(other, str):
        record = to_record(data, VariantSpec, where=name)
    else:
        if is_file(other):
            base = _from_file(root, spec, str(path.parent / other), (*within, path))
        else:
            base = _named(root, spec, other, name)
        record = to_record({"size": list(base.spec.size), **data}, VariantSpec, where=name)
        record = extended(record, data, base.spec, base.root, exports=spec.export is not None)
    check_variant(path, spec, path.stem, record)
    return Variant(path.stem, record, path.parent, name)


def _named(root: Path, spec: ModelSpec, other: str, file: str) -> Variant:
    try:
        return find_variant(root, spec, other)
    except UnknownNameError as error:
        raise error.about(f"{file}, extends") from error


def refuse_class_count(spec: ModelSpec, output: str, shape: Sequence[int]) -> None:
    """Refuses masks ``(N, classes, h, w)`` of another number of classes than ``model.yaml`` lists; 0 is not known."""
    if spec.classes and len(shape) == 4 and shape[1] > 0 and shape[1] != len(spec.classes):
        sides = ", ".join(str(side or "?") for side in shape)
        raise GraphError(
            f"the network has {shape[1]} classes ({output} ({sides})), `classes` lists {len(spec.classes)}",
            hint=OWN_CLASSES,
        )


def read_spec(root: Path) -> ModelSpec:
    """Only the data of a package, without loading its code; ``classes`` are names.

    Raises:
        SpecError: the file is not such a record.
    """
    file = Path(root) / "model.yaml"
    spec = read_record(file, ModelSpec)
    return msgspec.structs.replace(spec, classes=names_of(spec.classes, Path(root), str(file)))


def check_spec(spec: ModelSpec, root: Path) -> None:
    """Refuses what the record's types cannot say.

    Raises:
        SpecError: the default variant is not there, one has neither a graph nor a way to export one, or the outputs'
            roles do not make detections.
    """
    where = root / "model.yaml"
    if spec.default_variant not in spec.variants:
        known = ", ".join(sorted(spec.variants))
        raise SpecError(
            f"{where}: default_variant {spec.default_variant!r} is not among the variants ({known})"
        )
    if wrong := complaint([tensor.meaning for tensor in spec.outputs.values()]):
        raise SpecError(f"{where}: outputs: {wrong}")
    if spec.export is not None and (spec.export.like is None) == (spec.export.worker is None):
        raise SpecError(f"{where}: export: give either `like`, or `worker` and `environment`")
    for photo in spec.samples:
        if Path(photo).is_absolute() or ".." in Path(photo).parts:
            raise SpecError(f"{where}: samples: {photo} is not below the package's directory")
    for name, variant in spec.variants.items():
        if variant.extends is not None:
            raise SpecError(f"{where}: variant {name}: `extends` is for a variant in a file of its own")
        check_variant(where, spec, name, variant)


def check_variant(where: Path, spec: ModelSpec, name: str, variant: VariantSpec) -> None:
    """Refuses (SpecError) a variant of which no graph can come, and profiles among which there is nothing to choose."""
    if variant.stock is None and spec.export is None:
        raise SpecError(
            f"{where}: variant {name} has no graph: the package has no `export`",
            hint="give the variant `stock: FILE.onnx`",
        )
    if variant.stock is None and variant.config is None:
        raise SpecError(f"{where}: variant {name} has neither `config` nor `stock`")
    if variant.profiles and len(set(variant.profiles)) < max(2, len(variant.profiles)):
        raise SpecError(
            f"{where}: variant {name}: `profiles` are two or more different sizes",
            hint="one size alone is `size: [H, W]`",
        )


def describe(value: object) -> Any:
    """A record as plain data with every default spelt out: what is in force, for ``show`` and ``--json``."""
    if isinstance(value, msgspec.Struct):
        return {name: describe(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    return value
