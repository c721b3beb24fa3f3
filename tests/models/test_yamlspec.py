"""A specification is data that JSON can say, of a size that people write; anything else is one line at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from convertkit.errors import SpecError
from convertkit.models.yamlspec import MAX_BYTES, MAX_DEPTH, parse, read_json, read_yaml


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        "{" * 60_000,
        "{a: " * 10_000,
        "- " * 30_000,
        "? " * 30_000,
        "[\n" * 30_000,
        '[ "]", ' * 10_000,  # brackets in quotes do not count
        "\n".join(" " * depth + "a:" for depth in range(200)),
    ],
)
def test_nesting_is_refused_where_it_gets_too_deep(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = 0
    fetch = yaml.SafeLoader.fetch_more_tokens

    def count(loader: yaml.SafeLoader) -> object:
        nonlocal scanned
        scanned += 1
        return fetch(loader)

    monkeypatch.setattr(yaml.SafeLoader, "fetch_more_tokens", count)

    with pytest.raises(yaml.MarkedYAMLError, match=f"nested more than {MAX_DEPTH} deep"):
        parse(text)

    assert scanned < 2000  # PyYAML looks a line or 1024 letters ahead


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &a [x, x]\nb: [*a, *a]", "aliases are not supported"),
        ("a: &a [*a]", "aliases are not supported"),
        ("base: &a {x: 1}\nb: {<<: *a}", "aliases are not supported"),
        ("a: [" + "1," * 30_000 + "]", "more than 20000 keys and values"),
        ("a: " + "9" * 9000, "a number of 9000 characters"),
        ("a: 0x" + "f" * 9000, "a number of 9002 characters"),
        ("a: 1" + ":10" * 9000, "a number of 27001 characters"),  # base 60
        ("a: 1" + ":10" * 9000 + ".5", "a number of 27003 characters"),
    ],
)
def test_what_takes_long_to_construct_is_refused(text: str, problem: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError, match=problem):
        parse(text)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("2024-01-01", "config.overrides.a is of type date, which JSON does not have; put it in quotes"),
        ("2024-01-01 10:00:00", "config.overrides.a is of type datetime"),
        ("!!binary aGVsbG8=", "config.overrides.a is of type bytes"),
        ("!!set {x, y}", "config.overrides.a is of type set"),
        ("!!omap [x: 1]", "config.overrides.a[0] is of type tuple"),
        (".nan", "config.overrides.a is nan, not a finite number"),
        ("[1, -.inf]", "config.overrides.a[1] is -inf"),
        ("1.0e+999", "config.overrides.a is inf"),
        ("0x" + "f" * 20, "config.overrides.a is a number beyond 64 bits"),
        ("{1: a}", "key 'config.overrides.a.1' is int, not text; put it in quotes"),
        ("{on: a}", "key 'config.overrides.a.True' is bool, not text"),
        ("{null: a}", "key 'config.overrides.a.None' is NoneType, not text"),
        ('"x\\0y"', "config.overrides.a is text with a NUL character"),
        ('{"x\\0": 1}', "is text with a NUL character"),
    ],
)
def test_overrides_are_what_json_can_say(tmp_path: Path, value: str, problem: str) -> None:
    path = tmp_path / "v.yaml"
    path.write_text(f"config: {{overrides: {{a: {value}}}}}")

    with pytest.raises(SpecError) as caught:
        read_yaml(path)

    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 2026-13-45", ":1:4: not valid YAML ('2026-13-45' is no timestamp)"),
        ("a: 1\nb: {c: !!bool maybe}", ":2:8: not valid YAML ('maybe' is no bool)"),
        ("a: [!!int x]", ":1:5: not valid YAML ('x' is no int)"),
        ("a: !!float ''", ":1:4: not valid YAML ('' is no float)"),
        ("a: !!timestamp never", ":1:4: not valid YAML ('never' is no timestamp)"),
        ("a: !!map x", ":1:4: not valid YAML (expected a mapping node, but found scalar)"),
        ("a: !!set [1]", ":1:4: not valid YAML (expected a mapping node, but found sequence)"),
        ('a: 1\nb: "\\UFFFFFFFF"', ":2:7: not valid YAML (cannot be parsed)"),
        ("%YAML " + "9" * 5000 + ".1\n---\na: 1", ":1:7: not valid YAML (cannot be parsed)"),
        ("a: 1\nb: \x07", ":2:4: not valid YAML (special characters are not allowed)"),
        ("a: [", ":1:5: not valid YAML (expected the node content, but found '<stream end>')"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "v.yaml"
    path.write_text(text)

    with pytest.raises(SpecError) as caught:
        read_yaml(path)

    assert str(caught.value) == f"{path}{problem}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, "not valid JSON (nested too deep)"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested too deep"),
        ('{"a": NaN}', "a is nan, not a finite number"),
        ('{"a": 1e999}', "a is inf, not a finite number"),
        ('{"a": ' + "9" * 9000 + "}", "not valid JSON"),
        ('{"a": ' + "9" * 40 + "}", "a is a number beyond 64 bits"),
        ('{"a": "\\u0000"}', "a is text with a NUL character"),
        ('{"a": "\\ud800"}', "a is text that is no Unicode"),
        ("", "not valid JSON"),
    ],
)
def test_json_has_the_same_limits(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)

    with pytest.raises(SpecError) as caught:
        read_json(path)

    assert problem in str(caught.value)


@pytest.mark.parametrize("read", [read_yaml, read_json])
def test_only_regular_files_of_a_page_or_two_are_read(tmp_path: Path, read: object) -> None:
    assert callable(read)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "huge").write_text(" " * (MAX_BYTES + 1))

    for name in ("fifo", "zero"):
        with pytest.raises(SpecError, match=f"{name}: is not a regular file"):
            read(tmp_path / name)
    with pytest.raises(SpecError, match="this is no specification"):
        read(tmp_path / "huge")
    with pytest.raises(SpecError, match="no such file"):
        read(tmp_path / "absent")
