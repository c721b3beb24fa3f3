"""Several sizes of one variant, each an ordinary build in a directory of its own."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from convertkit.conversion.profiles import build_profiles, listed, places
from convertkit.conversion.request import Asked, make_request, make_requests
from convertkit.errors import SpecError, UnknownNameError, UsageError
from convertkit.plugins.loading import open_plugins
from tests.ascend.atc.conftest import bin_dir, no_orphans, stand_in
from tests.conftest import Cli

__all__ = ["bin_dir", "no_orphans", "stand_in"]

PROFILES = "profiles: [[8, 12], [12, 8]]"


@pytest.fixture
def profiled(tiny: Path) -> Path:
    """The tiny package for two sizes; its stock graph takes any."""
    model = onnx.load(tiny / "small.onnx")
    image, features = (item.type.tensor_type.shape for item in (model.graph.input[0], model.graph.output[0]))
    image.dim[2].dim_param, image.dim[3].dim_param, features.dim[1].dim_param = "H", "W", "N"
    onnx.save(model, tiny / "small.onnx")
    plugin = tiny / "plugin.py"
    plugin.write_text(plugin.read_text().replace("(8, 8, 3)", "(12, 12, 3)"))
    _say(tiny, PROFILES)
    return tiny


def _say(tiny: Path, profiles: str) -> None:
    text = (tiny / "model.yaml").read_text()
    (tiny / "model.yaml").write_text(text.replace("stock: small.onnx}", f"stock: small.onnx, {profiles}}}"))


def asked(root: Path, profile: tuple[int, int] | None = None) -> Asked:
    return Asked(root, origin="stock", profile=profile, check=False)


@pytest.mark.slow
def test_each_profile_is_an_ordinary_build_of_its_size(profiled, tmp_path):
    requests = make_requests(asked(profiled), open_plugins())

    results = build_profiles(requests, tmp_path / "out")

    assert [result.directory.name for result in results] == ["8x12", "12x8"]
    assert [result.manifest.size for result in results] == [(8, 12), (12, 8)]
    assert listed(tmp_path / "out") == places(requests, tmp_path / "out")
    alone = make_request(asked(profiled, (12, 8)), open_plugins())
    (again,) = build_profiles([alone], tmp_path / "alone")
    assert again.manifest == results[1].manifest


def test_a_profile_alone_lies_where_the_bundle_has_it(profiled):
    requests = make_requests(asked(profiled), open_plugins())

    assert [str(place) for place in places(requests)] == [
        "build/tiny-small-cpu/8x12",
        "build/tiny-small-cpu/12x8",
    ]
    assert make_request(asked(profiled, (12, 8)), open_plugins()).directory == requests[1].directory
    assert make_request(asked(profiled, (8, 8)), open_plugins()).directory.name == "8x8"  # `size` is one, too


def test_its_own_file_is_not_taken_for_another_size(profiled):
    square, wide = (make_request(Asked(profiled, profile=size), open_plugins()) for size in ((8, 8), (8, 12)))

    assert square.from_stock
    assert not wide.from_stock


def test_what_takes_one_size_asks_for_it(profiled):
    plugins = open_plugins()

    with pytest.raises(
        UsageError, match=r"small has profiles 8x12, 12x8, one is taken here \(give --profile 8x12\)"
    ):
        make_request(asked(profiled), plugins)
    with pytest.raises(UnknownNameError, match=r"profile of variant small.*8x13.*8x12"):
        make_request(asked(profiled, (8, 13)), plugins)


def test_a_variant_without_profiles_has_none_to_take(tiny):
    with pytest.raises(UsageError, match="--profile 8x12: variant small has no profiles"):
        make_request(asked(tiny, (8, 12)), open_plugins())
    assert len(make_requests(asked(tiny), open_plugins())) == 1


@pytest.mark.parametrize("profiles", ["[[8, 12]]", "[[8, 12], [8, 12]]"])
def test_profiles_are_at_least_two_and_different(tiny, profiles):
    _say(tiny, f"profiles: {profiles}")

    with pytest.raises(SpecError, match="variant small: `profiles` are two or more different sizes"):
        make_request(asked(tiny), open_plugins())


@pytest.mark.slow
def test_one_and_several_do_not_share_a_directory(profiled, tmp_path):
    several = make_requests(asked(profiled), open_plugins())
    one = several[:1]
    build_profiles(one, tmp_path / "one")
    build_profiles(several, tmp_path / "several")

    with pytest.raises(UsageError, match=r"one holds an artifact of one size \(manifest.json\)"):
        build_profiles(several, tmp_path / "one")
    with pytest.raises(UsageError, match=r"several holds an artifact of several profiles \(profiles.json\)"):
        build_profiles(one, tmp_path / "several")


@pytest.mark.parametrize("name", ["../8x12", "8x12/..", "", "8x012", "/8x12"])
def test_a_list_names_directories_beside_it_only(tmp_path, name):
    entry = {"size": [8, 12], "directory": name}
    (tmp_path / "profiles.json").write_text(json.dumps({"format": 1, "profiles": [entry]}))

    with pytest.raises(SpecError, match="not a list of profiles that this convertkit knows"):
        listed(tmp_path)


@pytest.mark.slow
def test_the_command_builds_them_all_or_one(cli: Cli, profiled):
    words = ("build", profiled, "--from", "stock", "--no-check")

    every = cli(*words, "--json")
    one = cli(*words, "--profile", "12x8")

    assert every.code == one.code == 0, every.err + one.err
    assert every.json["directory"] == "build/tiny-small-cpu"
    assert [found["manifest"]["size"] for found in every.json["profiles"]] == [[8, 12], [12, 8]]
    assert "up to date: build/tiny-small-cpu/12x8 (" in one.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dry-run"], "variant small has profiles 8x12, 12x8, one is taken here (give --profile 8x12)"),
        (["--profile", "8"], "--profile '8' is no size (height and width, like 800x1216)"),
    ],
)
def test_the_command_says_what_is_missing(cli: Cli, profiled, words, said):
    done = cli("build", profiled, *words)

    assert done.code == 2
    assert said in done.err


@pytest.mark.slow
def test_a_profile_can_be_built_again_from_its_manifest(cli: Cli, profiled):
    cli("build", profiled, "--from", "stock")

    done = cli("replay", "build/tiny-small-cpu/12x8/manifest.json", "--model", profiled)

    assert done.code == 0, done.err
    assert "step 1 stock: same result" in done.out


@pytest.mark.slow
def test_estimate_and_bench_have_a_line_each(cli: Cli, profiled):
    words = (profiled, "--from", "stock", "--target", "ascend310p3")

    estimated = cli("estimate", *words)
    data = cli("estimate", *words, "--json").json
    measured = cli("bench", profiled, "--from", "stock", "--loops", "2")
    one = cli("estimate", *words, "--profile", "12x8")

    assert estimated.code == measured.code == one.code == 0, estimated.err + measured.err + one.err
    assert [line.split()[0] for line in estimated.out.splitlines()[2:4]] == ["8x12", "12x8"]
    assert [found["profile"] for found in data["profiles"]] == ["8x12", "12x8"]
    assert [line.split()[0] for line in measured.out.splitlines() if "x" in line.split(" ")[0]] == [
        "8x12",
        "12x8",
    ]
    assert "by operator: Conv" in one.out


@pytest.mark.slow
def test_every_profile_is_compiled(cli: Cli, profiled, stand_in):
    cli("build", profiled, "--from", "stock", "--no-check", "--target", "ascend310p3", "--compiler", "none")
    bundle = "build/tiny-small-ascend310p3"

    one = cli("compile", bundle, "--output", "elsewhere")
    done = cli("compile", bundle)

    assert one.code == 2
    assert f"{bundle} holds several profiles, and --output is of one (compile {bundle}/8x12)" in one.err
    assert done.code == 0, done.err
    compiled = [line.split()[1] for line in done.out.splitlines() if line.startswith("compiled ")]
    assert compiled == [f"{bundle}/8x12", f"{bundle}/12x8"]
