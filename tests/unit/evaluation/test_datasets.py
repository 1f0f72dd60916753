from __future__ import annotations

from typing import Any

import pytest

from tests.factories import NOON, new_id
from tracker.domain.errors import Conflict, Invalid
from tracker.domain.evaluation.datasets.dataset import Coverage, Dataset, Lineage
from tracker.domain.evaluation.datasets.filenames import FileKind, file_kind, sanitised
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.ids import DatasetId, JobId, ProjectId

PROJECT = ProjectId(new_id())


def a_dataset(**fields: Any) -> Dataset:
    defaults: dict[str, Any] = {
        "id": DatasetId(new_id()),
        "project_id": PROJECT,
        "filename": "news.csv",
        "kind": FileKind.CSV,
        "size": 12,
        "digest": "a" * 64,
        "content_hash": "b" * 64,
        "names": ("examples", "ground_truth", "source"),
        "coverage": Coverage(rows=4, ground_truth=3),
        "created_at": NOON,
    }
    return Dataset(**{**defaults, **fields})


def test_ground_truth_is_there_when_any_row_has_it() -> None:
    assert a_dataset().has_ground_truth
    assert not a_dataset(coverage=Coverage(rows=4)).has_ground_truth


def test_more_rows_cannot_say_something_than_there_are() -> None:
    with pytest.raises(Invalid, match="more rows"):
        Coverage(rows=1, ground_truth=2)


def test_a_dataset_has_examples_and_keeps_its_other_columns() -> None:
    assert a_dataset().extra == ("source",)
    with pytest.raises(Invalid, match="no column of examples"):
        a_dataset(columns=Columns(examples="text"))


def test_a_generated_dataset_says_who_made_it() -> None:
    made = a_dataset(lineage=Lineage(job_id=JobId(new_id()), generated_by="http://x#m"))
    assert made.generated and not a_dataset().generated


def test_other_rows_make_the_next_revision_and_the_same_rows_none() -> None:
    first = a_dataset()
    second = a_dataset(content_hash="c" * 64).follows(first)
    assert (second.revision, second.previous_id) == (2, first.id)
    with pytest.raises(Conflict, match="has the rows of revision 1"):
        a_dataset().follows(first)
    with pytest.raises(Conflict, match="project and has the file name"):
        a_dataset(content_hash="c" * 64, filename="other.csv").follows(first)
    with pytest.raises(Invalid, match="first revision"):
        a_dataset(previous_id=first.id)
    assert second.evolve(previous_id=None).revision == 2  # the one before was deleted


@pytest.mark.parametrize(("most", "rows"), [(-1, 4), (0, 4), (2, 2), (9, 4)])
def test_a_limit_of_nothing_or_less_means_all_rows(most: int, rows: int) -> None:
    assert a_dataset().first_rows(most) == rows


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.csv", "a.csv"),
        ("a\x00b\r\n.csv", "ab.csv"),
        ('x"; rm -rf $(y).csv', "x_; rm -rf $(y).csv"),
        ("résumé ☃.jsonl", "résumé ☃.jsonl"),
        ("gpj.\u202ecsv", "gpj.csv"),
        ("..", "dataset"),
        ("", "dataset"),
        (".hidden", "hidden"),
        ("con.csv", "_con.csv"),
        ("a" * 300 + ".csv", "a" * 196 + ".csv"),
    ],
)
def test_hostile_file_names_are_made_harmless(given: str, kept: str) -> None:
    assert sanitised(given) == kept
    assert a_dataset(filename=given).filename == kept


def test_the_ending_says_how_a_file_is_written() -> None:
    kinds = [file_kind(name) for name in ("a.CSV", "a.jsonl", "a.ndjson", "a.parquet", "a")]
    assert kinds == [FileKind.CSV, FileKind.JSONL, FileKind.JSONL, FileKind.PARQUET, FileKind.CSV]
    with pytest.raises(Invalid, match=r"one of .csv, .jsonl, .ndjson, .parquet"):
        file_kind("a.txt", default=None)


def test_a_dataset_comes_of_another_and_not_of_itself() -> None:
    one = a_dataset()
    with pytest.raises(Invalid, match="not of itself"):
        one.evolve(revision=2, previous_id=one.id)
