"""What a job for the export worker is made of: interpreter, configuration, weights; nothing here imports torch."""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from convertkit.conversion import python_config
from convertkit.conversion.events import Note, Progress, Report
from convertkit.conversion.examine import examine
from convertkit.conversion.request import BuildRequest
from convertkit.downloads.fetch import downloads_directory, file_name
from convertkit.errors import SpecError, UnavailableError, UsageError
from convertkit.exporting.environment import Environment, choose
from convertkit.exporting.interpreter import ExternalPython, installed
from convertkit.exporting.worker import run_worker
from convertkit.models.hook import hook_of
from convertkit.models.package import ModelPackage, Variant
from convertkit.models.spec import WeightsSpec
from convertkit.models.yamlspec import read_json
from convertkit.storage.failures import attempt
from convertkit.storage.files import canonical_json, sha256_bytes, sha256_file

_WRITTEN_OUT = (
    "write config: {base: FILE OF THE FRAMEWORK, overrides: {...}} with what differs, for three classes overrides: "
    "{model: {roi_head: {bbox_head: {num_classes: 3}, mask_head: {num_classes: 3}}}}"
)


def environment(request: BuildRequest) -> Environment | ExternalPython:
    """The interpreter to export with: ``--python``, ``CONVERTKIT_EXPORT_PYTHON``, or the managed environment.

    The variable does not mean one that ``--env`` names.
    """
    managed, named = _managed(request), request.asked.python
    return managed if request.asked.env is not None and named is None else choose(managed, named)


def missing_environment(request: BuildRequest) -> str:
    """The command that builds what an export of the request needs; empty where that is there."""
    chosen, asked = environment(request), request.asked
    if not isinstance(chosen, Environment) or chosen.ready:
        return ""
    words = ["convertkit", "env", "build", str(asked.model), *(["--env", asked.env] if asked.env else [])]
    return shlex.join(words)


def environment_fact(request: BuildRequest) -> str:
    """A hash of what the interpreter holds: the managed environment's key, or the named one's installed versions."""
    chosen = environment(request)
    if isinstance(chosen, Environment):
        return chosen.key
    return sha256_bytes(
        canonical_json(installed(chosen.python, _managed(request).requirements.distributions))
    )


def config(request: BuildRequest) -> dict[str, Any]:
    """``{"base": ..., "overrides": {...}}`` of the variant, or ``{"file": ..., "overrides": {...}}``: one in Python.

    Raises:
        SpecError: neither a base nor a file, a base out of the framework's configs, or a file that is not such JSON.
    """
    spec, where = request.variant.spec.config, f"variant {request.variant.name}"
    if spec is None:
        raise SpecError(f"{where}: there is no `config` to make the network from")
    if spec.file is None:
        if spec.base is None:
            raise SpecError(f"{where}: config needs 'base' or 'file'")
        return _with_checked_base({"base": spec.base, "overrides": spec.overrides}, where)
    path = request.variant.path(spec.file)
    if path.suffix == ".py":
        return {"file": str(path), "overrides": spec.overrides}
    data = read_json(path)
    data = data if isinstance(data, dict) else {}
    found = {"base": spec.base or data.get("base"), "overrides": spec.overrides or data.get("overrides", {})}
    if not isinstance(found["base"], str) or not isinstance(found["overrides"], dict):
        raise SpecError(f"{path}: not a configuration with 'base' and 'overrides'", hint=_WRITTEN_OUT)
    return _with_checked_base(found, str(path))


def config_fact(request: BuildRequest) -> dict[str, Any]:
    """The same by content, for cache keys."""
    found = config(request)
    return found if "file" not in found else {**found, "file": python_config.content(Path(found["file"]))}


def _with_checked_base(found: dict[str, Any], where: str) -> dict[str, Any]:
    """The configuration, if its base can be one that the framework ships, wherever that is installed."""
    base = found["base"]
    if re.search(r"[\\:]", base) or PurePosixPath(base).is_absolute() or ".." in PurePosixPath(base).parts:
        raise SpecError(
            f"{where}: config base {base!r} is not a relative path below the framework's own configs, with '/'",
            hint="a configuration of your own is config: {file: my_config.py}",
        )
    return found


