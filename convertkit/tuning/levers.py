"""Levers: what of a conversion can be chosen, and what a choice changes in the variant.

A choice is keys of a variant, so a point of the sweep is a variant file, and what ``--emit`` writes is that file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convertkit.conversion.request import BuildRequest
from convertkit.detection.profiles import Size
from convertkit.errors import UsageError
from convertkit.passes.options import parse_step
from convertkit.tuning.counts import Counts

Change = Mapping[str, Any]
"""Keys of a variant."""


@dataclass(frozen=True)
class Choice:
    """One way to set a lever, by the word for it; nothing changes where it is as it is."""

    word: str
    change: Change


@dataclass(frozen=True)
class Lever:
    """Something to choose.

    Attributes:
        choices: two or more, as it is first.
        meaning: whether another choice may find something else in a photo.
    """

    name: str
    choices: tuple[Choice, ...]
    meaning: bool = True


@dataclass(frozen=True)
class Facts:
    """What is known of the model as it is: a request for each profile, and what runs through its heads.

    Attributes:
        first: the command that builds the environment to export with; empty where it is there.
    """

    requests: tuple[BuildRequest, ...]
    counts: Counts
    first: str = ""

    @property
    def exports(self) -> bool:
        """Whether a graph of another size can be had."""
        first = self.requests[0]
        return first.package.spec.export is not None and first.asked.origin != "stock"

    @property
    def sizes(self) -> tuple[Size, ...]:
        return tuple(request.variant.spec.size for request in self.requests)

    def has_pass(self, name: str) -> bool:
        return name in {entry.name for entry in self.requests[0].plugins.passes}


@dataclass(frozen=True)
class Kind:
    """A lever before it is known of which model.

    Attributes:
        missing: why a model has nothing to choose here; empty where it has.
        now: the word for as it is. others: those to try unless told otherwise.
        change: what a word changes; UsageError where the model has no such choice.
        meaning: as of a lever. exports: whether its graphs have to be exported.
    """

    name: str
    missing: Callable[[Facts], str]
    now: Callable[[Facts], str]
    others: Callable[[Facts], Sequence[str]]
    change: Callable[[Facts, str], Change]
    meaning: bool = True
    exports: bool = False

    def unasked(self, facts: Facts) -> str:
        """Why nothing of it is tried unless it is asked for: building an environment takes minutes, and disk."""
        if (why := self.missing(facts)) or not (self.exports and facts.first):
            return why
        return f"its graphs have to be exported, and what exports is not built: {facts.first} first"

    def lever(self, facts: Facts, words: Sequence[str] = ()) -> Lever:
        """Of a model; ``words`` are the choices to try, beside as it is.

        Raises:
            UsageError: the model has nothing to choose, or not this.
        """
        if why := self.missing(facts):
            raise UsageError(f"--lever {self.name}: {why}", hint="leave it out")
        now = self.now(facts)
        wanted = [word for word in dict.fromkeys(words or self.others(facts)) if word != now]
        choices = [Choice(word, self.change(facts, word)) for word in wanted]
        return Lever(self.name, (Choice(now, {}), *choices), self.meaning)


def merged(facts: Facts, changes: Sequence[Change]) -> dict[str, Any]:
    """Keys of a variant that make all of the changes; passes add up, behind or in place of the variant's own."""
    found: dict[str, Any] = {}
    steps = {parse_step(text)[0]: text for text in facts.requests[0].variant.spec.passes}
    more = [text for change in changes for text in change.get("passes", ())]
    steps |= {parse_step(text)[0]: text for text in more}
    for change in changes:
        found |= change
    return {**found, "passes": [*steps.values()]} if more else found
