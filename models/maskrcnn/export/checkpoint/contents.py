"""The weights in what a training run has saved, and what it says of itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from export.errors import JobError

from .inert import Foreign, Tensor

#: Under which the weights lie, and the second set that some trainers average beside them.
_WEIGHTS = ("state_dict", "model", "model_state_dict", "model_state", "network", "net", "module", "weights")
_SECOND = ("ema_state_dict", "state_dict_ema", "model_ema", "ema_model", "ema")
_DEEPEST, _MOST = 8, 100_000
_WRAPPERS = ("module.", "_orig_mod.")
_EMA = "ema_"
_COUNTERS = ("steps", "n_averaged")
#: What makes tensors, or the arrays that some save instead, in a form that is not read.
_OTHER_FORMS = re.compile(r"torch\._utils\._rebuild_\w+|numpy\.(_?core)\.multiarray\._reconstruct")
_NUMBERS = r"\b{}\s*=\s*[\[(]\s*([-+.\de]+\s*,\s*[-+.\de]+\s*,\s*[-+.\de]+)\s*,?\s*[\])]"

if TYPE_CHECKING:
    State = dict[str, Tensor]


def find_weights(content: Any, skipped: Sequence[str] = ()) -> tuple[State, State, dict[str, int]]:
    """Find the weights, without what wraps or accompanies them.

    Args:
        skipped: what stands in it without being loaded.

    Returns:
        the model's own tensors by their names, those of the second set (mmdet's ``ema_*``, or a table of its own), and
        the number of entries that are neither, by what they are.

    Raises:
        JobError: there are none; the message goes on after the file's name.
    """
    table = _state(content) or {}
    own, second = _apart(_named(table))
    beside = [content[key] for key in _SECOND if isinstance(content, dict) and key in content]
    tables = [found for found in map(_state, beside) if found]
    for found in tables[:1]:
        second.update({name: value for name, value in _named(found).items() if name not in _COUNTERS})
    if not own and not second:
        own = _named(_side_by_side(content))
    if not own and not second:
        raise _nothing(content, skipped)
    kept = {name: value for name, value in own.items() if not name.startswith("data_preprocessor.")}
    others = sum(not isinstance(value, Tensor) for value in table.values())
    left = {"data_preprocessor.*": len(own) - len(kept), "entries that are no tensors": others}
    return kept, second, {what: count for what, count in left.items() if count}


def with_prefix(state: State, prefix: str) -> State:
    """The part of the weights whose names begin with ``prefix``, without it."""
    found = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    if not found:
        some = ", ".join(sorted({name.partition(".")[0] + "." for name in state})[:8])
        raise JobError(f"has no name that begins with {prefix!r}", f"its names begin with {some}")
    return found


def facts(content: Any) -> dict[str, Any]:
    """What the file says of its classes, its pixels and its maker; only what is there."""
    content = content if isinstance(content, dict) else {}
    meta = _table(content.get("meta"))
    text = next((meta[key] for key in ("cfg", "config") if isinstance(meta.get(key), str)), "")
    dataset = _table(meta.get("dataset_meta"))
    classes = [table.get(key) for table in (meta, dataset) for key in ("CLASSES", "classes")]
    names = next((list(one) for one in classes if isinstance(one, (list, tuple)) and one), None)
    found = {
        "framework": _framework(content, meta),
        "classes": names if names and all(isinstance(name, str) for name in names) else None,
        "mean": _numbers("mean", text),
        "std": _numbers("std", text),
        "to_rgb": _one(
            {word == "True" for word in re.findall(r"\b(?:bgr_)?to_rgb\s*=\s*(True|False)", text)}
        ),
    }
    return {key: value for key, value in found.items() if value is not None}


def pixels(state: Any) -> dict[str, list[float]]:
    """Mean and std that mmengine keeps among the weights."""
    found = {}
    for key in ("mean", "std"):
        value = state.get(f"data_preprocessor.{key}")
        if isinstance(value, Tensor) and value.shape in ((3,), (3, 1, 1)):
            found[key] = [float(number) for number in value.array().ravel()]
    return found


def raw_state(content: Any) -> dict[str, Any]:
    """The table of weights as it lies in the file, empty where there is none."""
    return _state(content) or {}


def _state(content: Any, depth: int = 0) -> dict[str, Any] | None:
    """The first table with tensors in it: this one, or what lies under a usual key."""
    if isinstance(content, Foreign) and isinstance(content.state, dict):
        return _module(content) or _state(content.state, depth + 1)
    if not isinstance(content, dict) or depth > _DEEPEST:
        return None
    unread = next((name for name, value in content.items() if _of_other_form(value)), None)
    if unread:
        form = content[unread].name
        kind = "an array of NumPy" if form.startswith("numpy.") else f"a tensor of another form ({form})"
        raise JobError(f"holds {unread!r} as {kind}, which is not read", "save dense tensors of torch")
    if any(isinstance(value, Tensor) for value in content.values()):
        return content
    inner = (_state(content[key], depth + 1) for key in _WEIGHTS if key in content)
    return next((found for found in inner if found), None)


def _of_other_form(value: Any) -> bool:
    return isinstance(value, Foreign) and _OTHER_FORMS.fullmatch(value.name) is not None


def _side_by_side(content: Any) -> dict[str, Any]:
    """The tables of several models, a teacher's and a student's, as one whose names begin with theirs."""
    content = content if isinstance(content, dict) else {}
    tables = ((key, _state(value)) for key, value in content.items() if "optim" not in str(key))
    return {f"{key}.{name}": value for key, table in tables for name, value in (table or {}).items()}


def _nothing(content: Any, skipped: Sequence[str]) -> JobError:
    """What to say of a file without weights."""
    keys = [str(key)[:40] for key in content][:8] if isinstance(content, dict) else []
    held = f", its keys are {', '.join(keys)}" if keys else ""
    if any("optim" in key for key in keys) or "param_groups" in keys:
        held = ", only the state of an optimizer"
    elif skipped:
        held += f"; not loaded: {', '.join(skipped[:3])}"
    return JobError(
        f"holds no weights{held}", "it needs names with tensors, bare or under 'state_dict' or 'model'"
    )


def _module(root: Foreign) -> dict[str, Any]:
    """The state_dict of a model that was saved as an object: its parameters and buffers by their full names."""
    found: dict[str, Any] = {}
    steps, todo = 0, [("", root)]
    while todo:
        prefix, module = todo.pop()
        steps += 1
        if steps > _MOST or len(prefix) > 1000:
            raise JobError("holds a model of too many parts", "save its state_dict() instead")
        tables = module.state if isinstance(module.state, dict) else {}
        for key in ("_parameters", "_buffers"):
            table = _table(tables.get(key))
            found.update({f"{prefix}{name}": value for name, value in table.items() if value is not None})
        inner = [(f"{prefix}{name}.", part) for name, part in _table(tables.get("_modules")).items()]
        todo += [(name, part) for name, part in reversed(inner) if isinstance(part, Foreign)]
    return found


def _named(table: dict[str, Any]) -> State:
    """The tensors, by names without what DataParallel and torch.compile put before them."""
    found: State = {}
    for name, value in table.items():
        own = str(name)
        if not isinstance(value, Tensor):
            continue
        while own.startswith(_WRAPPERS):
            own = own.partition(".")[2]
        if own in found:
            raise JobError(f"holds {own!r} twice, bare and wrapped", "save model.module.state_dict() alone")
        found[own] = value
    return found


def _apart(state: State) -> tuple[State, State]:
    """The model's own tensors, and those of mmdet's EMAHook by the names they belong to."""
    flat = {_EMA + name.replace(".", "_"): name for name in state}
    averaged = {flat[name]: value for name, value in state.items() if name.startswith(_EMA) and name in flat}
    own = {name: value for name, value in state.items() if not (name.startswith(_EMA) and name in flat)}
    return own, averaged


def _framework(content: dict[Any, Any], meta: dict[Any, Any]) -> str | None:
    if "mmengine_version" in meta or "message_hub" in content:
        return f"mmengine {_version(meta.get('mmengine_version'))}(mmdet 3)"
    if "mmdet_version" in meta or "mmcv_version" in meta:
        return f"mmdet {_version(meta.get('mmdet_version'))}(mmcv {_version(meta.get('mmcv_version')).strip() or '?'})"
    return None


def _version(value: Any) -> str:
    return f"{value[:20]} " if isinstance(value, str) else ""


def _table(value: Any) -> dict[Any, Any]:
    value = value.state if isinstance(value, Foreign) else value
    return value if isinstance(value, dict) else {}


def _numbers(name: str, text: str) -> list[float] | None:
    try:
        stated = {
            tuple(float(part) for part in one.split(",")) for one in re.findall(_NUMBERS.format(name), text)
        }
    except ValueError:
        return None
    one = _one(stated)
    return None if one is None else list(one)


def _one(stated: set[Any]) -> Any:
    """The one thing that a text says; None where it says several or none."""
    return next(iter(stated)) if len(stated) == 1 else None
