"""What can be chosen of a model, by what is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convertkit.conversion.request import Asked, make_requests
from convertkit.errors import UnknownNameError, UsageError
from convertkit.plugins.loading import Plugins, open_plugins
from convertkit.tuning.counts import Counts
from convertkit.tuning.kinds import levers_of
from convertkit.tuning.levers import Facts, merged

MASKRCNN = Path(__file__).parents[2] / "models" / "maskrcnn"


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return open_plugins()


@pytest.fixture(scope="module")
def facts(plugins: Plugins) -> Facts:
    return Facts(make_requests(Asked(MASKRCNN, target="ascend310p3"), plugins), Counts(1000, 100))


def words(facts: Facts, *asked: str) -> dict[str, list[str]]:
    return {lever.name: [one.word for one in lever.choices] for lever in levers_of(facts, asked)[0]}


def test_the_first_choice_is_as_it_is(facts: Facts) -> None:
    found = words(facts)

    assert found["masks"] == ["selected", "pruned"]
    assert found["profiles"] == ["320x320", "224x320+320x224"]
    assert found["batch"] == ["1", "4", "8"]


def test_what_is_left_out_has_a_reason(facts: Facts) -> None:
    _, left_out = levers_of(Facts(facts.requests, Counts()), ())

    assert "copied from the host" in left_out["normalize"]
    assert "proposals" in left_out and "detections" in left_out


def test_what_needs_an_environment_that_is_not_built_is_tried_only_where_it_is_asked_for(
    facts: Facts,
) -> None:
    unbuilt = replace(facts, first="convertkit env build models/maskrcnn")

    assert words(unbuilt).keys() == words(facts).keys() - {"profiles", "batch"}
    assert levers_of(unbuilt, ())[1]["batch"].endswith(
        "not built: convertkit env build models/maskrcnn first"
    )
    assert words(unbuilt, "batch=4") == {"batch": ["1", "4"]}


def test_choices_are_those_of_the_command_line_beside_as_it_is(facts: Facts) -> None:
    assert words(facts, "batch=16", "profiles=320x320,256x320+320x256") == {
        "batch": ["1", "16"],
        "profiles": ["320x320", "256x320+320x256"],
    }


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("batch=2000", r"--lever batch=2000: .*nearest is 1024"),
        ("batch=0", r"--lever batch=0: .*nearest is 1\)"),
        ("batch=four", r"--lever batch=four: 'four' is no whole number \(1 to 1024\)"),
        ("masks=prunned", r"--lever masks=prunned: there is no such way \(.*pruned"),
        ("profiles=320x320,250x320+320x250", r"250 is no multiple of 32 \(the nearest is 256x320"),
        ("profiles=224x320", r"two or more different sizes"),
    ],
)
def test_a_choice_that_there_is_not_names_the_nearest(facts: Facts, asked: str, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        levers_of(facts, [asked])


def test_an_unknown_lever_and_one_given_twice(facts: Facts) -> None:
    with pytest.raises(UnknownNameError, match="batch"):
        levers_of(facts, ["bacth=4"])
    with pytest.raises(UsageError, match="given twice"):
        levers_of(facts, ["batch=4", "batch=8"])


def test_a_lever_that_the_model_has_not_is_refused_by_name(facts: Facts) -> None:
    with pytest.raises(UsageError, match=r"--lever proposals: .* \(leave it out\)"):
        levers_of(Facts(facts.requests, Counts()), ["proposals"])


def test_passes_of_several_choices_add_up(facts: Facts) -> None:
    changes: list[dict[str, Any]] = [{"passes": ["a{x=1}", "b"]}, {"batch": 4}, {"passes": ["a{x=2}"]}]

    assert merged(facts, changes) == {"passes": ["a{x=2}", "b"], "batch": 4}
    assert merged(facts, [{}, {}]) == {}
