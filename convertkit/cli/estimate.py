"""``convertkit estimate``: what a graph takes at least on a chip that is not here."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, print_json, show


def estimate(
    subject: shared.SubjectArgument,
    target: shared.TargetOption = "cpu",
    input_shape: shared.InputShapeOption = None,
    top: Annotated[int, typer.Option("--top", min=0, help="How many of the costliest nodes to show.")] = 10,
    variant: shared.VariantOption = None,
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Estimate a graph's time on a chip from its operations and bytes (a roofline).

    An upper bound of speed: nothing is run, and nothing of it was measured on the chip. A variant's profiles have one
    line each; --profile shows the nodes of one.
    """
    from convertkit.api.commands.estimate import Estimated
    from convertkit.api.commands.estimate import estimate as run

    found = run(
        subject, target=target, input_shape=input_shape, variant=variant, weights=weights, origin=origin, batch=batch,
        profile=profile, python=python, env=env, plugin=plugin or (), report=BuildView(),
    )  # fmt: skip
    if as_json:
        print_json(found)
    else:
        show(found.page(top) if isinstance(found, Estimated) else found.page())
