"""Whole files of every kind that commands read: what :mod:`bench.fuzz_kinds` copies for every case."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bench import fuzz_graphs

ROOT = Path(__file__).parents[1]
MASKRCNN = ROOT / "models" / "maskrcnn"
STAND_IN = ROOT / "tests" / "ascend" / "atc" / "stand_in_atc.py"
MINI = [str(MASKRCNN), "-V", "mini"]
ASCEND = "ascend310p3"
PHOTOS = ["--annotations", "coco.json", "--images", "photos"]


def write(scene: Path, kinds: Iterable[str]) -> Path:
    """Everything whole: graphs, a small package, its artifacts, photos, and the mini model's files."""
    from tests.models.maskrcnn import checkpoints
    from tests.tiny import write_package

    scene.mkdir()
    write_package(scene / "tiny")
    fuzz_graphs.write(scene / "graphs")
    shutil.copy(scene / "tiny" / "small.onnx", scene / "graphs" / "tiny.onnx")
    if "node" in kinds:
        (scene / "nodes").mkdir()
        for number, model in enumerate(fuzz_graphs.of_nodes()):
            (scene / "nodes" / f"{number}.onnx").write_bytes(model)
    (scene / "external").mkdir()
    fuzz_graphs.external(scene / "external" / "small.onnx")
    np.savez(scene / "inputs.npz", image=np.ones((1, 3, 8, 8), np.float32))
    _photos(scene)
    _variant(scene / "det")
    state = {name: np.arange(size, dtype=np.float32) for name, size in (("a.weight", 6), ("b.bias", 3))}
    content = {"meta": {"CLASSES": ("cat", "dog"), "epoch": 3}, "state_dict": state, "ema_state_dict": state}
    checkpoints.write(scene / "plain.pth", content)
    checkpoints.write(scene / "legacy.pth", content, legacy=True)
    (scene / "tiny" / "own.yaml").write_text(
        "size: [8, 8]\nconfig: {base: none}\nstock: small.onnx\n" + _source(scene / "plain.pth")
    )
    convertkit(scene, "weights", str(MASKRCNN), "plain.pth", "-o", "plain.safetensors")
    convertkit(scene, "build", "tiny", "-o", "artifact")
    convertkit(scene, "build", "tiny", "-t", ASCEND, "-o", "bundle", "--compiler", "none")
    shutil.make_archive(str(scene / "bundle"), "zip", scene / "bundle")
    _state(scene / "home")
    shutil.copytree(scene / "home", scene / "small-home")
    _results(scene)
    if "offline" in kinds:
        convertkit(scene, "build", *MINI, "-t", ASCEND, "-o", "chip", "--compiler", "none")
        convertkit(scene, "preprocess", *MINI, "-t", ASCEND, "-o", "prechip", "--artifact", "chip", *PHOTOS)
    return scene


def _source(checkpoint: Path) -> str:
    content = checkpoint.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return f"weights: {{url: 'file://{checkpoint}', sha256: {digest}, size: {len(content)}}}\n"


def _photos(scene: Path) -> None:
    import cv2

    (scene / "photos").mkdir()
    images, annotations = [], []
    for number, ending in ((1, "png"), (2, "jpg")):
        name = f"{number}.{ending}"
        cv2.imwrite(str(scene / "photos" / name), np.full((8, 8, 3), 90 * number, np.uint8))
        images.append({"id": number, "file_name": name, "width": 8, "height": 8})
        box = {"bbox": [1, 1, 4, 4], "area": 16, "iscrowd": 0, "segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]}
        annotations.append({"id": number, "image_id": number, "category_id": 1, **box})
    rle = {"size": [8, 8], "counts": [0, 10, 54]}
    annotations.append({**annotations[0], "id": 3, "iscrowd": 1, "segmentation": rle})
    categories = [{"id": 1, "name": "person"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (scene / "coco.json").write_text(json.dumps(document))


def _variant(place: Path) -> None:
    """The mini model as a user's own: a variant's file with everything that one may have."""
    place.mkdir()
    for name in ("mini.onnx", "mini.pth", "config.json"):
        shutil.copy(MASKRCNN / "mini" / name, place / name)
    (place / "own.yaml").write_text(
        "summary: a detector of our own\nsize: [320, 320]\nconfig: {file: config.json}\n"
        "weights: {path: mini.pth, size: 18524475, ema: false}\nstock: mini.onnx\n"
        "dataset: {annotations: ../coco.json, images: ../photos, split: heldout, count: 2}\n"
        "accuracy: {bbox: {AP: 0.1}, segm: {AP: 0.1}, tolerance: 0.002, images: 2, source: us,"
        " framework: {bbox: {AP: 0.2}}}\n"
        "performance: {ascend310p3: {fps: 11.3, batch: 1, source: them}}\n"
        "targets: {ascend310p3: {precision_mode: allow_mix_precision}}\n"
        "preprocess: {mean: [1, 2, 3], std: [50, 50, 50.5], to_rgb: true, placement: corner, rounding: nearest,"
        " pad_value: 0.0, normalize: host}\n"
    )


def _state(home: Path) -> None:
    """What else a home may hold: an environment half built, what a failed child has left."""
    place = home / "envs" / "maskrcnn-0123456789ab"
    place.mkdir(parents=True)
    state = {"format": 1, "model": "maskrcnn", "key": "0123", "python": "/usr/bin/python3", "requirements": ["torch"],
             "variables": {}, "total": 3, "done": [{"what": "venv", "seconds": 1.0}], "versions": {}}  # fmt: skip
    (place / "state.json").write_text(json.dumps(state))
    (home / "failures" / "pass-1").mkdir(parents=True)
    (home / "failures" / "pass-1" / "job.json").write_text("{}")


def _results(scene: Path) -> None:
    """The mini model's artifact, prepared photos, and what it makes of them."""
    from convertkit.graph.io import load
    from convertkit.graph.session import open_session

    convertkit(scene, "build", *MINI, "-o", "detector")
    words = ["preprocess", *MINI, "-o", "pre", "--artifact", "detector", "--format", "npy", *PHOTOS]
    convertkit(scene, *words)
    session = open_session(load(scene / "detector" / "model.onnx"))
    (scene / "out").mkdir()
    for path in sorted((scene / "pre").glob("*.npy")):
        outputs = session.run({session.inputs[0]: np.load(path)})
        for index, value in enumerate(outputs.values()):
            np.save(scene / "out" / f"{path.stem}_{index}.npy", value)


def convertkit(scene: Path, *words: str) -> None:
    environment = {**os.environ, "CONVERTKIT_HOME": str(scene / "home"), "HOME": str(scene / "home")}
    command = [sys.executable, "-m", "convertkit", *words]
    done = subprocess.run(command, cwd=scene, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"convertkit {' '.join(words)}: {done.stderr}")
