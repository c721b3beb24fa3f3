"""Named things that plugins register: duplicates and misses are errors that list what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from convertkit.errors import PluginError, UnknownNameError

T = TypeVar("T")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One registered thing and the plugin it came from."""

    name: str
    item: T
    plugin: str


class Registry(Generic[T]):
    """A mapping from name to registered thing for one kind (``pass``, ``target``, ``model``)."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[T]] = {}

    def add(self, name: str, item: T, *, plugin: str) -> None:
        """Registers ``item``.

        Raises:
            PluginError: the name is taken; names both plugins.
        """
        known = self._entries.get(name)
        if known is not None:
            raise PluginError(f"{self.kind} {name!r} is registered twice: by {known.plugin} and by {plugin}")
        self._entries[name] = Entry(name, item, plugin)

    def get(self, name: str) -> T:
        """The registered thing.

        Raises:
            UnknownNameError: nobody registered the name; points to the nearest one.
        """
        return self.entry(name).item

    def entry(self, name: str) -> Entry[T]:
        """The registered thing together with its plugin's name; errors as :meth:`get`."""
        if name not in self._entries:
            raise UnknownNameError(self.kind, name, self._entries)
        return self._entries[name]

    def __iter__(self) -> Iterator[Entry[T]]:
        return (self._entries[name] for name in sorted(self._entries))

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)
