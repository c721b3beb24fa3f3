"""Whole files of every kind that commands read, and the commands that read them, for ``bench.fuzz``."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MASKRCNN = Path(__file__).parents[1] / "models" / "maskrcnn"
ASCEND = "ascend310p3"

GRAPHS = {
    "loop": """(float[2] x) => (float[2] y) <int64 trips = {3}, bool go = {1}>
        { y = Loop (trips, go, x) <body = b (int64 i, bool on, float[2] v) => (bool again, float[2] w)
          { again = Identity (on) w = Neg (v) }> }""",
    "branch": """(float[2] x, bool c) => (float[2] y)
        { y = If (c) <then_branch = t () => (float[2] a) { a = Neg (x) }, else_branch = e () => (float[2] b)
          { b = Abs (x) }> }""",
    "nms": """(float[1,6,4] b, float[1,2,6] s) => (int64[n,3] y)
        <int64[1] most = {5}, float[1] iou = {0.5}, float[1] low = {0.1}>
        { y = NonMaxSuppression (b, s, most, iou, low) }""",
    "shapes": """(float[2,3] x) => (float[6] y)
        <int64 zero = {0}, int64 end = {4}, int64 one = {1}, int64[1] rest = {-1}>
        { size = Shape (x) r = Range (zero, end, one) big = Concat <axis = 0> (r, size)
          some = Cast <to = 1> (big) z = ReduceSum <keepdims = 0> (some) k = Reshape (x, rest) y = Add (k, z) }""",
    "roi": """(float[1,4,8,8] f, float[3,4] r, int64[3] i) => (float[3,4,2,2] y)
        { y = RoiAlign <output_height = 2, output_width = 2, sampling_ratio = 2> (f, r, i) }""",
    "resize": """(float[1,2,4,4] x) => (float[1,2,8,8] y) <float[0] roi = {}, float[4] s = {1, 1, 2, 2}>
        { y = Resize <mode = "nearest"> (x, roi, s) }""",
    "topk": """(float[2,8] x) => (float[2,3] v, int64[2,3] i) <int64[1] k = {3}> { v, i = TopK (x, k) }""",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A file to damage, and the commands that read it, to be run beside it."""

    victim: Path
    commands: list[list[str]]


def write(scene: Path) -> Path:
    """Everything whole: graphs, a small package, its artifacts, photos, and the mini model's files."""
    import onnx

    from tests.tiny import write_package

    scene.mkdir()
    write_package(scene / "tiny")
    (scene / "tiny" / "own.yaml").write_text("size: [8, 8]\nconfig: {base: none}\nstock: small.onnx\n")
    (scene / "graphs").mkdir()
    shutil.copy(scene / "tiny" / "small.onnx", scene / "graphs" / "tiny.onnx")
    for name, text in GRAPHS.items():
        model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 13]> {name} {text}')
        onnx.save(model, scene / "graphs" / f"{name}.onnx")
    np.savez(scene / "inputs.npz", image=np.ones((1, 3, 8, 8), np.float32))
    _photos(scene)
    convertkit(scene, "build", "tiny", "-o", "artifact")
    convertkit(scene, "build", "tiny", "-t", ASCEND, "-o", "bundle", "--compiler", "none")
    shutil.make_archive(str(scene / "bundle"), "zip", scene / "bundle")
    _results(scene)
    return scene


