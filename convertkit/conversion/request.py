"""What is asked of a build, resolved: package, variant, weights, target, pipeline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from convertkit.conversion.classes import class_names
from convertkit.conversion.destination import destination
from convertkit.conversion.precision_plan import TakenPlan
from convertkit.detection.profiles import Size, size_text
from convertkit.errors import ConvertkitError, SpecError, UnknownNameError, UsageError
from convertkit.models.hook import hook_of
from convertkit.models.package import ModelPackage, Variant
from convertkit.models.spec import MOST_PICTURES, OtherEnvironmentSpec
from convertkit.passes.base import Pass
from convertkit.passes.options import build, parse_step, step_text
from convertkit.passes.pipeline import OrderError, Pipeline
from convertkit.plugins.loading import Plugins
from convertkit.plugins.packages import open_package
from convertkit.targets.base import Target
from convertkit.targets.context import CompileContext

Origin = Literal["auto", "stock", "checkpoint"]
"""Where the stock graph comes from: the file that travels with the variant, or a new export of the checkpoint."""

_RANDOM = re.compile(r"random:(\d{1,9})")


@dataclass(frozen=True)
class Asked:
    """A build in a person's words: names and paths, nothing looked up yet.

    Attributes:
        model: directory of the package.
        variant: by name, or the path of a variant's YAML file; None for the package's own.
        weights: ``random:SEED``, a checkpoint's path, or None for the variant's own.
        origin: where the stock graph comes from.
        python: interpreter of the export environment to use instead of the managed one.
        env: which of the package's export environments to use instead of its own; the model is exported with it.
        pipeline: step texts to run instead of the model's own. The target's follow in any case, but for those that
            the given ones end with.
        batch: how many pictures one run takes, instead of the variant's own.
        profile: one of the variant's sizes, which is then built alone.
        sizing: step texts to run in front of all others.
        check: run every pass's numeric check.
        compiler: where the target's compiler is: ``auto``, ``local``, ``docker:IMAGE``, ``ssh:HOST`` or ``none``.
        options: for the target's compiler, over what the package and the variant say.
    """

    model: Path
    variant: str | None = None
    target: str = "cpu"
    weights: str | None = None
    origin: Origin = "auto"
    python: Path | None = None
    env: str | None = None
    pipeline: Sequence[str] | None = None
    batch: int | None = None
    profile: Size | None = None
    sizing: Sequence[str] = ()
    check: bool = True
    compiler: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BuildRequest:
    """Everything a build needs to know: what was asked, and what its names stand for.

    Attributes:
        context: what the target's compilation is told.
        plan: whose nodes its options keep, where they came from a file.
    """

    asked: Asked
    package: ModelPackage
    variant: Variant
    target: Target
    context: CompileContext
    pipeline: Pipeline
    plugins: Plugins
    plan: TakenPlan | None = None

    @property
    def seed(self) -> int | None:
        """The seed of ``random:SEED`` weights, else None."""
        match = _RANDOM.fullmatch(self.asked.weights or "")
        return int(match.group(1)) if match else None

    @property
    def from_stock(self) -> bool:
        """Whether the stock graph is a file that exists already."""
        asked = self.asked
        anew = asked.origin == "checkpoint" or asked.weights is not None or asked.env is not None
        return not anew and self.variant.spec.stock is not None

    @property
    def label(self) -> str:
        """``maskrcnn-mini-cpu``: names the artifact's directory."""
        weights = self.asked.weights
        suffix = "" if weights is None else "-" + re.sub(r"[^A-Za-z0-9]+", "-", Path(weights).stem)
        batch = self.variant.spec.batch
        suffix += f"-batch{batch}" if batch > 1 else ""
        suffix += f"-{self.asked.env}" if self.asked.env is not None else ""
        return f"{self.package.spec.name}-{self.variant.name}{suffix}-{self.target.name}"

    @property
    def profile(self) -> str:
        """``800x1216`` where the variant has several sizes and this is one of them, else empty."""
        return size_text(self.asked.profile) if self.asked.profile else ""

    @property
    def directory(self) -> Path:
        """Where the artifact goes unless somebody says otherwise."""
        return Path("build") / self.label / self.profile


def make_request(asked: Asked, plugins: Plugins) -> BuildRequest:
    """Resolves names and paths into a request.

    Raises:
        UsageError and its kin: a name nobody knows, a file that is missing, options that exclude each other.
    """
    package = open_package(asked.model, plugins)
    chosen = _of_batch(package, _of_profile(package, package.variant(asked.variant), asked), asked)
    package = package.of(chosen, class_names(package, chosen, asked.weights))
    place, context, taken = destination(
        asked.target, package, chosen, plugins, options=asked.options, compiler=asked.compiler
    )
    _check_weights(asked.weights, asked.origin)
    more = _of_variant(chosen, plugins)
    own = _by_name([*_passes_of_env(package, asked, plugins), *more])
    if asked.origin == "stock" and chosen.spec.stock is None:
        raise UsageError(f"variant {chosen.name} has no stock graph of its own", hint="use --from checkpoint")
    texts = _with(own, package.spec.pipeline) if asked.pipeline is None else asked.pipeline
    steps = _pipeline(
        [*asked.sizing, *texts], place.name, _with(own, place.passes(context)), plugins
    ).with_more(more)
    _refuse_other_sizes(steps, package, chosen)
    return BuildRequest(asked, package, chosen, place, context, steps, plugins, taken)


