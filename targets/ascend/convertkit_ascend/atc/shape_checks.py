"""What ``--input_shape`` and the three dynamic options demand of each other (ascend-facts: atc-shapes)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from convertkit_ascend.atc.shapes import FREE, InputShape
from convertkit_ascend.atc.text_checks import refuse
from convertkit_ascend.atc.values import FEWEST_PROFILES, MOST_PROFILES

if TYPE_CHECKING:
    from convertkit_ascend.atc.options import AtcOptions
    from convertkit_ascend.socs import Soc

HEIGHT_WIDTH = (2, 3)
"""Axes of NCHW."""


def check(options: AtcOptions, soc: Soc) -> None:
    """Raises UsageError at the first contradiction."""
    for shape in options.input_shape:
        _sizes(shape)
    for name, count in Counter(shape.name for shape in options.input_shape).items():
        if count > 1:
            refuse(f"--input_shape names input {name!r} {count} times", "once each")
    for name in ("dynamic_batch_size", "dynamic_image_size", "dynamic_dims"):
        profiles = getattr(options, name)
        if profiles:
            _profiles(name, profiles if name != "dynamic_batch_size" else tuple((size,) for size in profiles))
            _no_ranges(name, options)
            _AXES[name](options)
            return
    _undirected(options, soc)


def _sizes(shape: InputShape) -> None:
    for dim in shape.dims:
        if isinstance(dim, tuple):
            if not 0 <= dim[0] <= dim[1]:
                refuse(
                    f"--input_shape: range {dim[0]}~{dim[1]} in {str(shape)!r} is empty",
                    "lowest~highest",
                    "E10048",
                )
        elif dim < 1 and dim != FREE:
            refuse(f"--input_shape: size {dim} in {str(shape)!r}", "sizes are positive, or -1", "E10011")


def _profiles(name: str, profiles: tuple[tuple[int, ...], ...]) -> None:
    if not FEWEST_PROFILES <= len(profiles) <= MOST_PROFILES:
        code = "E10035" if len(profiles) < FEWEST_PROFILES else "E10036"
        refuse(f"--{name} has {len(profiles)} profiles", f"{FEWEST_PROFILES} to {MOST_PROFILES}", code)
    if len({len(profile) for profile in profiles}) > 1:
        refuse(f"--{name} has profiles of different lengths", "the same number of sizes in each", "E10037")
    for profile in profiles:
        if any(size < 1 for size in profile):
            refuse(f"--{name} has the profile {_text(profile)}", "sizes are positive", "E10038")
    twice = [profile for profile, count in Counter(profiles).items() if count > 1]
    if twice:
        refuse(f"--{name} has the profile {_text(twice[0])} twice", "once each", "E10039")


def _no_ranges(name: str, options: AtcOptions) -> None:
    for shape in options.input_shape:
        if shape.ranged:
            refuse(
                f"--{name} and the range in --input_shape {str(shape)!r} exclude each other",
                "write -1",
                "E10040",
            )
    if not any(shape.free for shape in options.input_shape):
        refuse(f"--{name} is given but --input_shape has no -1", "write -1 for the axes that vary", "E10040")


def _batch(options: AtcOptions) -> None:
    for shape in options.input_shape:
        wrong = [axis for axis in shape.free if axis != 0]
        if wrong:
            what = f"--dynamic_batch_size and -1 at axis {wrong[0]} of {str(shape)!r} exclude each other"
            refuse(what, "only axis 0 may be -1; use dynamic_dims", "E10018")


def _image(options: AtcOptions) -> None:
    if options.input_format != "NCHW":
        refuse(
            f"--dynamic_image_size and --input_format={options.input_format} exclude each other", "say NCHW"
        )
    for shape in options.input_shape:
        wrong = [axis for axis in shape.free if axis not in HEIGHT_WIDTH]
        if wrong:
            what = f"--dynamic_image_size and -1 at axis {wrong[0]} of {str(shape)!r} exclude each other"
            refuse(what, "only height and width may be -1; use dynamic_dims", "E10019")
    if any(len(profile) != 2 for profile in options.dynamic_image_size):
        refuse("--dynamic_image_size wants two sizes in each profile", "height, width", "E10020")


def _dims(options: AtcOptions) -> None:
    if options.input_format != "ND":
        refuse(f"--dynamic_dims and --input_format={options.input_format} exclude each other", "say ND")
    free = sum(len(shape.free) for shape in options.input_shape)
    sizes = len(options.dynamic_dims[0])
    if free != sizes:
        what = f"--dynamic_dims has {sizes} sizes a profile, --input_shape has {free} axes of -1"
        refuse(what, "one size for each -1", "E10045")


_AXES = {"dynamic_batch_size": _batch, "dynamic_image_size": _image, "dynamic_dims": _dims}


def _undirected(options: AtcOptions, soc: Soc) -> None:
    """Sizes left open until run time, without profiles."""
    open_ended = [shape for shape in options.input_shape if shape.ranged or shape.free]
    if open_ended and soc.family == "Ascend310B":
        what = f"--input_shape {str(open_ended[0])!r} and --soc_version={soc.soc_version} exclude each other"
        refuse(what, "310B needs profiles: dynamic_batch_size, dynamic_image_size or dynamic_dims")
    if open_ended and options.insert_op_conf is not None and len(options.input_shape) == 1:
        what = (
            f"--insert_op_conf and the open size in --input_shape {str(open_ended[0])!r} exclude each other"
        )
        refuse(what, "fix the size, or use dynamic_image_size")


def _text(profile: tuple[int, ...]) -> str:
    return ",".join(map(str, profile))
