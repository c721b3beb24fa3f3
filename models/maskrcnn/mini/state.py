"""Where a training run stands, and how it survives being stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn


@dataclass
class State:
    """All that a resumed run needs: model, optimizer, schedule, iterations done, seconds spent."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    iteration: int = 0
    seconds: float = 0.0


def save(state: State, path: Path) -> None:
    """Write a checkpoint, with the state of torch's random numbers, which mmdet's samplers draw."""
    content = {
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "schedule": state.schedule.state_dict(),
        "random": torch.get_rng_state(),
        "iteration": state.iteration,
        "seconds": state.seconds,
    }
    write(path, content)


def load(state: State, path: Path) -> None:
    """Go on where a checkpoint was written."""
    content = torch.load(path, weights_only=True)
    state.model.load_state_dict(content["model"])
    state.optimizer.load_state_dict(content["optimizer"])
    state.schedule.load_state_dict(content["schedule"])
    torch.set_rng_state(content["random"])
    state.iteration, state.seconds = content["iteration"], content["seconds"]


def write(path: Path, content: dict[str, Any]) -> None:
    """Save ``content`` with torch under a temporary name, then rename it: never half written."""
    temporary = path.with_suffix(".partial")
    torch.save(content, temporary)
    temporary.replace(path)
