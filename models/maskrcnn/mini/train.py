"""Train ``mini`` from scratch on synthetic scenes: about an hour on two CPU cores, in the export environment.

    python models/maskrcnn/mini/train.py --work-dir /tmp/mini

A run that was stopped goes on with ``--resume``. At the end ``mini.pth`` (weights alone) and ``training.json``
(how they were made and the measured held-out AP) are written beside this file, or to ``--output``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# As a script the package is found from its parent; mini's own folder must not shadow anything.
sys.path[0] = str(HERE.parent)

from export import environment  # noqa: E402

environment.prepare()

import cv2  # noqa: E402
import torch  # noqa: E402
from export import detector  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from mini.measure import measure  # noqa: E402
from mini.samples import Samples  # noqa: E402
from mini.state import State, load, save, write  # noqa: E402

#: Fewer samples per image than mmdet's defaults (256, 1000, 512): three times faster, and enough for small scenes.
TRAIN_CFG = {
    "rpn": {"sampler": {"num": 128}},
    "rpn_proposal": {"nms_pre": 500, "max_per_img": 250},
    "rcnn": {"sampler": {"num": 64}},
}
#: Share of the iterations in which the learning rate rises.
WARM_UP = 0.08
GRADIENT_NORM = 10.0


def main(arguments: list[str] | None = None) -> None:
    """Train, measure, and write the results."""
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    config = json.loads((HERE / "config.json").read_text(encoding="utf-8"))
    state = start(config, options)
    checkpoint = options.work_dir / "state.pth"
    options.work_dir.mkdir(parents=True, exist_ok=True)
    if options.resume and checkpoint.is_file():
        load(state, checkpoint)
    train(state, config["input"], options, checkpoint)
    accuracy = measure(state.model, config["input"], options.work_dir / "heldout", options.held_out)
    finish(state, options, accuracy)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train mini, the embedded Mask R-CNN, from scratch.")
    parser.add_argument("--iterations", type=int, default=4500)
    parser.add_argument("--batch", type=int, default=4, help="images per iteration")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate of AdamW")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="torch threads; 1 is best on a shared machine")
    parser.add_argument("--loaders", type=int, default=1, help="processes that draw scenes")
    parser.add_argument("--held-out", type=int, default=200, help="held-out scenes for the final measurement")
    parser.add_argument(
        "--glance", type=int, default=750, help="iterations between looks at 40 held-out scenes"
    )
    parser.add_argument("--save-minutes", type=float, default=4, help="minutes between checkpoints")
    parser.add_argument("--work-dir", type=Path, required=True, help="directory for checkpoints and scenes")
    parser.add_argument("--output", type=Path, default=HERE, help="directory for mini.pth and training.json")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work-dir")
    return parser.parse_args(arguments)


def start(config: dict[str, Any], options: argparse.Namespace) -> State:
    """Build the detector with mmdet's initial weights, AdamW and a one-cycle schedule."""
    settings = detector.read_config(config)
    settings.merge_from_dict({"model": {"train_cfg": TRAIN_CFG}})
    model = detector.build(settings)
    model.init_weights()
    # Norms and biases are not decayed, as usual.
    decayed = [value for value in model.parameters() if value.ndim > 1]
    free = [value for value in model.parameters() if value.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": free, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=options.rate,
        total_steps=options.iterations + 1,
        pct_start=WARM_UP,
        cycle_momentum=False,
    )
    return State(model, optimizer, schedule)


def batches(spec: dict[str, Any], options: argparse.Namespace, iteration: int) -> Iterator[dict[str, Any]]:
    """Yield the batches that are still to be seen, the same whether or not the run was stopped between."""
    samples = Samples(spec, iteration * options.batch, options.iterations * options.batch, options.seed)
    loader = DataLoader(samples, options.batch, num_workers=options.loaders, collate_fn=_gather)
    yield from loader


def _gather(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Stack the images and list everything else."""
    batch = {key: [sample[key] for sample in samples] for key in samples[0]}
    return {**batch, "img": torch.stack(batch["img"])}


def train(state: State, spec: dict[str, Any], options: argparse.Namespace, checkpoint: Path) -> None:
    """Run the remaining iterations, saving now and then."""
    first, began, before = state.iteration, time.monotonic(), state.seconds
    saved, recent = began, 0.0
    for batch in batches(spec, options, state.iteration):
        loss, parts = step(state, batch)
        recent = loss if recent == 0 else 0.97 * recent + 0.03 * loss
        now = time.monotonic()
        state.seconds = before + now - began
        if state.iteration % 25 == 0:
            pace = (now - began) / (state.iteration - first)
            report(state, options.iterations, recent, parts, pace)
        if now - saved > 60 * options.save_minutes:
            save(state, checkpoint)
            saved = now
        if state.iteration % options.glance == 0 and state.iteration < options.iterations:
            print(json.dumps(measure(state.model, spec, options.work_dir / "glance", 40)), flush=True)
    save(state, checkpoint)


def step(state: State, batch: dict[str, Any]) -> tuple[float, dict[str, float]]:
    """Learn from one batch; return the total loss and its parts."""
    state.model.train()
    loss, parts = state.model._parse_losses(state.model.forward_train(**batch))
    state.optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(state.model.parameters(), GRADIENT_NORM)
    state.optimizer.step()
    state.schedule.step()
    state.iteration += 1
    return float(loss), parts


def report(state: State, total: int, loss: float, parts: dict[str, float], pace: float) -> None:
    """Print one line of progress."""
    names = ("loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "loss_mask", "acc")
    details = " ".join(f"{name.removeprefix('loss_')} {parts[name]:.2f}" for name in names if name in parts)
    left = (total - state.iteration) * pace / 60
    rate = state.schedule.get_last_lr()[0]
    line = f"{state.iteration}/{total} loss {loss:.3f} ({details}) rate {rate:.1e}"
    print(f"{line} {pace:.2f} s/it, {left:.0f} min left", flush=True)


def finish(state: State, options: argparse.Namespace, accuracy: dict[str, dict[str, float]]) -> None:
    """Write the weights, without BN's batch counters, and the record of how they were made."""
    weights = {
        name: value.detach().float().contiguous()
        for name, value in state.model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    record = {
        "command": f"python models/maskrcnn/mini/train.py --iterations {options.iterations} --batch {options.batch} "
        f"--rate {options.rate:g} --seed {options.seed} --threads {options.threads} --work-dir DIRECTORY",
        "seed": options.seed,
        "iterations": options.iterations,
        "images": options.iterations * options.batch,
        "seconds": round(state.seconds),
        "parameters": sum(value.numel() for value in state.model.parameters()),
        "held_out": {"split": "heldout", "seed": 0, "images": options.held_out, **accuracy},
        "versions": environment.versions(),
    }
    write(options.output / "mini.pth", {"state_dict": weights, "meta": {"name": "mini", **_plain(record)}})
    (options.output / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record["held_out"]), flush=True)


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Keep what identifies the run: numbers and text alone, which ``weights_only=True`` loads."""
    return {key: value for key, value in record.items() if isinstance(value, int | str)}


if __name__ == "__main__":
    main()
