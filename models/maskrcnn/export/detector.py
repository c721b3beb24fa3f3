"""Building mmdet's detector, unpatched, from one of its own configs and a dictionary of overrides."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import mmcv
import mmdet
from mmdet.models import build_detector
from torch import nn

from .errors import JobError
from .photo_noise import IMAGENET, Normalisation

#: mmdet ships its configs inside the wheel.
CONFIGS = Path(mmdet.__file__).parent / ".mim" / "configs"


def config_path(base: str) -> Path:
    """Find a config of mmdet by its path below ``configs`` (``job.py`` has refused what leads out of them)."""
    path = CONFIGS / base
    if path.is_file():
        return path
    known = [str(other.relative_to(CONFIGS)) for other in CONFIGS.rglob("*.py")]
    close = difflib.get_close_matches(base, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "see mmdet/.mim/configs in the export environment"
    raise JobError(f"mmdet has no config {base!r}", hint)


def read_config(config: dict[str, Any]) -> mmcv.Config:
    """Read ``{"base": path, "overrides": {"model": {...}}}`` into mmdet's configuration object."""
    overrides = config.get("overrides") or {}
    loaded = mmcv.Config.fromfile(str(config_path(str(config["base"]))))
    if not isinstance(loaded.get("model", {}).get("backbone"), dict):
        raise JobError(f"config {config['base']!r} has no detector", "use a config with 'model' in it")
    loaded.merge_from_dict(overrides)
    _forget_zoo(loaded.model)
    return loaded


def _forget_zoo(part: Any) -> None:
    """Remove every reference to pretrained weights: the weights come from the job alone."""
    if isinstance(part, dict):
        part.pop("pretrained", None)
        start = part.get("init_cfg")
        if isinstance(start, dict) and start.get("type") == "Pretrained":
            part["init_cfg"] = None
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, (dict, list)):
            _forget_zoo(inner)


def normalisation(config: mmcv.Config) -> Normalisation:
    """How the config's own pipeline normalises photos; as ImageNet's where it does not say."""
    stated = config.get("img_norm_cfg")
    if stated is None:
        return IMAGENET
    return Normalisation(tuple(stated["mean"]), tuple(stated["std"]), bool(stated["to_rgb"]))


def build(config: mmcv.Config) -> nn.Module:
    """Build the detector with mmdet's uninitialised weights, in evaluation mode."""
    try:
        model: nn.Module = build_detector(config.model)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        # mmdet passes a config's keys to constructors: a wrong one fails there.
        raise JobError(
            f"config does not build: {error}", "check the keys and values of 'overrides'"
        ) from error
    return model.eval()
