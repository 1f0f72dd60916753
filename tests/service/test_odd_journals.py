"""Journals that no run of this version wrote keep nothing from being opened, and no other run waiting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import tracker
from tracker.journal import frames

NAMED = frames.names(0, ["loss"])
ROW = frames.framed(frames.pack_row(0, 1)(7, 1, 0.5))

ODD_FRAMES = {
    "a kind that ends too soon": frames.framed(b"S"),
    "values without a number": frames.framed(b"V"),
    "names that are none": frames.framed(b"S\0\0\0\1[5]"),
    "no JSON": frames.framed(b"E{not json"),
    "no object": frames.framed(b"E[1,2]"),
    "a header that is a list": frames.framed(b"H[1]"),
}
ODD_EVENTS: dict[str, dict[str, Any]] = {
    "an artifact of nothing": {"event": "artifact", "name": "x"},
    "a status of another version": {"event": "end", "status": "paused"},
    "tags that are a number": {"event": "tags", "tags": 5},
    "parameters that are a number": {"event": "params", "params": 5},
}
ODD_ABOUTS: dict[str, dict[str, Any]] = {
    "fields that are a list": {"fields": [1]},
    "a project that is a number": {"project": 5},
    "an id that is a number": {"experiment_id": 5},
}


def journal(data: Path, about: dict[str, Any], *content: bytes, header: dict[str, Any] | None = None) -> Path:
    key = uuid4().hex
    folder = data / "journal" / key
    folder.mkdir(parents=True)
    told = {"key": key, "project": "odd", "ended": True, **about}
    (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
    first = frames.header({"writer": key, "number": 0} if header is None else header)
    (folder / f"{key}-000000.seg").write_bytes(b"".join((first, *content)))
    return folder


def losses(data: Path) -> list[float]:
    with tracker.open(data) as library:
        (run,) = library.experiments.recent()
        return library.scalars.read(run.id, "loss").value.tolist()


@pytest.mark.parametrize("odd", ODD_FRAMES)
def test_an_odd_frame_costs_only_what_is_behind_it(tmp_path: Path, odd: str) -> None:
    folder = journal(tmp_path, {}, NAMED, ROW, ODD_FRAMES[odd], ROW)
    assert losses(tmp_path) == [0.5]
    assert list(folder.glob("*.damaged"))


@pytest.mark.parametrize("odd", ODD_EVENTS)
def test_an_odd_event_costs_itself(tmp_path: Path, odd: str) -> None:
    folder = journal(tmp_path, {}, frames.event(ODD_EVENTS[odd]), NAMED, ROW)
    assert losses(tmp_path) == [0.5]
    assert not folder.exists()


def test_a_rank_that_is_no_number_is_none(tmp_path: Path) -> None:
    journal(tmp_path, {}, NAMED, ROW, header={"writer": "w", "number": 0, "rank": "first"})
    assert losses(tmp_path) == [0.5]


@pytest.mark.parametrize("odd", ODD_ABOUTS)
def test_an_odd_run_waits_and_holds_up_nobody(
    tmp_path: Path, odd: str, caplog: pytest.LogCaptureFixture
) -> None:
    odd_one = journal(tmp_path, ODD_ABOUTS[odd], NAMED, ROW)
    good = journal(tmp_path, {}, NAMED, ROW)
    assert losses(tmp_path) == [0.5]
    assert odd_one.exists() and not good.exists()
    assert odd_one.name in caplog.text or "name: " in caplog.text or "experiment_id: " in caplog.text


def test_a_capture_that_nobody_can_read_is_left_out(tmp_path: Path) -> None:
    folder = journal(tmp_path, {}, NAMED, ROW)
    (folder / "capture").mkdir()
    (folder / "capture" / "captured.json").write_text('{"files": [{"x": 1}]}', encoding="utf-8")
    assert losses(tmp_path) == [0.5]
    assert not folder.exists()
