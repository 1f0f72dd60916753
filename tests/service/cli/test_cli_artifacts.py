"""``tracker artifact``, on a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracker.domain.artifacts.digest import digest_of


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "model.json"
    file.write_bytes(b'{"layers": 3}')
    return file


def test_a_file_is_put_listed_shown_and_got_back(
    run: Callable[..., Any], ok: Callable[..., Any], family: list[Any], model: Path, tmp_path: Path
) -> None:
    kept = ok("artifact", "put", "1", model)
    assert (kept["name"], kept["media_type"], kept["size"]) == ("model.json", "application/json", 13)
    ok(
        "artifact",
        "put",
        "1",
        model,
        "--name",
        "out/m",
        "--kind",
        "model",
        "--step",
        "5",
        "--media-type",
        "a/b",
    )
    assert [(each["name"], each["step"]) for each in ok("artifact", "ls", "1")] == [
        ("model.json", None),
        ("out/m", 5),
    ]
    assert [each["name"] for each in ok("artifact", "ls", "1", "--kind", "model")] == ["out/m"]
    shown = run("artifact", "show", "1_baseline", "out/m").output
    assert digest_of(b'{"layers": 3}') in shown and "a/b" in shown
    got = run("artifact", "get", "1", "out/m", "--to", tmp_path / "deep" / "copy")
    assert got.exit_code == 0, got.output
    assert (tmp_path / "deep" / "copy").read_bytes() == b'{"layers": 3}'


def test_the_last_step_is_meant_unless_one_is_given(
    run: Callable[..., Any], ok: Callable[..., Any], family: list[Any], model: Path, tmp_path: Path
) -> None:
    for step in (1, 2):
        model.write_text(f"step {step}")
        ok("artifact", "put", "1", model, "--step", step)
    assert ok("artifact", "show", "1", "model.json")["step"] == 2
    run("artifact", "get", "1", "model.json", "--step", "1", "--to", tmp_path / "first")
    assert (tmp_path / "first").read_text() == "step 1"


def test_a_file_that_is_there_is_not_replaced_unasked(
    run: Callable[..., Any], ok: Callable[..., Any], family: list[Any], model: Path
) -> None:
    ok("artifact", "put", "1", model)
    model.write_text("mine")
    refused = run("artifact", "get", "1", "model.json")
    assert refused.exit_code == 1 and "--force" in refused.output
    assert model.read_text() == "mine"
    assert run("artifact", "get", "1", "model.json", "--force").exit_code == 0
    assert model.read_text() == '{"layers": 3}'


def test_what_is_not_there_says_how_to_find_what_is(run: Callable[..., Any], family: list[Any]) -> None:
    for words in (("show", "1", "absent"), ("get", "1", "absent", "--step", "3")):
        result = run("artifact", *words)
        assert result.exit_code == 1 and "tracker artifact ls" in result.output
    assert "tracker artifact put" in run("artifact", "ls", "1").output
