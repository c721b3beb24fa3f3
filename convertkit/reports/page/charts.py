"""Charts as SVG by matplotlib: no script, text stays text, and colours are those of the page, light or dark."""

from __future__ import annotations

import io
import re
import warnings
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from convertkit.errors import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

from convertkit.reports.page.blocks import Bars, Chart, Dots, Heat, Intervals, Lines, Wiring

PALETTE = {
    "#101010": "ink",
    "#202020": "faint",
    "#303030": "line",
    "#404040": "paper",
    "#500001": "s1",
    "#500002": "s2",
    "#500003": "s3",
    "#500004": "s4",
    "#500005": "s5",
    "#500006": "s6",
    "#600001": "good",
    "#600002": "bad",
}
"""Colours that stand in a drawing for the page's own, which differ by day and night."""
NAMED = {name: colour for colour, name in PALETTE.items()}
SERIES = [NAMED[f"s{number}"] for number in range(1, 7)]
STYLES = ("-", "--", ":", "-.")
TONES = {"": "faint", "good": "good", "bad": "bad", "unsure": "ink"}

SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "convertkit",
    "text.parse_math": False,  # a dollar in a name is a dollar
    "font.size": 10,
    "font.family": "sans-serif",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": NAMED["line"],
    "axes.labelcolor": NAMED["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": NAMED["ink"],
    "xtick.color": NAMED["ink"],
    "ytick.color": NAMED["ink"],
    "grid.color": NAMED["line"],
    "legend.frameon": False,
    "legend.labelcolor": NAMED["ink"],
}
WIDTH, NARROW = 7.6, 3.4
"""Inches of a chart, 96 pixels each: on a desktop, and on a phone."""
BOX = (0.8, 0.62)
"""Width and height of a node's frame, in steps from layer to layer and from place to place."""
NAME = 34
"""Letters of a name beside a chart."""


