"""The key of a rung: a hash of everything that decides what it finds in a photo, besides the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2

from convertkit.conversion import framework
from convertkit.conversion.keys import compile_facts, tool_versions
from convertkit.conversion.request import BuildRequest
from convertkit.models.hook import hook_of
from convertkit.models.package import describe
from convertkit.rungs.names import RungName
from convertkit.storage.files import canonical_json, sha256_bytes, tree_digest
from convertkit.targets.context import PLAIN

_PRODUCT = Path(__file__).parents[1]


def rung_key(rung: RungName, requests: Sequence[BuildRequest], models: Sequence[str]) -> str:
    """sha256 of what a rung's detections depend on, the photo left out.

    Covers the model's bytes, preprocessing and postprocessing, sizes and batch, the code of the package, of the
    target and of convertkit, and the versions underneath. Not the processor: a run that goes on elsewhere may mix two.

    Args:
        requests, models: one request for each profile, and the digest of what is run of it; of the framework's rung
            :func:`framework_digest`.
    """
    package, variant = requests[0].package, requests[0].variant
    facts: dict[str, Any] = {
        "rung": [rung.source, rung.passes, rung.emulation, rung.variation, rung.runtime],
        "models": list(models),
        "sizes": [list(request.variant.spec.size) for request in requests],
        "batch": variant.spec.batch,
        "package": tree_digest(package.root),
        "spec": describe(package.spec.postprocess),
        "preprocess": describe(package.preprocess_spec(variant)),
        "roles": {name: [one.role, *one.columns] for name, one in package.spec.outputs.items()},
        "classes": list(package.spec.classes),
        "product": tree_digest(_PRODUCT),
        "versions": versions(),
        "domains": target_source(requests[0]),
    }
    if rung.emulation or rung.source == "target":
        facts["target"] = _target(requests[0])
    return sha256_bytes(canonical_json(facts))


def framework_digest(request: BuildRequest) -> str:
    """Of what the framework's own rung runs: its environment, the package's worker, configuration and weights."""
    facts = {
        "environment": framework.environment_fact(request),
        "worker": tree_digest(hook_of(request.package.root, request.package.spec).worker.parent),
        "config": framework.config_fact(request),
        "weights": framework.weights_fact(request),
    }
    return sha256_bytes(canonical_json(facts))


def target_source(request: BuildRequest) -> dict[str, Any]:
    """The code of the target, whose operators every graph behind its passes is lowered by."""
    facts = compile_facts(request.target, PLAIN)
    return {name: facts[name] for name in ("source", "versions")}


def _target(request: BuildRequest) -> dict[str, Any]:
    """Without the compiler, which this machine need not have: what it made is in the artifact's digest."""
    return compile_facts(request.target, replace(request.context, compiler=None))


def versions() -> dict[str, str]:
    """Of what is underneath a photo's way to detections."""
    own = {"convertkit": version("convertkit-compiler"), "hotcoco": version("hotcoco")}
    return {**tool_versions(), **own, "opencv": str(cv2.__version__)}
