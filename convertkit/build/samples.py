"""The sample inputs of a model package, on which every pass is checked."""

from __future__ import annotations

from convertkit.models.package import ModelPackage, Variant
from convertkit.passes.check import Checker


def sample_checker(package: ModelPackage, variant: Variant) -> Checker:
    """A checker that runs the package's own sample photos, preprocessed for the variant's input size."""
    spec = package.preprocess_spec(variant)
    size = variant.spec.size
    samples = [package.model.preprocess(image, size, spec)[0] for image in package.model.sample_images()]
    roles = {name: tensor.role for name, tensor in package.spec.outputs.items()}
    return Checker(samples, roles)
