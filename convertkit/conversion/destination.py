"""Where a build goes: the target by its name, with its options, its compiler, and whether it normalises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from convertkit.conversion.precision_plan import TakenPlan, with_plan
from convertkit.errors import SpecError, UnknownNameError, UsageError, nearest
from convertkit.models.package import ModelPackage, Variant
from convertkit.plugins.loading import Plugins
from convertkit.storage.files import canonical_json
from convertkit.targets.base import Target
from convertkit.targets.capabilities import chosen_compiler
from convertkit.targets.context import CompileContext
from convertkit.targets.pixels import Pixels


def destination(
    name: str,
    package: ModelPackage,
    variant: Variant,
    plugins: Plugins,
    *,
    options: Mapping[str, Any],
    compiler: str,
) -> tuple[Target, CompileContext, TakenPlan | None]:
    """The target, what the package, the variant and the user say of its compilation, and the plan that they name.

    Args:
        options: for its compiler, over those of the variant, which are over those of the package.
        compiler: where that is: ``auto``, ``local``, ``docker:IMAGE``, ``ssh:HOST`` or ``none``.

    Raises:
        UnknownNameError: no such target, or no such option. SpecError: the specification contradicts itself.
        UsageError: what is asked for cannot be had of the target. UnavailableError: its compiler is not here.
    """
    target, pixels = plugins.targets.get(name), _pixels(package, variant)
    target.passes(CompileContext(pixels=pixels))
    own, model = _specified(name, package, variant, plugins), package.spec.name
    specified, taken = with_plan(target, own, package.root, {}, model)
    _refuse_specified(target, CompileContext(_plain(specified), pixels), package)
    merged, given = with_plan(target, options, Path(), specified, model)
    if target.mixed is not None and target.mixed.option in options:
        taken = None
    context = CompileContext(_plain(merged), pixels)
    target.passes(context)
    return target, replace(context, compiler=chosen_compiler(target, compiler)), given or taken


def _refuse_specified(target: Target, context: CompileContext, package: ModelPackage) -> None:
    """A mistake in the options of the specification alone is told from one on a command line."""
    try:
        target.passes(context)
    except (UsageError, UnknownNameError) as error:
        where = f"{package.spec.name}: targets.{target.name}"
        raise SpecError(f"{where}: {error.message}", hint=error.hint) from error


def _specified(name: str, package: ModelPackage, variant: Variant, plugins: Plugins) -> dict[str, Any]:
    """What the specification says for this target. Targets of plugins that are not installed may be named in it."""
    known = [entry.name for entry in plugins.targets]
    for table in (package.spec.targets, variant.spec.targets):
        for key in table:
            if key not in known and (meant := nearest(key, known, cutoff=0.8)):
                raise SpecError(f"targets: unknown target {key!r}", hint=meant)
    return {**package.spec.targets.get(name, {}), **variant.spec.targets.get(name, {})}


def _plain(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options go into keys and manifests: dates, infinities and the like have no place there."""
    for name, value in options.items():
        try:
            canonical_json(value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"option {name!r} cannot be {value!r}", hint=str(error)) from error
    return options


def _pixels(package: ModelPackage, variant: Variant) -> Pixels | None:
    """What the target has to do with an image's bytes, where the package wants it to normalise."""
    spec = package.preprocess_spec(variant)
    if spec.normalize == "host":
        return None
    images = [name for name, tensor in package.spec.inputs.items() if tensor.role == "image"]
    if len(images) != 1:
        raise SpecError(
            f"{package.root / 'model.yaml'}: normalize: target needs one input of role image, there are {len(images)}"
        )
    return Pixels(images[0], variant.spec.size, spec)