def svg(chart: Chart, prefix: str, width: float = WIDTH) -> str:
    """The drawing as an element to be set into a page.

    Args:
        prefix: of its ids, which keeps them apart from those of other drawings.
        width: in inches, of a chart that has no width of its own.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {**mpl.rcParamsDefault, "backend": "agg", **SETTINGS}
    with warnings.catch_warnings(), mpl.rc_context(settings):
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # text stays text: the reader's fonts draw it
        figure = Figure(figsize=size_of(chart, width), layout="constrained")
        axes = figure.add_subplot()
        draw(chart, axes)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return _placed(stream.getvalue(), chart.said, prefix)


def _placed(text: str, said: str, prefix: str) -> str:
    from markupsafe import escape

    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{prefix}", text)
    for colour, name in PALETTE.items():
        text = text.replace(colour, f"var(--{name})")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(visible(said))}"', 1)


def has_width(chart: Chart) -> bool:
    """Whether its width follows from what is in it; such a chart scrolls on a narrow screen."""
    return isinstance(chart, (Wiring, Heat))


def size_of(chart: Chart, width: float) -> tuple[float, float]:
    """Width and height in inches."""
    if isinstance(chart, Wiring):
        layers = max((spot.layer for spot in chart.spots), default=0) + 1
        tall = max((spot.place for spot in chart.spots), default=0) + 1
        return 1.6 * layers, 0.2 + 0.4 * tall
    if isinstance(chart, Heat):
        return 2.2 + 0.44 * len(chart.columns), 1.6 + 0.3 * len(chart.rows)
    if isinstance(chart, Lines):
        return width, 3.6 + 0.2 * len(chart.names)
    if isinstance(chart, Dots):
        return width, 4.2
    rows = len(chart.names) if isinstance(chart, Bars) else len(chart.spreads)
    return width, 0.9 + 0.27 * rows


@singledispatch
def draw(chart: Chart, axes: Axes) -> None:
    """Draws a chart into the axes that it is given."""
    raise TypeError(type(chart))


@draw.register(Bars)
def _bars(chart: Bars, axes: Axes) -> None:
    rows = range(len(chart.names))
    bars = axes.barh(rows, chart.values, height=0.66, color=SERIES[0])
    axes.bar_label(bars, labels=[f"{value:,.0f}" for value in chart.values], padding=3, fontsize=9)
    _named(axes, chart.names)
    axes.margins(x=0.1)
    axes.set_xlabel(chart.unit)


@draw.register(Intervals)
def _intervals(chart: Intervals, axes: Axes) -> None:
    for row, item in enumerate(chart.spreads):
        low = item.value if item.low is None else item.low
        high = item.value if item.high is None else item.high
        axes.plot([low, high], [row, row], color=SERIES[0], linewidth=2.2, solid_capstyle="butt")
        axes.plot(
            [item.value],
            [row],
            "o",
            color=SERIES[0],
            markerfacecolor=SERIES[0] if item.low is not None else NAMED["paper"],
        )
    if chart.zero:
        axes.axvline(0, color=NAMED["ink"], linewidth=1)
    axes.grid(axis="x", linewidth=0.6)
    axes.set_axisbelow(True)
    _named(axes, [item.name for item in chart.spreads])
    axes.set_xlabel(chart.unit)


@draw.register(Lines)
def _lines(chart: Lines, axes: Axes) -> None:
    for number, (name, curve) in enumerate(zip(chart.names, chart.curves, strict=True)):
        style = STYLES[number // len(SERIES) % len(STYLES)]
        axes.plot(
            *zip(*curve, strict=True),
            style,
            color=SERIES[number % len(SERIES)],
            label=_cut(name),
            linewidth=1.6,
        )
    axes.set(xlabel=chart.axes[0], ylabel=chart.axes[1], xlim=(0, 1), ylim=(0, 1.03))
    axes.grid(linewidth=0.6)
    axes.figure.legend(loc="outside lower left", fontsize=9)


@draw.register(Dots)
def _dots(chart: Dots, axes: Axes) -> None:
    line = sorted((dot.x, dot.y) for dot in chart.dots if dot.joined)
    axes.plot([x for x, _ in line], [y for _, y in line], color=SERIES[0], linewidth=1.2)
    for dot in chart.dots:
        colour = SERIES[0] if dot.joined else NAMED["faint"]
        axes.plot([dot.x, dot.x], [dot.low, dot.high], color=colour, linewidth=1.2, alpha=0.6)
        axes.plot([dot.x], [dot.y], "o", color=colour)
        axes.annotate(_cut(dot.name), (dot.x, dot.y), (4, 4), textcoords="offset points", fontsize=8)
    axes.axhline(0, color=NAMED["line"], linewidth=0.8)
    axes.set(xlabel=chart.axes[0], ylabel=chart.axes[1])
    axes.grid(linewidth=0.6)
    axes.set_axisbelow(True)


@draw.register(Heat)
def _heat(chart: Heat, axes: Axes) -> None:
    for row, counts in enumerate(chart.counts):
        total = sum(counts) or 1
        for column, count in enumerate(counts):
            if count:
                axes.fill_between(
                    [column - 0.5, column + 0.5],
                    row - 0.5,
                    row + 0.5,
                    color=SERIES[0],
                    alpha=0.08 + 0.42 * count / total,
                    linewidth=0,
                )
                axes.text(column, row, f"{count}", ha="center", va="center", fontsize=8)
    axes.set(xlim=(-0.5, len(chart.columns) - 0.5), xlabel=chart.axes[0], ylabel=chart.axes[1])
    axes.set_xticks(range(len(chart.columns)), [_cut(name, 18) for name in chart.columns], rotation=90)
    _named(axes, chart.rows, 18)


@draw.register(Wiring)
def _wiring(chart: Wiring, axes: Axes) -> None:
    from matplotlib.patches import Rectangle

    for start, end in chart.edges:
        a, b = chart.spots[start], chart.spots[end]
        axes.annotate(
            "",
            (b.layer - BOX[0] / 2, b.place),
            (a.layer + BOX[0] / 2, a.place),
            arrowprops={
                "arrowstyle": "-|>,head_width=0.15,head_length=0.3",
                "color": NAMED["faint"],
                "linewidth": 0.8,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            zorder=1,
        )
    for spot in chart.spots:
        frame = Rectangle(
            (spot.layer - BOX[0] / 2, spot.place - BOX[1] / 2),
            *BOX,
            facecolor=NAMED["paper"],
            edgecolor=NAMED[TONES[spot.tone]],
            linestyle="-" if spot.tone else "--",
            zorder=2,
        )
        axes.add_patch(frame)
        axes.text(
            spot.layer, spot.place, _cut(spot.label, 18), ha="center", va="center", fontsize=8, zorder=3
        )
    layers = max(spot.layer for spot in chart.spots)
    axes.set(xlim=(-0.5, layers + 0.5), ylim=(max(spot.place for spot in chart.spots) + 0.5, -0.5))
    axes.set_axis_off()


def _named(axes: Axes, names: tuple[str, ...] | list[str], most: int = NAME) -> None:
    """Names beside rows, the first on top."""
    axes.set_yticks(range(len(names)), [_cut(name, most) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _cut(text: str, most: int = NAME) -> str:
    text = visible(text.replace("\n", " "))
    return text if len(text) <= most else f"{text[: most - 1]}…"
