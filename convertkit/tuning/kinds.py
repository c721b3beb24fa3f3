"""The levers that there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convertkit.detection.profiles import Size, parse_size, size_text
from convertkit.errors import UnknownNameError, UsageError, nearest
from convertkit.models.spec import MOST_PICTURES
from convertkit.passes.options import text_of
from convertkit.tuning.levers import Change, Facts, Kind, Lever

STEP = 32
"""Sides of a canvas are multiples of it: the stride of the coarsest features of the usual backbones."""


def _count(text: str, most: int, lever: str, what: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"--lever {lever}={text}: {text!r} is no whole number", hint=f"1 to {most}")
    if not 1 <= int(text) <= most:
        closest = "1" if int(text) < 1 else str(most)
        raise UsageError(f"--lever {lever}={text}: {what}", hint=f"1 to {most}; the nearest is {closest}")
    return int(text)


def _limiting(name: str, step: str, count: Callable[[Facts], int | None], others: Sequence[float]) -> Kind:
    """Fewer of what runs through a head, by a pass with the option ``count``."""

    def missing(facts: Facts) -> str:
        if not facts.has_pass(step):
            return f"there is no pass {step}"
        return "" if count(facts) else f"the target graph has no head of which the number of {name} is known"

    def most(facts: Facts) -> int:
        return count(facts) or 1

    def change(facts: Facts, word: str) -> Change:
        have = most(facts)
        return {"passes": [text_of(step, {"count": _count(word, have, name, f"the graph has {have}")})]}

    return Kind(
        name,
        missing,
        lambda facts: str(most(facts)),
        lambda facts: [str(max(1, round(most(facts) * share))) for share in others],
        change,
    )


SELECT, PRUNE = "select-class-masks", "prune-mask-head"


def _masks(facts: Facts) -> list[str]:
    """The ways that are left, as it is first: all classes, the one of each detection, only that computed."""
    names = {step.name for step in facts.requests[0].pipeline.steps}
    ways = ("every-class", "selected", "pruned")
    return list(ways[(PRUNE in names) + (SELECT in names or PRUNE in names) :])


def _masks_missing(facts: Facts) -> str:
    roles = {tensor.role for tensor in facts.requests[0].package.spec.outputs.values()}
    if "masks" not in roles:
        return "the model has no masks"
    return "" if facts.has_pass(PRUNE) and facts.has_pass(SELECT) else f"there is no pass {SELECT}, {PRUNE}"


def _masks_change(facts: Facts, word: str) -> Change:
    ways = _masks(facts)
    if word not in ways:
        raise UsageError(
            f"--lever masks={word}: there is no such way", hint=nearest(word, ways, ", ".join(ways))
        )
    return {"passes": [SELECT] if word == "selected" else [SELECT, PRUNE]} if word != ways[0] else {}


def _sizes_word(sizes: Sequence[Size]) -> str:
    return "+".join(map(size_text, sizes))


def _profiles_missing(facts: Facts) -> str:
    if not facts.exports:
        return "a graph of another size has to be exported, and the package does not"
    return "the variant has profiles" if len(facts.sizes) > 1 else ""


def _profiles_others(facts: Facts) -> list[str]:
    """A square becomes landscape and portrait, 3:2 as cameras have it, on the side that it has."""
    ((height, width),) = facts.sizes
    short = max(STEP, STEP * round(height * 2 / 3 / STEP))
    return [_sizes_word([(short, width), (height, short)])] if height == width and short < height else []


def _profiles_change(facts: Facts, word: str) -> Change:
    found = [parse_size(text) for text in word.split("+")]
    sizes = [size for size in found if size is not None]
    if len(sizes) < len(found) or len(sizes) < 2 or len(set(sizes)) < len(sizes):
        raise UsageError(
            f"--lever profiles={word}: two or more different sizes",
            hint="height and width, like 800x1216+1216x800",
        )
    for size in sizes:
        if wrong := [side for side in size if side % STEP]:
            near = tuple(max(STEP, STEP * round(side / STEP)) for side in size)
            raise UsageError(
                f"--lever profiles={word}: {wrong[0]} is no multiple of {STEP}",
                hint=f"the nearest is {size_text((near[0], near[1]))}",
            )
    return {"profiles": [list(size) for size in sizes]}


def _batch_change(facts: Facts, word: str) -> Change:
    return {"batch": _count(word, MOST_PICTURES, "batch", "a run takes so many pictures")}


KINDS = (
    _limiting("proposals", "limit-proposals", lambda facts: facts.counts.proposals, (0.5, 0.3, 0.1)),
    _limiting("detections", "limit-detections", lambda facts: facts.counts.detections, (0.5, 0.2)),
    Kind(
        "masks",
        _masks_missing,
        lambda facts: _masks(facts)[0],
        lambda facts: _masks(facts)[1:],
        _masks_change,
    ),
    Kind(
        "profiles",
        _profiles_missing,
        lambda facts: _sizes_word(facts.sizes),
        _profiles_others,
        _profiles_change,
        exports=True,
    ),
    Kind(
        "batch",
        lambda facts: (
            "" if facts.exports else "a graph of another batch has to be exported, and the package does not"
        ),
        lambda facts: str(facts.requests[0].variant.spec.batch),
        lambda facts: ["1", "4", "8"],
        _batch_change,
        meaning=False,
        exports=True,
    ),
)

NOT_SEEN = {
    "normalize": "`normalize: target` changes what is copied from the host, which is not in the roofline, and no rung"
}
"""Choices that neither the price nor the judge of a sweep could tell apart, and why."""


def levers_of(facts: Facts, asked: Sequence[str]) -> tuple[tuple[Lever, ...], dict[str, str]]:
    """The levers to sweep, and by name why others are left out.

    Args:
        asked: ``NAME`` or ``NAME=WORD,WORD`` each; every lever that the model has where there are none.

    Raises:
        UnknownNameError: there is no such lever. UsageError: one is given twice, or has nothing to choose.
    """
    known = {kind.name: kind for kind in KINDS}
    wanted: dict[str, list[str]] = {}
    for text in asked:
        name, _, words = text.partition("=")
        if name not in known:
            raise UnknownNameError("lever", name, known)
        if name in wanted:
            raise UsageError(
                f"--lever {name} is given twice", hint="give its choices with commas between them"
            )
        wanted[name] = [word.strip() for word in words.split(",") if word.strip()]
    if asked:
        found = [known[name].lever(facts, words) for name, words in wanted.items()]
        return tuple(lever for lever in found if len(lever.choices) > 1), {
            lever.name: f"{lever.choices[0].word} is what the model has"
            for lever in found
            if len(lever.choices) == 1
        }
    missing = {kind.name: why for kind in KINDS if (why := kind.unasked(facts))}
    every = [kind.lever(facts) for kind in KINDS if kind.name not in missing]
    none = {lever.name: "there is nothing else to choose" for lever in every if len(lever.choices) == 1}
    return tuple(lever for lever in every if lever.name not in none), missing | none | NOT_SEEN
