"""The smallest set of pieces of a graph to keep in fp32 so that its detections stay within a limit.

1. Nothing is kept: within the limit, that is the answer.
2. What overflows is kept: within the limit, that is the answer.
3. All that can be kept: beyond the limit, no answer is to be had by keeping.
4. Patterns alone, in the order they come in, until one meets the limit or :data:`RANKED` were tried. Those that gain
   something go first, in the order of what each gains, and the others follow as they came.
5. In that order, binary search for the smallest prefix that meets the limit. Its last piece is needed.
6. Down from there: with the needed pieces kept, do the others matter? If so, the smallest prefix of them that meets
   the limit ends with the next piece that is needed (as in Junker 2004, QuickXplain).
7. What overflows is left out again, one group of neighbours after the other, where nobody notices: an area that is
   infinite may still choose the right level.

Whatever the order, and though several pieces help only together, each piece of the answer was seen to be needed, as
long as keeping more never makes the loss larger. Where it does, the answer still was seen to meet the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from convertkit.precision.loss import Loss, gain

if TYPE_CHECKING:
    from convertkit.precision.candidates import Pattern, Piece

RANKED = 6
"""Patterns that are tried alone."""

Kept = frozenset[str]


class BudgetSpent(Exception):
    """No evaluation is left."""


@dataclass(frozen=True)
class Needing:
    """A piece that is kept, and the losses of two sets that differ by it: without it beyond the limit."""

    piece: Piece
    before: Loss
    after: Loss


@dataclass
class Search:
    """One search; after :meth:`run` its fields are the answer.

    Args:
        evaluate: the loss of the graph with these nodes kept; told which evaluation it is, from 1 on, and whether it is
            to look at all photos: it may end where the limit cannot be met any more, else.
        limit: of the loss; met where its 95 % interval ends there or below.
        budget: evaluations, at least 1. What was evaluated once costs nothing again.

    Attributes:
        losses: of all sets that were evaluated, in this order.
        all: everything that can be kept, where that was asked for.
        met: the set found; None where none was.
        needs: its pieces beside what overflows, in the order found. Pieces of a set that the budget left undivided are
            not among them.
        ended: whether the budget did.
    """

    evaluate: Callable[[Kept, int, bool], Loss]
    limit: float
    budget: int
    losses: dict[Kept, Loss] = field(default_factory=dict)
    all: Kept | None = None
    met: Kept | None = None
    needs: list[Needing] = field(default_factory=list)
    ended: bool = False

    def run(self, must: Callable[[], Collection[Piece]], patterns: Callable[[], Sequence[Pattern]]) -> None:
        """Searches.

        Args:
            must: groups of nodes that are kept while the others are looked for; like ``patterns`` not asked for where
                nothing has to be kept.
        """
        try:
            if not self._meets(frozenset(), whole=True):
                groups = must()
                self._divide(frozenset().union(*groups), patterns)
                self._spare(groups)
        except BudgetSpent:
            self.ended = True

    def loss(self, keep: Kept, whole: bool = False) -> Loss:
        if keep not in self.losses:
            if len(self.losses) >= self.budget:
                raise BudgetSpent
            self.losses[keep] = self.evaluate(keep, len(self.losses) + 1, whole)
        return self.losses[keep]

    def _divide(self, must: Kept, patterns: Callable[[], Sequence[Pattern]]) -> None:
        if self._meets(must, whole=True):
            return
        known = patterns()
        self.all = must.union(*(pattern.nodes for pattern in known))
        if not self._meets(self.all, whole=True):
            return
        tried, others = self._ranked(must, known)
        first = [piece for pattern in tried for piece in pattern.pieces]
        pieces = [*first, *(piece for pattern in others for piece in pattern.pieces)]
        guess = len(first)
        while not self._meets(must):
            found = self._shortest(must, pieces, guess)
            pieces, last = pieces[: found - 1], pieces[found - 1]
            self.needs.append(self._needing(must, pieces, last))
            must |= frozenset(last)

    def _spare(self, groups: Collection[Piece]) -> None:
        for group in groups:
            if self.met is not None:
                self._meets(self.met.difference(group))

    def _meets(self, keep: Kept, whole: bool = False) -> bool:
        """Every set that meets the limit is smaller than the one before, or as good and seen later."""
        good = self.loss(keep, whole).estimate.high <= self.limit
        if good and (self.met is None or len(keep) <= len(self.met)):
            self.met = keep
        return good

    def _ranked(self, must: Kept, known: Sequence[Pattern]) -> tuple[list[Pattern], list[Pattern]]:
        """The patterns that gain something alone, the most first, and the others as they came."""
        gains: list[tuple[float, Pattern]] = []
        for pattern in known[:RANKED]:
            keep = must.union(pattern.nodes)
            met = self._meets(keep)
            gains.append((gain(self.loss(must), self.loss(keep)), pattern))
            if met:
                break
        better = [pattern for won, pattern in sorted(gains, key=lambda one: -one[0]) if won > 0]
        return better, [pattern for pattern in known if pattern not in better]

    def _shortest(self, must: Kept, pieces: Sequence[Piece], guess: int) -> int:
        """How many pieces, the first ones, meet the limit beside ``must``; all of them do, and none does not.

        Args:
            guess: where to look first, if it lies in between.
        """
        seen = {keep for keep, loss in self.losses.items() if loss.estimate.high <= self.limit}
        prefixes = enumerate(accumulate(pieces, lambda keep, piece: keep.union(piece), initial=must))
        low, high = 0, next(count for count, keep in prefixes if keep in seen)
        while high - low > 1:
            middle = guess if low < guess < high else (low + high) // 2
            if self._meets(must.union(*pieces[:middle])):
                high = middle
            else:
                low = middle
        return high

    def _needing(self, must: Kept, others: Sequence[Piece], piece: Piece) -> Needing:
        without = must.union(*others)
        return Needing(piece, self.loss(without), self.loss(without.union(piece)))
