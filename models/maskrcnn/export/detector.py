"""Building mmdet's detector, unpatched, from one of its own configs and a dictionary of overrides."""

from __future__ import annotations

import ast
import difflib
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import mmcv
import mmdet
from mmdet.models import build_detector
from mmdet.version import version_info
from torch import nn

from .errors import JobError
from .photo_noise import IMAGENET, Normalisation
from .settings import early_keys, set_classes, take_preprocessor

#: The keys of configurations that are older than 2.9, and no export code: mmdet 2.8.0 was tried.
EARLY = version_info[:2] < (2, 9)

#: mmdet ships its configs inside the wheel; of an early one those that a variant names are here.
CONFIGS = Path(__file__).parent / "configs" if EARLY else Path(mmdet.__file__).parent / ".mim" / "configs"

#: How a configuration of mmengine's newer form begins, which is no table of values.
LAZY = re.compile(r"^with read_base\(\)", re.MULTILINE)


def config_path(base: str) -> Path:
    """Find a config of mmdet by its path below ``configs`` (``job.py`` has refused what leads out of them)."""
    path = CONFIGS / base
    if path.is_file():
        return path
    known = [str(other.relative_to(CONFIGS)) for other in CONFIGS.rglob("*.py")]
    close = difflib.get_close_matches(base, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"see {CONFIGS}"
    whose = f"for mmdet {mmdet.__version__}, whose wheel has none, there is" if EARLY else "mmdet has"
    raise JobError(f"{whose} no config {base!r}", hint)


def read_config(
    config: dict[str, Any], classes: int | None = None, expected: Mapping[str, Any] = MappingProxyType({})
) -> mmcv.Config:
    """Read a job's configuration into mmdet's own object, of so many classes.

    Args:
        expected: ``mean``, ``std`` and ``to_rgb`` of the specification, where they are known.

    Raises:
        JobError: it cannot be read, has no detector, or says another number of classes, or other pixels.
    """
    overrides = config.get("overrides") or {}
    file = Path(config["file"]) if "file" in config else config_path(str(config["base"]))
    loaded = _of_file(file) if "file" in config else mmcv.Config.fromfile(str(file))
    if not isinstance(loaded.get("model", {}).get("backbone"), dict):
        raise JobError(f"config {name_of(config)!r} has no detector", "use a config with 'model' in it")
    loaded.merge_from_dict(overrides)
    take_preprocessor(loaded.model, expected)
    _forget_zoo(loaded.model)
    set_classes(loaded.model, classes, loaded.model if "file" in config else overrides.get("model", {}))
    if EARLY:
        early_keys(loaded.model.get("test_cfg") or {})
    return loaded


def name_of(config: dict[str, Any]) -> str:
    """How a configuration is called in messages."""
    return str(config.get("file") or config["base"])


def _of_file(path: Path) -> mmcv.Config:
    """A person's own configuration, which is code, as mmdet's trainer runs it.

    What its ``_base_`` names and is not there is looked for among mmdet's own: a file is often moved away from them.
    """
    text = path.read_text(encoding="utf-8")
    try:
        named = [node for node in ast.parse(text).body if isinstance(node, ast.Assign) and _is_base(node)]
    except SyntaxError as error:
        raise JobError(
            f"config {path}: line {error.lineno}: {error.msg}", "it is a configuration in Python"
        ) from error
    if named:
        bases = ast.literal_eval(named[-1].value)
        found = [str(_base(path, base)) for base in ([bases] if isinstance(bases, str) else bases)]
        text += f"\n_base_ = {found!r}\n"
    if LAZY.search(text):
        raise JobError(
            f"config {path} imports its bases (read_base), as mmdet 3 may",
            "give the whole configuration that training wrote into its work_dirs",
        )
    with tempfile.TemporaryDirectory() as room:
        moved = Path(room) / path.name
        moved.write_text(text, encoding="utf-8")
        try:
            return mmcv.Config.fromfile(str(moved))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise JobError(f"config {path}: {reason}", "mmdet's own reader refuses it") from error


def _is_base(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "_base_" for target in node.targets)


def _base(path: Path, base: str) -> Path:
    beside = (path.parent / base).resolve()
    if beside.is_file():
        return beside
    below = [part for part in Path(base).parts if part not in ("..", ".")]
    for start in range(len(below)):
        if (CONFIGS.joinpath(*below[start:])).is_file():
            return CONFIGS.joinpath(*below[start:])
    raise JobError(
        f"config {path}: its _base_ {base!r} is neither beside it nor among mmdet's configs",
        "give the whole configuration that training wrote into its work_dirs",
    )


def _forget_zoo(part: Any) -> None:
    """Remove every reference to pretrained weights: the weights come from the job alone."""
    if isinstance(part, dict):
        part.pop("pretrained", None)
        start = part.get("init_cfg")
        if EARLY:
            part.pop("init_cfg", None)
        elif isinstance(start, dict) and "checkpoint" in start:  # also without a type, as PVT has it
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
