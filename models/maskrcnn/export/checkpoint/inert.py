"""A pickle read as data: tensors and plain containers become themselves, whatever else it names an inert object.

Nothing is ever imported or called but what stands in this file. The unpickler is the library's own in Python: its
memo is a dictionary, where the one in C takes memory for the largest number that a file names.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from export.errors import JobError

#: Element types by the name of torch's storage; numpy has no bfloat16, its bits are the upper half of a float32.
DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


class Foreign:
    """Stands for an object of a class that is not loaded; it takes whatever a pickle does to it."""

    name = ""

    def __new__(cls, *_: Any, **__: Any) -> Foreign:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def __setitem__(self, _: Any, __: Any) -> None: ...


@dataclass(frozen=True)
class Storage:
    """``count`` elements of the type that ``name`` says; ``read`` gives their bytes."""

    name: str
    count: int
    read: Callable[[], memoryview]


@dataclass(frozen=True)
class Tensor:
    """A tensor that is not read yet: where its elements lie in a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """What it takes as an array."""
        return int(np.prod(self.shape, dtype=object)) * np.dtype(DTYPES[self.storage.name]).itemsize

    def array(self) -> NDArray[Any]:
        """Read it; bfloat16 becomes float32, which holds every value of it."""
        dtype = np.dtype(DTYPES[self.storage.name])
        elements = np.frombuffer(self.storage.read(), dtype, self.storage.count)[self.offset :]
        steps = [step * dtype.itemsize for step in self.strides]
        found = np.lib.stride_tricks.as_strided(elements, self.shape, steps, writeable=False)
        if self.storage.name == "BFloat16Storage":
            return (found.astype(np.uint32) << 16).view(np.float32)
        return np.array(found, order="C")


class Unpickler(pickle._Unpickler):  # type: ignore[name-defined,misc]
    """Reads one pickle of torch from ``file``.

    Args:
        storage: makes a storage of its type's name, its key and its number of elements.

    Attributes:
        foreign: the names that stand for objects which were not loaded, in order.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, file: IO[bytes], storage: Callable[[str, str, int], Storage]) -> None:
        super().__init__(file, encoding="latin1")
        self._storage = storage
        self.foreign: dict[str, type[Foreign]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "torch" and name in DTYPES:
            return name
        where = f"{module}.{name}"
        if where in _KNOWN:
            return _KNOWN[where]
        return self.foreign.setdefault(where, type("Foreign", (Foreign,), {"name": where}))

    def persistent_load(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) == 4 and pid[0] == "module":
            # a class, with its source behind it: torch before 1.6 wrote that beside whole models
            return pid[1]
        if not (isinstance(pid, tuple) and len(pid) in (5, 6) and pid[0] == "storage"):
            raise pickle.UnpicklingError("it refers to something that is no storage")
        _, name, key, _, count, *view = pid
        if name not in DTYPES:
            name = getattr(name, "name", name)
            raise JobError(f"holds tensors of type {name}, which is not read", "save them as float32")
        if not isinstance(key, str) or not isinstance(count, int) or count < 0 or any(view):
            raise pickle.UnpicklingError("it describes a storage that cannot be")
        return self._storage(name, key, count)

    def _build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Foreign):
            self.stack[-1].__setstate__(state)

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _fill(self.stack[-1], [key, value])

    def _set_items(self) -> None:
        items = self.pop_mark()
        _fill(self.stack[-1], items)

    def _dict(self) -> None:
        items = self.pop_mark()
        self.append(_fill({}, items))

    def _set(self) -> None:
        self.append(Foreign())

    def _add_items(self) -> None:
        self.pop_mark()

    def _frozen(self) -> None:
        self.pop_mark()
        self.append(Foreign())

    # Keys and members are hashed: of nested tuples, which a file can make as large as it likes, that takes for ever.
    dispatch[pickle.BUILD[0]] = _build
    dispatch[pickle.SETITEM[0]] = _set_item
    dispatch[pickle.SETITEMS[0]] = _set_items
    dispatch[pickle.DICT[0]] = _dict
    dispatch[pickle.EMPTY_SET[0]] = _set
    dispatch[pickle.ADDITEMS[0]] = _add_items
    dispatch[pickle.FROZENSET[0]] = _frozen
    dispatch.pop(0x96, None)  # BYTEARRAY8, since Python 3.8: reserves what the file says before it reads


def _fill(table: Any, items: list[Any]) -> Any:
    """Set keys that are text or whole numbers; no other is of use to us."""
    if isinstance(table, dict):
        table.update(
            (key, value) for key, value in zip(items[::2], items[1::2]) if isinstance(key, (str, int))
        )
    return table


def _table(items: Iterable[Any] = ()) -> dict[Any, Any]:
    """An OrderedDict: Python 2 gave its items at once."""
    pairs = [pair for pair in items if isinstance(pair, (list, tuple)) and len(pair) == 2]
    return _fill({}, [part for pair in pairs for part in pair])  # type: ignore[no-any-return]


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    """Describe a tensor whose elements all lie in its storage, none of them twice as often as there are."""
    whole = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides) <= 32
    if not isinstance(storage, Storage) or not whole:
        raise pickle.UnpicklingError("it describes a tensor that cannot be")
    if not all(isinstance(number, int) and 0 <= number < 1 << 48 for number in (offset, *shape, *strides)):
        raise pickle.UnpicklingError("it describes a tensor of impossible size")
    elements, last = 1, offset
    for size, step in zip(shape, strides):
        elements, last = elements * size, last + max(size - 1, 0) * step
    if elements and (last >= storage.count or elements > storage.count):
        raise pickle.UnpicklingError("a tensor reaches out of its storage")
    return Tensor(storage, offset, shape, strides)


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _from_type(function: Any, _: Any, arguments: Any, __: Any) -> Any:
    """A tensor with attributes."""
    return _tensor(*arguments) if function is _tensor else Foreign()


_KNOWN = {
    "collections.OrderedDict": _table,
    "torch.Size": tuple,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _from_type,
}
