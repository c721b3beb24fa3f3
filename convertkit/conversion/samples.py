"""The sample inputs of a model package, on which every pass is checked."""

from __future__ import annotations

from itertools import cycle, islice

from convertkit.detection.batch import groups, stacked
from convertkit.detection.roles import Roles
from convertkit.graph.session import Arrays
from convertkit.models.package import ModelPackage, Variant
from convertkit.passes.check import Checker


def sample_checker(package: ModelPackage, variant: Variant) -> Checker:
    """A checker that runs the package's own sample photos, preprocessed for the variant's input size."""
    return Checker(sample_inputs(package, variant), roles_of(package), pictures=variant.spec.batch)


def sample_inputs(package: ModelPackage, variant: Variant) -> list[Arrays]:
    """The inputs of the stock graph for the package's own sample photos, by name.

    A run of several pictures takes the photos over again, so that no two neighbours are the same.
    """
    spec = package.preprocess_spec(variant).on_host()
    size, batch = variant.spec.size, variant.spec.batch
    found = [package.model.preprocess(image, size, spec)[0] for image in package.sample_images()]
    runs = -(-len(found) // batch)
    return [stacked(run, batch) for run in groups(islice(cycle(found), runs * batch), batch)]


def roles_of(package: ModelPackage) -> Roles:
    """What each output of the package's graphs means, in graph order."""
    return {name: tensor.meaning for name, tensor in package.spec.outputs.items()}
