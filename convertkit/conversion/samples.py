"""The sample inputs of a model package, on which every pass is checked."""

from __future__ import annotations

from convertkit.graph.session import Arrays
from convertkit.models.package import ModelPackage, Variant
from convertkit.passes.check import Checker


def sample_checker(package: ModelPackage, variant: Variant) -> Checker:
    """A checker that runs the package's own sample photos, preprocessed for the variant's input size."""
    return Checker(sample_inputs(package, variant), roles_of(package))


def sample_inputs(package: ModelPackage, variant: Variant) -> list[Arrays]:
    """The inputs of the stock graph for the package's own sample photos, by name."""
    spec = package.preprocess_spec(variant).on_host()
    size = variant.spec.size
    return [package.model.preprocess(image, size, spec)[0] for image in package.model.sample_images()]


def roles_of(package: ModelPackage) -> dict[str, str]:
    """What each output of the package's graphs means, in graph order."""
    return {name: tensor.role for name, tensor in package.spec.outputs.items()}