def _photos(scene: Path) -> None:
    import cv2

    (scene / "photos").mkdir()
    images, annotations = [], []
    for number in (1, 2):
        cv2.imwrite(str(scene / "photos" / f"{number}.png"), np.full((8, 8, 3), 90 * number, np.uint8))
        images.append({"id": number, "file_name": f"{number}.png", "width": 8, "height": 8})
        box = {"bbox": [1, 1, 4, 4], "area": 16, "iscrowd": 0, "segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]}
        annotations.append({"id": number, "image_id": number, "category_id": 1, **box})
    categories = [{"id": 1, "name": "person"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (scene / "coco.json").write_text(json.dumps(document))


def _results(scene: Path) -> None:
    """The mini model's artifact, prepared photos, and what it makes of them."""
    from convertkit.graph.io import load
    from convertkit.graph.session import open_session

    convertkit(scene, "build", str(MASKRCNN), "-V", "mini", "-o", "detector")
    photos = ("--annotations", "coco.json", "--images", "photos")
    convertkit(
        scene,
        "preprocess",
        str(MASKRCNN),
        "-V",
        "mini",
        "-o",
        "pre",
        "--artifact",
        "detector",
        "--format",
        "npy",
        *photos,
    )
    session = open_session(load(scene / "detector" / "model.onnx"))
    (scene / "out").mkdir()
    for path in sorted((scene / "pre").glob("*.npy")):
        outputs = session.run({session.inputs[0]: np.load(path)})
        for index, value in enumerate(outputs.values()):
            np.save(scene / "out" / f"{path.stem}_{index}.npy", value)


def convertkit(scene: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "convertkit", *words], cwd=scene, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"convertkit {' '.join(words)}: {done.stderr}")


def _copy(scene: Path, here: Path, *names: str) -> None:
    for name in names:
        source = scene / name
        if source.is_dir():
            shutil.copytree(source, here / name)
        else:
            shutil.copy(source, here / name)


def _onnx(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny")
    shutil.copy(rng.choice(sorted((scene / "graphs").iterdir())), here / "tiny" / "small.onnx")
    file = "tiny/small.onnx"
    exact = "fold-constants,cast-int64-to-int32"
    every = [
        ["opt", file, "-p", exact, "-o", "out.onnx"],
        ["opt", file, "-p", f"{exact},legalize-ascend", "--no-check"],
        ["opt", file, "-p", "simplify"],
        ["opt", file, "-p", exact, "--explain", "cast-int64-to-int32"],
        ["opt", file, "-p", "fuse-multiclass-nms,fuse-multilevel-roialign", "--dry-run"],
        ["bisect", file, "-p", exact, "-o", "bisected"],
        ["lint", file, "-t", ASCEND],
        ["estimate", file, "-t", ASCEND],
        ["build", "tiny", "-o", "built"],
    ]
    return Case(here / file, rng.sample(every, 3))


def _yaml(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny")
    victim = rng.choice(["tiny/model.yaml", "tiny/own.yaml"])
    return Case(
        here / victim,
        [["build", "tiny", "--variant", "tiny/own.yaml", "--dry-run"], ["show", "model", "tiny"],
         ["build", "tiny", "-o", "built"]],
    )  # fmt: skip


def _coco(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "coco.json", "photos", "pre", "out", "detector")
    photos = ["--annotations", "coco.json", "--images", "photos"]
    every = [
        ["preprocess", str(MASKRCNN), "-V", "mini", "-o", "new", "--artifact", "detector", *photos],
        ["postprocess", str(MASKRCNN), "out", "-i", "pre", "--artifact", "detector", "--annotations", "coco.json"],
        ["verify", str(MASKRCNN), "-V", "mini", "-o", "detector", *photos],
    ]  # fmt: skip
    victim = "coco.json" if rng.random() < 0.8 else "photos/1.png"
    return Case(here / victim, rng.sample(every, 2))


def _npz(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny", "inputs.npz")
    words = ["tiny/small.onnx", "-p", "fold-constants", "--inputs", "inputs.npz"]
    return Case(here / "inputs.npz", [[rng.choice(["opt", "bisect"]), *words]])


def _manifest(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "tiny", "bundle", "artifact")
    names = [path for part in ("bundle", "artifact") for path in (here / part).rglob("*") if path.is_file()]
    victim = rng.choice([*names, *(here / part / "manifest.json" for part in ("bundle", "artifact"))])
    return Case(
        victim,
        [["compile", "bundle", "-o", "done"], ["replay", "artifact/manifest.json", "--model", "tiny"],
         ["replay", "bundle/manifest.json"], ["build", "tiny", "-o", "artifact"]],
    )  # fmt: skip


def _zip(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "bundle.zip")
    return Case(here / "bundle.zip", [["compile", "bundle.zip", "-o", "done"]])


def _prepared(scene: Path, here: Path, rng: random.Random) -> Case:
    _copy(scene, here, "coco.json", "photos", "pre", "out", "detector")
    names = [path for part in ("pre", "out") for path in (here / part).iterdir() if path.is_file()]
    return Case(
        rng.choice([*names, here / "pre" / "preprocess.json"]),
        [["postprocess", str(MASKRCNN), "out", "-i", "pre", "--artifact", "detector", "--annotations", "coco.json"],
         ["info", "pre", "-o", "info.txt"]],
    )  # fmt: skip


def _checkpoint(scene: Path, here: Path, rng: random.Random) -> Case:
    shutil.copy(MASKRCNN / "mini" / "mini.pth", here / "mini.pth")
    words = ["build", str(MASKRCNN), "-V", "mini", "--from", "checkpoint", "-w", "mini.pth", "-o", "built"]
    return Case(here / "mini.pth", [[*words, "--dry-run"], [*words, "--python", sys.executable]])


def _log(scene: Path, here: Path, rng: random.Random) -> Case:
    """A compiler that prints the file and fails."""
    _copy(scene, here, "bundle")
    (here / "bin").mkdir()
    (here / "log.txt").write_text(
        "ATC start working now, please wait for a moment.\nATC run failed, Please check the detail log\n"
        "E10016: 2026-01-01-00:00:00.000.001 Opname [conv] specified in [--input_shape] is not found\n"
        "[ERROR] FE(1,atc):2026-01-01-00:00:00.000.002 [node:conv(Conv)] No module named 'tbe'\n"
    )
    (here / "bin" / "atc").write_text(f"#!/bin/sh\ncat {here / 'log.txt'}\nexit 1\n")
    (here / "bin" / "atc").chmod(0o755)
    return Case(here / "log.txt", [["compile", "bundle", "-o", "done"]])


KINDS: Mapping[str, Callable[[Path, Path, random.Random], Case]] = {
    "onnx": _onnx,
    "yaml": _yaml,
    "coco": _coco,
    "npz": _npz,
    "manifest": _manifest,
    "zip": _zip,
    "prepared": _prepared,
    "checkpoint": _checkpoint,
    "log": _log,
}
