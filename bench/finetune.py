"""Fine-tunes mini for three classes of its own with mmdet's own ``tools/train.py``, then measures it on every rung.

    python -m bench.finetune

Takes about ten minutes on one thread, half of them training; needs the export environment (``make env``). It writes a
part of docs/accuracy.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from bench.accuracy import REPOSITORY, beside_first, parser_of, scores_of, tables, verified, words, write_part
from convertkit.exporting.environment import Environment
from convertkit.models.hook import hook_of
from convertkit.models.package import read_spec

MASKRCNN = REPOSITORY / "models" / "maskrcnn"
CLASSES = {
    "Signal (lit)": ("traffic light", "stop sign", "clock"),
    "Obst": ("orange", "banana"),
    "toy-kite": ("kite",),
}
"""Names that COCO does not have, in an order of their own, and the drawings that each stands for."""

RUNGS = {
    "framework": "mmdet itself",
    "stock": "its export, untouched",
    "twin:framework": "all passes; operators as mmdet computes them",
    "device-numerics": "what the chip is predicted to do",
}

PART = "## A model of one's own training"
"""The part of the page that this writes."""

TEXT = """
mini, fine-tuned for three classes by mmdet's own `tools/train.py`: the layers that depend on classes begin anew, the
backbone stays, {scenes} drawn scenes are seen {epochs} times, {pictures} a step (seed {seed}). The classes {names}
stand for {count} of the drawings; the others are background. mmdet's loader, trainer and writer do it all. What they
leave in `work` is converted with this variant and measured on {held_out} other scenes, by `python -m bench.finetune`.

```yaml
{variant}```

"""

SCENES, EPOCHS, PICTURES, HELD_OUT, SEED = 160, 2, 2, 50, 0
DRAW = "import sys; from mini.scenes import write_dataset; write_dataset(sys.argv[1], sys.argv[2], int(sys.argv[3]))"
TRAIN = """
import importlib.util, pathlib, runpy, sys
mim = pathlib.Path(importlib.util.find_spec("mmdet").origin).parent / ".mim"
sys.argv[0] = str(mim / "tools" / "train.py")
config = pathlib.Path(sys.argv[1])
config.write_text(config.read_text().replace("CONFIGS", str(mim / "configs")))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
CONFIG = """
_base_ = ['CONFIGS/{base}', 'CONFIGS/_base_/default_runtime.py']
load_from = {weights!r}
model = {model!r}
normalise = dict(mean={mean}, std={std}, to_rgb=True)
pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='Resize', img_scale=(320, 320), keep_ratio=True),
    dict(type='RandomFlip', flip_ratio=0.5),
    dict(type='Normalize', **normalise),
    dict(type='Pad', size=(320, 320)),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_bboxes', 'gt_labels', 'gt_masks'])]
data = dict(samples_per_gpu={pictures}, workers_per_gpu=0, val=dict(), test=dict(), train=dict(
    type='CocoDataset', classes={classes}, ann_file='{scenes}/instances.json', img_prefix='{scenes}/images',
    pipeline=pipeline))
optimizer = dict(type='AdamW', lr=1e-3, weight_decay=0.05)
optimizer_config = dict(grad_clip=dict(max_norm=10, norm_type=2))
lr_config = dict(
    policy='CosineAnnealing', min_lr=1e-5, by_epoch=False, warmup='linear', warmup_iters=10, warmup_ratio=0.1)
runner = dict(type='EpochBasedRunner', max_epochs={epochs})
log_config = dict(interval=5, hooks=[dict(type='TextLoggerHook')])
"""
VARIANT = """\
size: [320, 320]
config: {file: work/mine.py}
weights: {path: work/latest.pth}
classes: checkpoint
dataset: {annotations: heldout/instances.json, images: heldout/images}
"""
"""All that is said of the model: what training left in ``work``, whose names are those in the checkpoint."""


def fine_tuned(
    directory: Path, python: Path, *, scenes: int = SCENES, epochs: int = EPOCHS, held_out: int = HELD_OUT
) -> Path:
    """Draws scenes, trains mini's heads anew on them, and writes the variant of what came out.

    The layers that depend on classes begin as mmdet initialises them (its loader leaves out weights of another shape),
    the backbone stays as it is.

    Returns:
        the variant file in ``directory``, next to ``work`` with what mmdet has saved.
    """
    for split, count in (("train", scenes), ("heldout", held_out)):
        _call(python, DRAW, str(directory / split), split, str(count))
        _rename(directory / split / "instances.json")
    own = json.loads((MASKRCNN / "mini" / "config.json").read_text())
    model = own["overrides"]["model"]
    model["backbone"]["frozen_stages"] = 4
    for head in ("bbox_head", "mask_head"):
        model["roi_head"][head]["num_classes"] = len(CLASSES)
    said = {key: own["input"][key] for key in ("mean", "std")}
    (directory / "mine.py").write_text(
        CONFIG.format(
            **said, base=own["base"], weights=str(MASKRCNN / "mini" / "mini.pth"), model=model,
            classes=list(CLASSES), scenes=directory / "train", pictures=PICTURES, epochs=epochs,
        )
    )  # fmt: skip
    where = ["--work-dir", str(directory / "work"), "--seed", str(SEED), "--deterministic", "--no-validate"]
    _call(python, TRAIN, str(directory / "mine.py"), *where)
    (directory / "mine.yaml").write_text(VARIANT)
    return directory / "mine.yaml"


def _call(python: Path, code: str, *given: str) -> None:
    path = os.pathsep.join(map(str, (MASKRCNN, MASKRCNN / "export" / "shims")))
    alone = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    subprocess.run([python, "-c", code, *given], check=True, env={**os.environ, **alone})


def _rename(file: Path) -> None:
    """Gives drawings the names of :data:`CLASSES`; what has none is background."""
    content = json.loads(file.read_text())
    numbers = {entry["id"]: entry["name"] for entry in content["categories"]}
    mine = {drawn: place for place, drawings in enumerate(CLASSES.values(), 1) for drawn in drawings}
    rows = [row for row in content["annotations"] if numbers[row["category_id"]] in mine]
    for row in rows:
        row["category_id"] = mine[numbers[row["category_id"]]]
    names = [{"id": place, "name": name} for place, name in enumerate(CLASSES, 1)]
    file.write_text(json.dumps({**content, "annotations": rows, "categories": names}))


def main() -> None:
    options = parser_of(__doc__).parse_args()
    hook = hook_of(MASKRCNN, read_spec(MASKRCNN))
    managed = Environment.of(hook.name, hook.environment, hook.root).python
    with tempfile.TemporaryDirectory() as scratch:
        variant = fine_tuned(Path(scratch), Path(options.python or managed))
        found = verified(words(variant, Path(scratch, "artifact"), options.python), RUNGS)
    text = TEXT.format(
        scenes=SCENES, epochs=EPOCHS, pictures=PICTURES, seed=SEED, held_out=HELD_OUT, variant=VARIANT,
        names=", ".join(f"`{name}`" for name in CLASSES), count=sum(map(len, CLASSES.values())),
    )  # fmt: skip
    write_part(PART, f"{PART}\n{text}{tables(RUNGS, scores_of(found), beside=beside_first(found))}")


if __name__ == "__main__":
    main()
