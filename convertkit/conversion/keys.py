"""The keys of steps: a hash of everything that a step's result depends on.

A step's key covers the key of the step before it, so the last key names the whole build. Nothing heavy is
imported here: a build that has nothing to do computes keys and compares.
"""

from __future__ import annotations

import itertools
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from convertkit.passes.base import Pass, source_digest
from convertkit.passes.options import step_text
from convertkit.storage.files import canonical_json, sha256_bytes, sha256_file, tree_digest

if TYPE_CHECKING:
    from convertkit.models.package import ModelPackage, Variant
    from convertkit.targets.base import Target
    from convertkit.targets.context import CompileContext
    from convertkit.targets.pixels import Pixels

TOOLS = (
    *("onnx", "onnx-graphsurgeon", "onnxsim", "onnxruntime", "numpy"),
    *("onnx_ir", "onnxscript", "onnxslim", "onnxoptimizer"),
)
"""Distributions whose version decides what a pass does."""

NO_SAMPLES = frozenset({".pyc", ".onnx", ".pth", ".md", ".yaml", ".yml"})
"""Suffixes of files in a model package that no sample is made of: compiled Python, weights, words, settings."""

MOST_LINKED = 10_000
"""Files of a linked directory that are looked at: it may be a whole dataset, so only at their sizes and times."""

RECORDS = 3
"""What the store keeps beside a pass's graph, counted up when that changes: entries of another form are not found."""

CORE = ("graph", "heads", "passes")
"""Rooms that decide what a pass or a lowering does."""

_CORE = Path(__file__).parents[1]


def step_key(kind: str, facts: dict[str, Any], previous: str | None = None) -> str:
    """sha256 of a step's kind, facts and predecessor, as canonical JSON."""
    return sha256_bytes(canonical_json({"kind": kind, "previous": previous, **facts}))


def pass_facts(step: Pass) -> dict[str, Any]:
    """What a pass's result depends on besides the graph before it."""
    own = {"pass": step_text(step), "source": source_digest(type(step))}
    return {**own, "records": RECORDS, **core_facts()}


def samples_fact(package: ModelPackage, variant: Variant) -> str:
    """sha256 over what a package's checks depend on besides the graphs: what samples are made of, and roles of outputs.

    Other samples, or the first ones, are a reason to check again. Decoding them here would take longer than the rest of
    a build that has nothing to do.
    """
    found = sorted(package.root.rglob("*"))
    files = {
        str(path.relative_to(package.root)): sha256_file(path)
        for path in found
        if path.suffix not in NO_SAMPLES and path.is_file()
    }
    linked = [path for path in found if path.is_symlink() and path.is_dir()]
    files |= {
        str(path.relative_to(package.root)): f"{path.stat().st_size} bytes of {path.stat().st_mtime_ns}"
        for directory in linked
        for path in sorted(itertools.islice(directory.rglob("*"), MOST_LINKED))
        if path.is_file()
    }
    facts = {
        "files": files,
        "preprocess": msgspec.to_builtins(package.preprocess_spec(variant).on_host()),
        "roles": {name: [one.role, *one.columns] for name, one in package.spec.outputs.items()},
        "size": list(variant.spec.size),
        "batch": variant.spec.batch,
        "samples": list(package.spec.samples),
        "comparing": tree_digest(_CORE / "detection"),
    }
    return sha256_bytes(canonical_json(facts))


def compile_facts(target: Target, context: CompileContext) -> dict[str, Any]:
    """What a compiled artifact depends on besides the target graph."""
    facts = {"target": target.name, "source": _source(target), "versions": target.versions(), **core_facts()}
    if context.compiler is not None:
        facts["compiler"] = context.compiler.identity
    if context.options:
        facts["options"] = dict(context.options)
    if context.pixels is not None:
        facts["pixels"] = _pixels(context.pixels)
    return facts


def _pixels(pixels: Pixels) -> dict[str, Any]:
    settings = {name: getattr(pixels.spec, name) for name in ("mean", "std", "to_rgb")}
    return {"input": pixels.input, "size": list(pixels.size), **settings}


def core_facts() -> dict[str, Any]:
    """Versions of the tools underneath, and the sources of what passes and targets of every kind are made with."""
    return {"tools": tool_versions(), "core": [tree_digest(_CORE / room) for room in CORE]}


def tool_versions() -> dict[str, str]:
    """Distribution -> installed version (``-`` where it is absent)."""
    return {name: _version(name) for name in TOOLS}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def _source(target: Target) -> str:
    from convertkit.passes.base import class_source

    return tree_digest(class_source(type(target)))
