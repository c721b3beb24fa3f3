"""What a job for the export worker is made of: interpreter, configuration, weights; nothing here imports torch."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from convertkit.build.events import Note, Progress, Report
from convertkit.build.request import BuildRequest
from convertkit.errors import SpecError, UnavailableError, UsageError
from convertkit.exporting.environment import Environment, ExternalPython, choose
from convertkit.exporting.fetch import file_name
from convertkit.exporting.worker import run_worker
from convertkit.failures import attempt
from convertkit.files import canonical_json, home, sha256_bytes, sha256_file
from convertkit.models.spec import WeightsSpec
from convertkit.process import run_child


def downloads_directory() -> Path:
    """Where ``convertkit fetch`` puts checkpoints."""
    return home() / "downloads"


def environment(request: BuildRequest) -> Environment | ExternalPython:
    """The interpreter to export with: ``--python``, ``CONVERTKIT_EXPORT_PYTHON``, or the managed environment."""
    return choose(_managed(request), request.python)


def environment_fact(request: BuildRequest) -> str:
    """A hash of what the interpreter holds: the managed environment's key, or the named one's installed versions."""
    chosen = environment(request)
    if isinstance(chosen, Environment):
        return chosen.key
    return sha256_bytes(
        canonical_json(_installed(chosen.python, _managed(request).requirements.distributions))
    )


def config(request: BuildRequest) -> dict[str, Any]:
    """``{"base": ..., "overrides": {...}}`` of the variant.

    Raises:
        SpecError: neither a base nor a file, or a file that is not such JSON.
    """
    spec = request.variant.spec.config
    if spec.file is None:
        if spec.base is None:
            raise SpecError(f"variant {request.variant.name}: config needs 'base' or 'file'")
        return {"base": spec.base, "overrides": spec.overrides}
    path = request.variant.path(spec.file)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {"base": spec.base or data["base"], "overrides": spec.overrides or data.get("overrides", {})}
    except FileNotFoundError:
        raise SpecError(f"variant {request.variant.name}: config file {path} is missing") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SpecError(f"{path}: not a configuration with 'base' and 'overrides' ({error})") from error


def weights(request: BuildRequest) -> dict[str, Any]:
    """``{"random": seed}`` or ``{"checkpoint": path}``."""
    if request.seed is not None:
        return {"random": request.seed}
    return {"checkpoint": str(checkpoint(request))}


def weights_fact(request: BuildRequest) -> dict[str, Any]:
    """The same by content, for cache keys."""
    if request.seed is not None:
        return {"random": request.seed}
    return {"checkpoint": _digest(checkpoint(request))}


def checkpoint(request: BuildRequest) -> Path:
    """The checkpoint file: ``--weights``, the package's own, or a download that is there already.

    Raises:
        UsageError: the variant names none. UnavailableError: it is still to be downloaded.
    """
    if request.weights is not None:
        return Path(request.weights).resolve()
    spec = request.variant.spec.weights
    if spec.path is not None:
        path = request.variant.path(spec.path)
        if not path.is_file():
            raise SpecError(f"variant {request.variant.name}: weights {path} are missing")
        return path
    return _downloaded(request, spec)


def run_job(request: BuildRequest, job: dict[str, Any], report: Report, **hooks: Any) -> dict[str, Any]:
    """Runs the package's worker on a job, in an environment that is built first where it has to be.

    Args:
        hooks: ``on_result`` and ``timeout`` of :func:`convertkit.exporting.worker.run_worker`.
    """
    chosen = environment(request)
    python = chosen.ensure(
        on_progress=lambda step: report(Progress(f"export environment: {step.what}", step.step, step.steps)),
        on_wait=lambda phrase: report(Note(f"waiting for the export environment: {phrase}")),
    )
    script = request.package.root / request.package.spec.export.worker
    if not script.is_file():
        raise SpecError(f"{request.package.root / 'model.yaml'}: export worker {script} is missing")
    base = {"config": config(request), "weights": weights(request), "size": list(request.variant.spec.size)}
    with attempt("worker") as workdir:
        return run_worker(
            python,
            script,
            {**base, **job},
            on_progress=lambda what, done, total: report(Progress(what, done, total)),
            workdir=workdir,
            **hooks,
        )


def _managed(request: BuildRequest) -> Environment:
    package = request.package
    return Environment.of(package.spec.name, package.spec.export.environment, package.root)


def _downloaded(request: BuildRequest, spec: WeightsSpec) -> Path:
    name = request.variant.name
    if spec.url is None:
        raise UsageError(f"variant {name} names no weights", hint="give --weights CHECKPOINT or random:SEED")
    path = downloads_directory() / file_name(spec.url)
    if not path.is_file():
        raise UnavailableError(
            f"the checkpoint of variant {name} is not on this machine",
            hint=f"run convertkit fetch {request.package.root} --variant {name}, or give --weights CHECKPOINT",
        )
    return path


@functools.lru_cache(maxsize=8)
def _installed(python: Path, distributions: tuple[str, ...]) -> dict[str, str]:
    """Versions by metadata alone: importing torch to learn its version would take seconds on every build."""
    code = (
        "import importlib.metadata as m, json, sys; have = {d.metadata['Name'].lower(): d.version for d in"
        " m.distributions()}; print(json.dumps({n: have.get(n.lower(), '-') for n in sys.argv[1:]}))"
    )
    done = run_child([python, "-I", "-c", code, *distributions], timeout=60.0)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@functools.lru_cache(maxsize=8)
def _digest(path: Path) -> str:
    return sha256_file(path)
