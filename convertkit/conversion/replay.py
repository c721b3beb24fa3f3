"""Following a manifest: is the artifact what it says, and does the same work give the same result?"""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from convertkit.conversion.engine import build
from convertkit.conversion.events import Report, silent
from convertkit.conversion.manifest import Manifest, StepEntry, is_untouched, read_manifest
from convertkit.conversion.request import Asked, Origin, at_size, make_request
from convertkit.conversion.standalone import digest_of_files, without_sample
from convertkit.conversion.store import Store
from convertkit.errors import SpecError
from convertkit.passes.history import NO_CHECK
from convertkit.plugins.loading import Plugins
from convertkit.storage.files import sha256_file, work_directory
from convertkit.targets.capabilities import product_of


class Finding(Struct, frozen=True):
    """One thing that was compared: what, and whether it holds."""

    what: str
    ok: bool


class _Stock(Struct, frozen=True):
    """What a stock graph was made of, as far as it is needed to make it again."""

    origin: str = ""
    weights: dict[str, Any] | None = None

    @property
    def random_weights(self) -> str | None:
        seed = (self.weights or {}).get("random")
        return None if seed is None else f"random:{seed}"

    @property
    def where(self) -> Origin:
        return "stock" if self.origin == "stock" else "auto" if self.random_weights else "checkpoint"


class _Pass(Struct, frozen=True):
    text: str = field(name="pass")


class _Compiled(Struct, frozen=True):
    options: dict[str, Any] = {}


class _Recorded(Struct, frozen=True):
    """The facts of a manifest that a build is asked by. The manifest may be anybody's."""

    stock: _Stock
    passes: tuple[_Pass, ...]
    compiled: _Compiled

    @classmethod
    def of(cls, path: Path, manifest: Manifest) -> _Recorded:
        passes = [step.facts for step in manifest.steps if step.kind == "pass"]
        first, last = manifest.steps[0].facts, manifest.steps[-1].facts
        try:
            return msgspec.convert({"stock": first, "passes": passes, "compiled": last}, cls)
        except msgspec.ValidationError as error:
            raise SpecError(f"{path}: its facts are not those of a build ({error})") from error


def check(path: Path) -> list[Finding]:
    """The chain of keys, and every file beside the manifest.

    Raises:
        SpecError: the file is no manifest.
    """
    manifest = read_manifest(path)
    broken = manifest.check_chain()
    findings = [Finding(broken or f"chain of {len(manifest.steps)} steps is unbroken", broken is None)]
    same = is_untouched(path, manifest)
    findings.append(Finding(f"{path.name} {'matches' if same else 'does not match'} its own digest", same))
    for name, entry in manifest.files.items():
        file = path.parent / name
        if not file.is_file():
            findings.append(Finding(f"{name} is missing", False))
            continue
        same = sha256_file(file) == entry.sha256
        findings.append(Finding(f"{name} {'matches' if same else 'does not match'} its sha256", same))
    findings += [
        Finding(f"{step.facts.get('pass', step.kind)} was not checked: {why}", True)
        for step in manifest.steps
        if (why := step.summary.get("unchecked"))
    ]
    same = manifest.steps[-1].result == digest_of_files(manifest.files)
    findings.append(Finding(f"the file table is {'' if same else 'not '}the last step's result", same))
    return findings


def repeat(
    path: Path,
    model: Path,
    plugins: Plugins,
    *,
    variant: str | None = None,
    weights: str | None = None,
    python: Path | None = None,
    env: str | None = None,
    report: Report = silent,
) -> list[Finding]:
    """Builds again from nothing, in a store of its own, and compares each step's key and result.

    A file that only the target's own compiler can make is not made again: that may take hours and another machine.
    """
    old = read_manifest(path)
    facts = _Recorded.of(path, old)
    product = product_of(plugins.targets.get(old.target))
    asked = Asked(
        model,
        variant=variant or old.variant,
        target=old.target,
        weights=weights or facts.stock.random_weights,
        origin=facts.stock.where,
        pipeline=_pipeline(old, facts, plugins),
        python=python,
        env=env,
        check=all(step.summary.get("unchecked") != NO_CHECK for step in old.steps),
        compiler="none" if product else "auto",
        options=facts.compiled.options,
    )
    request = make_request(at_size(asked, old.size, plugins), plugins)
    with work_directory("replay") as scratch:
        result = build(request, Path(scratch, "artifact"), store=Store(Path(scratch, "store")), report=report)
    new = result.manifest
    if product not in old.files:
        return [_compare(i, a, b) for i, (a, b) in enumerate(zip_longest(old.steps, new.steps), 1)]
    pairs = enumerate(zip_longest(old.steps[:-1], new.steps[:-1]), 1)
    return [*(_compare(i, a, b) for i, (a, b) in pairs), _compare_files(old, new, product)]


def _compare(position: int, old: StepEntry | None, new: StepEntry | None) -> Finding:
    if old is None or new is None:
        return Finding(
            f"step {position} exists only in the {'repetition' if old is None else 'manifest'}", False
        )
    what = f"step {position} {old.facts.get('pass', old.kind)}"
    if old.result == new.result:
        return Finding(f"{what}: same result", True)
    differs = sorted(key for key in old.facts if old.facts.get(key) != new.facts.get(key))
    return Finding(
        f"{what}: another result" + (f" (differs in {', '.join(differs)})" if differs else ""), False
    )


def _compare_files(old: Manifest, new: Manifest, product: str) -> Finding:
    """The last step, but for the file of the compiler, which was not asked again."""
    expected, found = without_sample(old.files), without_sample(new.files)
    expected.pop(product)
    differs = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    what = f"step {len(old.steps)} compile, without {product}"
    return Finding(
        f"{what}: {', '.join(differs)} differs" if differs else f"{what}: same result", not differs
    )


def _pipeline(manifest: Manifest, facts: _Recorded, plugins: Plugins) -> list[str]:
    """The model's part of the recorded passes: the target appends its own."""
    texts = [step.text for step in facts.passes]
    own = len(plugins.targets.get(manifest.target).pipeline)
    return texts[: len(texts) - own]
