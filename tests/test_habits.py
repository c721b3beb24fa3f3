"""What a repository has beside its code: the workflow that is the same as ``.ci/run``, forms for issues."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

HERE = Path(__file__).parents[1]
WORKFLOW = HERE / ".github" / "workflows" / "ci.yml"


def commands() -> list[str]:
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


def test_the_workflow_runs_what_the_readme_says() -> None:
    assert "bash .ci/run" in commands()
    assert (HERE / ".ci" / "run").read_text().rstrip().endswith("make test")


def test_the_workflow_calls_verbs_that_exist() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (HERE / "Makefile").read_text(), re.MULTILINE))

    called = [
        word
        for line in commands()
        if line.startswith("make ")
        for word in line.split()[1:]
        if "=" not in word
    ]

    assert called, "the quick job calls some"
    assert set(called) <= verbs


def test_the_workflow_tries_every_python_that_is_said_to_work() -> None:
    lowest = re.search(r'requires-python = ">=3\.(\d+)"', (HERE / "pyproject.toml").read_text())
    assert lowest

    tried = yaml.safe_load(WORKFLOW.read_text())["jobs"]["quick"]["strategy"]["matrix"]["python"]

    assert tried == [f"3.{minor}" for minor in range(int(lowest[1]), 14)]


def test_forms_of_issues_can_be_read() -> None:
    for form in (HERE / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        assert isinstance(yaml.safe_load(form.read_text()), dict), form.name


def test_security_names_what_exists() -> None:
    text = (HERE / "SECURITY.md").read_text()

    for path in re.findall(r"`((?:models|convertkit|bench)/[^`]+)`", text):
        assert (HERE / path).exists(), path
    assert "python -m bench.fuzz" in text
    assert (HERE / "bench" / "fuzz.py").is_file()


def test_images_of_docker_say_that_nobody_built_them() -> None:
    files = sorted((HERE / "docker").glob("*.Dockerfile"))

    assert [file.name for file in files] == ["cann.Dockerfile", "cpu.Dockerfile"]
    for file in files:
        assert "Never built" in file.read_text(), file.name
