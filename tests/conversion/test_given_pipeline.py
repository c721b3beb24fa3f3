"""``--pipeline`` beside the passes that the target runs itself."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from convertkit.conversion.request import Asked, make_request
from convertkit.errors import SpecError, UnknownNameError, UsageError
from convertkit.passes.options import step_text
from convertkit.plugins.loading import open_plugins
from tests.conftest import MASKRCNN

OWN = [
    "resolve-if",
    "absorb-score-filters",
    "fuse-multilevel-roialign",
    "fuse-multiclass-nms",
    "drop-offset-rounding",
    "restore-rpn-levels",
    "clip-to-picture",
    "center-nms-boxes",
    "cast-fp16-operators",
    "legalize-ascend",
]
CLIP = "clip-to-picture"


def steps(*given: str) -> list[str]:
    request = make_request(Asked(MASKRCNN, target="ascend310p3", pipeline=list(given)), open_plugins())
    return [step.name for step in request.pipeline.steps]


@pytest.mark.parametrize("count", range(len(OWN) + 1))
def test_the_targets_passes_may_be_named_as_far_as_one_likes(count: int) -> None:
    assert steps("simplify", "fold-constants", *OWN[:count]) == ["simplify", "fold-constants", *OWN]


def test_a_pass_that_comes_twice_stands_right_where_one_of_the_two_does() -> None:
    named = [
        "simplify",
        "fuse-multilevel-roialign",
        "fuse-multiclass-nms",
        "drop-offset-rounding",
        "simplify",
    ]

    assert steps(*named) == [*named, *OWN]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["simplify", "fuse-multiclass-nms"], "must come after"),
        (["simplify", "legalize-ascend"], "must come after"),
        (["simplify", "clip-to-picture"], "requires fuse-multiclass-nms before it"),
        (["fuse-multiclass-nms", "fuse-multilevel-roialign"], "must come after fuse-multilevel-roialign"),
    ],
)
def test_one_that_stands_wrong_is_to_be_left_out_as_the_target_runs_it(given: list[str], line: str) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        steps(*given)

    assert "swap" not in str(caught.value)
    assert f"ascend310p3 runs {', '.join(OWN)} after the others itself: leave out" in str(caught.value)


def test_the_models_own_passes_are_swapped() -> None:
    with pytest.raises(UsageError, match=r"fold-constants must come after simplify \(swap the two\)"):
        steps("fold-constants", "simplify")


def of_seed(target: str = "ascend310p3", **asked: list[str]) -> list[str]:
    request = make_request(Asked(MASKRCNN, target=target, env="seed", **asked), open_plugins())
    return [step_text(step) for step in request.pipeline.steps]


def test_an_environment_has_steps_of_its_own_in_place_of_the_same_passes() -> None:
    plain = make_request(Asked(MASKRCNN, target="ascend310p3"), open_plugins()).pipeline.text

    changed = of_seed()

    assert ",".join(changed) == plain.replace("clip-to-picture", "clip-to-picture{drop_empty=false}")
    assert not [text for text in of_seed("cpu") if "clip-to-picture" in text]


def test_what_a_person_gives_goes_before_what_the_environment_says() -> None:
    given = ["simplify", *OWN[:-3]]

    assert of_seed(pipeline=given)[: len(given)] == given
    assert "clip-to-picture{drop_empty=false}" in of_seed(pipeline=["simplify"])


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        (f"{CLIP}s", UnknownNameError, "clip-to-pictures"),
        (f"{CLIP}{{drop=false}}", UsageError, "pass clip-to-picture has no option 'drop'"),
    ],
)
def test_a_step_that_cannot_be_is_refused_by_its_name(
    tmp_path: Path, text: str, error: type[Exception], line: str
) -> None:
    said = (MASKRCNN / "model.yaml").read_text().replace("clip-to-picture{drop_empty=false}", text)
    package = copytree(MASKRCNN, tmp_path / "maskrcnn", ignore=lambda *_: ["mini.onnx", "mini.pth"])
    (package / "model.yaml").write_text(said)

    with pytest.raises(error, match=line):
        make_request(Asked(package, target="ascend310p3", env="seed"), open_plugins())


def of_variant(path: Path, passes: str, target: str = "ascend310p3", **asked: list[str]) -> list[str]:
    file = path / "few.yaml"
    file.write_text(f"size: [320, 320]\nstock: {MASKRCNN / 'mini/mini.onnx'}\npasses: {passes}\n")
    request = make_request(Asked(MASKRCNN, variant=str(file), target=target, **asked), open_plugins())
    return [step_text(step) for step in request.pipeline.steps]


def test_a_variant_has_further_steps_where_their_own_constraints_put_them(tmp_path: Path) -> None:
    plain = of_variant(tmp_path, "[]")
    few, less = "limit-proposals{count=200}", "limit-detections{count=50}"

    changed = of_variant(tmp_path, f'["{few}", "{less}", "clip-to-picture{{drop_empty=false}}"]')

    there = plain.index("restore-rpn-levels") + 1
    wanted = [*plain[:there], few, less, *plain[there:]]
    assert changed == [item.replace("picture", "picture{drop_empty=false}") for item in wanted]
    cpu = of_variant(tmp_path, f'["{few}"]', "cpu")
    assert cpu[-2:] == [few, "lower-heads"]


def test_a_step_of_the_variant_that_has_no_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="prune-mask-head requires select-class-masks before it"):
        of_variant(tmp_path, '["prune-mask-head"]', pipeline=["simplify"])
    with pytest.raises(UnknownNameError, match=r"few\.yaml, passes: unknown pass 'limit-proposal'"):
        of_variant(tmp_path, '["limit-proposal"]')
    with pytest.raises(UsageError, match=r"few\.yaml, passes: count=0"):
        of_variant(tmp_path, '["limit-proposals{count=0}"]')
    with pytest.raises(SpecError, match=r"few\.yaml, passes: limit-proposals is there twice"):
        of_variant(tmp_path, '["limit-proposals{count=500}", "limit-proposals{count=300}"]')
