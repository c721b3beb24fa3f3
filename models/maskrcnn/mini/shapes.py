"""The object classes the scenes are made of: which drawing stands for which COCO category."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .categories import IDENTIFIERS
from .food import banana, donut, orange, pizza
from .pen import Pen
from .things import clock, kite, sports_ball, stop_sign, traffic_light, umbrella


@dataclass(frozen=True)
class Shape:
    """A drawable category: COCO identifier, drawing function, and the largest turn in degrees either way."""

    category_id: int
    draw: Callable[[int, np.random.Generator], Pen]
    turn: float


#: All ten categories in scenes, in the order of their COCO identifiers.
SHAPES: tuple[Shape, ...] = (
    Shape(IDENTIFIERS["traffic light"], traffic_light, 12),
    Shape(IDENTIFIERS["stop sign"], stop_sign, 18),
    Shape(IDENTIFIERS["umbrella"], umbrella, 40),
    Shape(IDENTIFIERS["sports ball"], sports_ball, 180),
    Shape(IDENTIFIERS["kite"], kite, 50),
    Shape(IDENTIFIERS["banana"], banana, 180),
    Shape(IDENTIFIERS["orange"], orange, 180),
    Shape(IDENTIFIERS["pizza"], pizza, 180),
    Shape(IDENTIFIERS["donut"], donut, 180),
    Shape(IDENTIFIERS["clock"], clock, 20),
)
