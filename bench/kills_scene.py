"""What is killed by ``bench.kills``: every command that writes, and what lies there before."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench import fuzz_scene
from bench.fuzz_scene import ASCEND, MASKRCNN, STAND_IN

LITTLE = 2000
"""Bytes after which weights lie beside the graph, in the deeds that ask for it; the tiny model has 3 kB of them."""

BROKEN = '''
from convertkit.api.passes import GraphPass, hookimpl


class Broken(GraphPass):
    """Lose the Relu."""

    name = "broken"
    effect = "exact"

    def run(self, graph):
        for node in graph.find(op="Relu"):
            graph.bypass(node)


@hookimpl
def register_passes(register):
    register(Broken)
'''

PHOTOS = ("--annotations", "coco.json", "--images", "photos")
MINI = (str(MASKRCNN), "-V", "mini")


@dataclass(frozen=True)
class Deed:
    """A command.

    Attributes:
        words: of the command line.
        before: what lies there, as it is called in the scene.
        little: whether large weights lie beside the graph.
        code: of an unharmed run.
    """

    words: tuple[str, ...]
    before: tuple[str, ...] = ("tiny",)
    little: bool = False
    code: int = 0


def _deed(words: str, *before: str, **more: int) -> Deed:
    spelt = {"MINI": MINI, "PHOTOS": PHOTOS, "MASKRCNN": (str(MASKRCNN),)}
    return Deed(
        tuple(part for word in words.split() for part in spelt.get(word, (word,))),
        before or ("tiny",),
        little=bool(more.get("little")),
        code=more.get("code", 0),
    )


DEEDS: Mapping[str, Deed] = {
    "build": _deed("build tiny -o new"),
    "build-over": _deed("build tiny -p fold-constants -o artifact", "tiny", "artifact"),
    "build-bundle": _deed(f"build tiny -t {ASCEND} --compiler none --zip -o new"),
    "build-bundle-over": _deed(f"build tiny -t {ASCEND} --compiler none -p fold-constants --zip -o compiled",
                               "tiny", "compiled"),
    "build-atc": _deed(f"build tiny -t {ASCEND} --compiler local -o new"),
    "build-atc-over": _deed(f"build tiny -t {ASCEND} --compiler local -p fold-constants -o compiled",
                            "tiny", "compiled"),
    "build-mini": _deed("build MINI -o new"),
    "opt": _deed("opt tiny/small.onnx -p fold-constants,cast-int64-to-int32 -o new/out.onnx"),
    "opt-simplify": _deed("opt tiny/small.onnx -p simplify -o out.onnx"),
    "opt-over": _deed("opt own.onnx -p fold-constants -o own.onnx", "own.onnx"),
    "opt-external": _deed("opt tiny/small.onnx -p fold-constants -o out.onnx", "tiny", little=True),
    "opt-external-over": _deed("opt tiny/small.onnx -p fold-constants -o far.onnx", "tiny", "far", little=True),
    "opt-from-external": _deed("opt tiny/small.onnx -p fold-constants -o far.onnx", "tiny", "far"),
    "bisect": _deed("bisect own.onnx -p fold-constants,broken --plugin broken.py --force -o found",
                    "own.onnx", "broken.py", code=1),
    "bisect-over": _deed("bisect own.onnx -p broken --plugin broken.py --force -o found",
                         "own.onnx", "broken.py", "found", code=1),
    "bisect-model": _deed("bisect tiny -p fold-constants,broken --plugin broken.py --force -o found",
                          "tiny", "broken.py", code=1),
    "verify": _deed("verify MINI -o detector PHOTOS --results results", "detector", "coco.json", "photos"),
    "verify-again": _deed("verify MINI -o detector PHOTOS --results results",
                          "detector", "coco.json", "photos", "results"),
    "preprocess": _deed("preprocess MINI -o new --artifact detector --format npy PHOTOS",
                        "detector", "coco.json", "photos"),
    "preprocess-again": _deed("preprocess MINI -o pre --artifact detector --format npy PHOTOS",
                              "detector", "coco.json", "photos", "pre"),
    "postprocess": _deed("postprocess MASKRCNN out -i pre --artifact detector --annotations coco.json "
                         "--images photos --detections found.json --draw drawn",
                         "detector", "coco.json", "photos", "pre", "out"),
    "postprocess-kept": _deed("postprocess MASKRCNN out -i pre --artifact detector --images photos --draw drawn",
                              "detector", "coco.json", "photos", "pre", "out"),
    "info": _deed("info pre -o info.txt", "pre"),
    "compile": _deed("compile bundle", "bundle"),
    "compile-zip": _deed("compile bundle.zip", "bundle.zip"),
    "compile-over": _deed("compile bundle -o compiled", "bundle", "compiled"),
    "weights": _deed(f"weights MINI {MASKRCNN}/mini/mini.pth -o plain.pth", "own.onnx"),
    "weights-over": _deed(f"weights MINI {MASKRCNN}/mini/mini.pth -o own.safetensors", "own.safetensors"),
    "fetch": _deed("fetch tiny -V far"),
    "export": _deed("export tiny -o new/stock.onnx"),
    "estimate": _deed(f"estimate tiny -t {ASCEND}"),
    "lint": _deed(f"lint own.onnx -t {ASCEND}", "own.onnx", code=1),
    "replay": _deed("replay artifact/manifest.json --model tiny", "tiny", "artifact"),
    "prune": _deed("cache prune --to 1KB"),
    "prune-all": _deed("cache prune --all"),
}  # fmt: skip


def write(scene: Path) -> Path:
    """All that lies there before any deed; ``cache`` is a home in which much has been done."""
    fuzz_scene.write(scene, ())
    (scene / "bin").mkdir()
    (scene / "bin" / "atc").write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {STAND_IN} "$@"\n')
    (scene / "bin" / "atc").chmod(0o755)
    (scene / "broken.py").write_text(BROKEN)
    shutil.copy(scene / "tiny" / "small.onnx", scene / "own.onnx")
    (scene / "own.safetensors").write_bytes(b"the weights of another day")
    content = bytes(range(256)) * 400
    (scene / "far.pth").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    with (scene / "tiny" / "model.yaml").open("a") as spec:
        spec.write(
            f"  far: {{size: [8, 8], config: {{base: none}}, weights: {{url: 'file://{scene}/far.pth', "
        )
        spec.write(f"sha256: {digest}, size: {len(content)}}}}}\n")
    _more(scene)
    return scene


def _more(scene: Path) -> None:
    from convertkit.graph import io
    from convertkit.graph.light import detach
    from tests.tiny import tiny_model

    (scene / "found").mkdir()
    for name in ("README.md", "before.onnx", "inputs.npz"):
        (scene / "found" / name).write_bytes(b"of another day")
    (scene / "results").mkdir()
    (scene / "results" / "target.jsonl").write_bytes(b"{}\n")
    (scene / "far").mkdir()
    most, io.MAX_PROTO = io.MAX_PROTO, LITTLE
    io.save(detach(tiny_model(seed=1)), scene / "far" / "far.onnx")
    io.MAX_PROTO = most
    fuzz_scene.convertkit(scene, "build", "tiny", "-t", ASCEND, "--compiler", "local", "-o", "compiled")


def place(scene: Path, here: Path, deed: Deed, *, warm: bool) -> None:
    """Lays out what is there before a deed; ``far`` are files, not a directory."""
    (here / "tmp").mkdir(parents=True)
    (here / "home").mkdir()
    for name in (*deed.before, "bin"):
        source = scene / name
        if name == "far":
            shutil.copytree(source, here, dirs_exist_ok=True)
        elif source.is_dir():
            shutil.copytree(source, here / name)
        else:
            shutil.copy2(source, here / name)
    if warm:
        shutil.copytree(scene / "home", here / "home", dirs_exist_ok=True)


@dataclass(frozen=True)
class Listing:
    """Every file by its path, with the sha256 of its content, and every directory."""

    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, here: Path) -> Listing:
        """Names that hold a time are cut; what differs from run to run counts as there, whatever it holds."""
        found = {}
        for path in sorted(here.rglob("*")):
            name = str(path.relative_to(here))
            if name not in ("stdout", "stderr") and "__pycache__" not in name:
                found[name] = _digest(path)
        return cls(found)


VOLATILE = (".convertkit-journal.jsonl",)
"""Files that hold times."""


def _digest(path: Path) -> str:
    if path.parent.parent.name == "steps" and path.name in ("seal.json", "record.json"):
        return _seal(path)  # a record holds seconds
    if not path.is_file() or path.name in VOLATILE or path.parent.name in ("locks", "packages"):
        return "there"
    try:
        if path.suffix == ".npz" and zipfile.is_zipfile(path):
            with np.load(path) as arrays:
                return json.dumps(
                    {name: hashlib.sha256(arrays[name].tobytes()).hexdigest() for name in arrays}
                )
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "there"


def _seal(path: Path) -> str:
    try:
        seal = json.loads((path.parent / "seal.json").read_text())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return "sealed" if path.name not in seal or seal[path.name] == digest else "broken"
    except (OSError, ValueError):
        return "broken"