def make_requests(asked: Asked, plugins: Plugins) -> tuple[BuildRequest, ...]:
    """One request for each of the variant's profiles, in their order; else the only one, as :func:`make_request`."""
    variant = open_package(asked.model, plugins).variant(asked.variant)
    sizes = variant.spec.profiles if asked.profile is None else ()
    each = [replace(asked, profile=size) for size in sizes] or [asked]
    return tuple(make_request(one, plugins) for one in each)


def at_size(asked: Asked, size: Size, plugins: Plugins) -> Asked:
    """The same at a size that was recorded, where the variant has several to choose from."""
    several = open_package(asked.model, plugins).variant(asked.variant).spec.profiles
    return replace(asked, profile=size) if several else asked


def _of_profile(package: ModelPackage, variant: Variant, asked: Asked) -> Variant:
    """The variant at the size that is asked for: a new export, but for the size that its own file was made for."""
    spec, size = variant.spec, asked.profile
    texts = [size_text(one) for one in dict.fromkeys((*spec.profiles, spec.size))]
    if not spec.profiles and size is None:
        return variant
    if size is None:
        raise UsageError(
            f"variant {variant.name} has profiles {', '.join(texts[: len(spec.profiles)])}, one is taken here",
            hint=f"give --profile {texts[0]}",
        )
    if not spec.profiles:
        raise UsageError(f"--profile {size_text(size)}: variant {variant.name} has no profiles")
    if size_text(size) not in texts:
        raise UnknownNameError(f"profile of variant {variant.name}", size_text(size), texts)
    keep = size == spec.size or asked.origin == "stock" or package.spec.export is None
    stock = spec.stock if keep else None
    return replace(variant, spec=msgspec.structs.replace(spec, size=size, profiles=(), stock=stock))


def _of_batch(package: ModelPackage, variant: Variant, asked: Asked) -> Variant:
    """The variant for the number of pictures that is asked for: a new export, for which its own file was not made."""
    if asked.batch is None or asked.batch == variant.spec.batch:
        return variant
    keep = asked.origin == "stock" or package.spec.export is None
    stock = variant.spec.stock if keep else None
    if not 1 <= asked.batch <= MOST_PICTURES:
        raise UsageError(f"--batch {asked.batch}: a run takes 1 to {MOST_PICTURES} pictures")
    return replace(variant, spec=msgspec.structs.replace(variant.spec, batch=asked.batch, stock=stock))


def _pipeline(texts: Sequence[str], target: str, passes: Sequence[str], plugins: Plugins) -> Pipeline:
    given, own = [parse_step(text)[0] for text in texts], [parse_step(text)[0] for text in passes]
    there = next(count for count in range(len(own), -1, -1) if given[len(given) - count :] == own[:count])
    try:
        return Pipeline.parse([*texts, *passes[there:]], plugins.passes)
    except OrderError as error:
        if twice := ", ".join(name for name in dict.fromkeys(given) if name in own):
            error.hint = f"{target} runs {', '.join(own)} after the others itself: leave out {twice}"
        raise


def _refuse_other_sizes(pipeline: Pipeline, package: ModelPackage, variant: Variant) -> None:
    """What a package's photos are made into has the sizes that it declares, so no pass may set others."""
    inputs = package.spec.inputs
    wanted = [item for step in pipeline.steps for item in step.input_shapes().items() if item[0] in inputs]
    for name, told in wanted:
        declared = inputs[name].at(variant.spec.size, variant.spec.batch)
        pairs = zip(told, declared, strict=False)
        if any(size != -1 and isinstance(side, int) and side not in (-1, size) for size, side in pairs):
            shown, sides = ",".join(map(str, told)), ",".join(map(str, declared))
            raise UsageError(
                f"set-input-shape: {name}:{shown} is not the {name}:{sides} of variant {variant.name}",
                hint="its photos are made for `size`: give a variant file with another",
            )


def _passes_of_env(package: ModelPackage, asked: Asked, plugins: Plugins) -> list[Pass]:
    """The steps that the environment has otherwise."""
    if asked.env is None:
        return []
    environment = hook_of(package.root, package.spec, asked.env).environment
    if asked.origin == "stock":
        raise UsageError("--env and --from stock exclude each other", hint="leave one of them out")
    texts = environment.passes if isinstance(environment, OtherEnvironmentSpec) else ()
    return _built(texts, plugins)


def _of_variant(variant: Variant, plugins: Plugins) -> list[Pass]:
    """The steps that it has itself."""
    where = f"variant {variant.given}, passes"
    try:
        steps = _built(variant.spec.passes, plugins)
    except ConvertkitError as error:
        raise error.about(where) from error
    names = [step.name for step in steps]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise SpecError(f"{where}: {twice} is there twice", hint="leave one of them out")
    return steps


def _built(texts: Sequence[str], plugins: Plugins) -> list[Pass]:
    return [build(plugins.passes.get(name), options) for name, options in map(parse_step, texts)]


def _by_name(steps: Sequence[Pass]) -> dict[str, str]:
    return {step.name: step_text(step) for step in steps}


def _with(own: Mapping[str, str], texts: Sequence[str]) -> list[str]:
    """Steps, with those of the environment and of the variant in place of the same passes."""
    return [own.get(parse_step(text)[0], text) for text in texts]


def _check_weights(weights: str | None, origin: Origin) -> None:
    if weights is None:
        return
    if origin == "stock":
        raise UsageError("--weights and --from stock exclude each other", hint="leave one of them out")
    if weights.startswith("random"):
        if not _RANDOM.fullmatch(weights):
            raise UsageError(f"--weights {weights!r}: expected random:SEED, a whole number, like random:0")
        return
    if not Path(weights).is_file():
        raise UsageError(
            f"--weights {weights}: no such file", hint="give a checkpoint's path, or random:SEED"
        )