def weights(request: BuildRequest) -> dict[str, Any]:
    """``{"random": seed}``, or ``{"checkpoint": path}`` with ``"ema": true`` where the variant says so."""
    if request.seed is not None:
        return {"random": request.seed}
    return {"checkpoint": str(checkpoint(request)), **_ema(request)}


def weights_fact(request: BuildRequest) -> dict[str, Any]:
    """The same by content, for cache keys."""
    if request.seed is not None:
        return {"random": request.seed}
    return {"checkpoint": _digest(checkpoint(request)), **_ema(request)}


def _ema(request: BuildRequest) -> dict[str, bool]:
    return {"ema": True} if request.variant.spec.weights.ema else {}


def checkpoint(request: BuildRequest) -> Path:
    """The checkpoint file: ``--weights``, the package's own, or a download that is there already.

    Raises:
        UsageError: the variant names none. UnavailableError: it is still to be downloaded.
    """
    return checkpoint_of(request.package, request.variant, request.asked.weights)


def checkpoint_of(package: ModelPackage, variant: Variant, weights: str | None) -> Path:
    """The same before there is a request; ``weights`` is what was asked for instead of the variant's own."""
    if weights is not None and not weights.startswith("random:"):
        return Path(weights).resolve()
    spec = variant.spec.weights
    if spec.path is not None:
        path = variant.path(spec.path)
        if not path.is_file():
            raise SpecError(f"variant {variant.name}: weights {path} are missing")
        return path
    return _downloaded(package, variant, spec)


def run_job(request: BuildRequest, job: dict[str, Any], report: Report, **hooks: Any) -> dict[str, Any]:
    """Runs the package's worker on a job, in an environment that is built first where it has to be.

    What can be refused without the framework is refused before that.

    Args:
        hooks: ``on_result`` and ``timeout`` of :func:`convertkit.exporting.worker.run_worker`.
    """
    package, variant = request.package, request.variant
    hook = hook_of(package.root, package.spec)
    script = hook.script()
    base = {"config": config(request), "weights": weights(request), "size": list(variant.spec.size)}
    whole = {**base, **job, "expected": _expected(package)}
    if hook.standalone:
        found = examine(package.root, package.spec, variant.spec, {"task": "check", "job": whole})
        for remark in found["remarks"]:
            report(Note(f"checkpoint: {remark}"))
    chosen = environment(request)
    python = chosen.ensure(
        on_progress=lambda step: report(Progress(f"export environment: {step.what}", step.step, step.steps)),
        on_wait=lambda phrase: report(Note(f"waiting for the export environment: {phrase}")),
    )
    with attempt("worker") as workdir:
        done = run_worker(
            python,
            script,
            whole,
            on_progress=lambda what, done, total: report(Progress(what, done, total)),
            workdir=workdir,
            **hooks,
        )
    for remark in done.get("remarks", ()):
        report(Note(f"config: {remark}"))
    return done


def _expected(package: ModelPackage) -> dict[str, Any]:
    """What a configuration may say, too: the number of classes, pixels, and the thresholds of postprocessing."""
    spec = package.spec
    classes = {"classes": len(spec.classes)} if spec.classes else {}
    return {**classes, **pixels(package), **msgspec.structs.asdict(spec.postprocess)}


def pixels(package: ModelPackage) -> dict[str, Any]:
    """How photos are normalised, which a checkpoint or a configuration may say otherwise."""
    spec = package.spec.preprocess
    return {"mean": spec.mean, "std": spec.std, "to_rgb": spec.to_rgb}


def _managed(request: BuildRequest) -> Environment:
    hook = hook_of(request.package.root, request.package.spec, request.asked.env)
    return Environment.of(hook.name, hook.environment, hook.root)


def _downloaded(package: ModelPackage, variant: Variant, spec: WeightsSpec) -> Path:
    name = variant.name
    if spec.url is None:
        raise UsageError(f"variant {name} names no weights", hint="give --weights CHECKPOINT or random:SEED")
    path = downloads_directory() / file_name(spec.url)
    if not path.is_file():
        raise UnavailableError(
            f"the checkpoint of variant {name} is not on this machine",
            hint=f"run convertkit fetch {package.root} --variant {name}, or give --weights CHECKPOINT",
        )
    return path


@functools.lru_cache(maxsize=8)
def _digest(path: Path) -> str:
    return sha256_file(path)
