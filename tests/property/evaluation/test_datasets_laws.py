"""Laws of reading and naming datasets."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.strategies import characters, json_trees
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.filenames import FileKind, sanitised
from tracker.domain.evaluation.datasets.hashing import ContentHash, cache_key, canonical, row_hash
from tracker.domain.evaluation.datasets.rows import Columns, Row, read_rows, rows_of
from tracker.domain.evaluation.datasets.survey import Survey

COLUMNS = Columns()
fields = st.text(characters, max_size=20) | st.text('a",\n\r \\', max_size=8)
tables = st.lists(st.tuples(fields, fields, fields), min_size=1, max_size=5)
cuts = st.lists(st.integers(1, 7), min_size=1, max_size=8)
NAMES = ("examples", "ground_truth", "more")


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    found, start = [], 0
    while start < len(data):
        size = sizes[len(found) % len(sizes)]
        found.append(data[start : start + size])
        start += size
    return found


def as_csv(rows: list[tuple[str, ...]], end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([NAMES, *rows])
    return text.getvalue().encode()


def content_hash(rows: list[Row]) -> str:
    found = ContentHash()
    for row in rows:
        found.add(row, COLUMNS)
    return found.hexdigest()


@given(tables, cuts, st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_is_read_in_pieces_of_any_size(
    table: list[tuple[str, ...]], sizes: list[int], end: str
) -> None:
    rows = list(read_rows(pieces(as_csv(table, end), sizes), FileKind.CSV))
    assert [(row.example, row.ground_truth or "", row.extra["more"]) for row in rows] == table


@given(st.text('a1",\n', max_size=30))
def test_where_both_take_a_file_the_csv_module_reads_the_same(text: str) -> None:
    try:
        expected = [
            row for row in csv.reader(io.StringIO("examples\n" + text, newline=""), strict=True) if row
        ]
    except csv.Error:
        expected = None
    try:
        read = list(read_rows([b"examples\n", text.encode()], FileKind.CSV))
    except Invalid:
        # The module takes rows of any length; everything else it takes is taken here.
        assert expected is None or any(len(row) != 1 for row in expected)
    else:
        assert expected is not None
        assert [row.example for row in read] == [row[0] for row in expected[1:]]


@given(st.binary(max_size=60), st.sampled_from([FileKind.CSV, FileKind.JSONL]))
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes, kind: FileKind) -> None:
    for head in (b"", b"examples\n", b'{"examples": '):
        try:
            assert all(isinstance(row, Row) for row in read_rows([head, data], kind))
        except Invalid as error:
            assert error.problems


@given(tables, cuts)
def test_the_content_hash_does_not_depend_on_how_the_file_is_written(
    table: list[tuple[str, ...]], sizes: list[int]
) -> None:
    objects = [dict(zip(NAMES, row, strict=True)) for row in table]
    backwards = [dict(reversed(item.items())) for item in objects]
    files = [
        (as_csv(table), FileKind.CSV),
        (b"\xef\xbb\xbf" + as_csv(table, "\n"), FileKind.CSV),
        ("\n".join(map(json.dumps, objects)).encode(), FileKind.JSONL),
        ("\r\n\r\n".join(json.dumps(o, ensure_ascii=False) for o in backwards).encode(), FileKind.JSONL),
    ]
    assert len({content_hash(list(read_rows(pieces(data, sizes), kind))) for data, kind in files}) == 1


@given(tables, st.data())
def test_rows_that_differ_have_content_hashes_that_differ(
    table: list[tuple[str, ...]], data: st.DataObject
) -> None:
    other = data.draw(tables)
    first, second = (list(read_rows([as_csv(rows)], FileKind.CSV)) for rows in (table, other))
    assume([row.values(COLUMNS) for row in first] != [row.values(COLUMNS) for row in second])
    assert content_hash(first) != content_hash(second)
    assert content_hash(first) != content_hash(first[:-1])


@given(json_trees)
def test_json_rows_pass_through_unchanged(tree: dict[str, Any]) -> None:
    wanted = {"examples": "a"} | {
        key: value for key, value in tree.items() if key not in COLUMNS.__dict__.values()
    }
    (row,) = read_rows([json.dumps(wanted).encode()], FileKind.JSONL)
    assert row.values(COLUMNS) == wanted
    assert json.loads(canonical(wanted)) == wanted


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6))
def test_coverage_counts_what_each_row_says(says: list[tuple[bool, bool]]) -> None:
    survey = Survey(COLUMNS, ["examples"])
    rows = [
        {"examples": "a", "ground_truth": "t" if truth else None, "predictions": "p" if guess else None}
        for truth, guess in says
    ]
    passed = list(survey.passing(rows_of(rows, COLUMNS)))
    assert survey.coverage.rows == len(passed) == len(says)
    assert survey.coverage.ground_truth == sum(truth for truth, _ in says)
    assert survey.coverage.predictions == sum(guess for _, guess in says)
    assert survey.content_hash == content_hash(passed)


@given(st.text(st.characters(), max_size=400))
def test_sanitised_names_are_harmless_and_stay_as_they_are(filename: str) -> None:
    name = sanitised(filename)
    assert sanitised(name) == name
    assert 0 < len(name.encode()) <= 200
    assert not set(name) & set('/\\<>:"|?*\x00\n\r\t') and name not in {".", ".."} and name[0] not in ". "


def test_hashes_are_what_they_always_were() -> None:
    row = Row(3, "a \u2603", "b", None, {"n": 1, "x": [1.5, {"z": None, "a": True}], "gone": None})
    assert (
        canonical(row.values(COLUMNS) | {"z": "\n"})
        == (
            '{"examples":"a ☃","gone":null,"ground_truth":"b","n":1,"x":[1.5,{"a":true,"z":null}],"z":"\\n"}'
        ).encode()
    )
    assert row_hash(row, COLUMNS).hex() == "5a64b54a9b2847801c1b36ce4afdef5cbc67aac0680b0836c3978d7187ee2138"
    assert content_hash([row, row]) == "e32e8cdaac090e32423718fdd126fb4cd6e1a73f38a21c5ef87f818216577b3b"
    assert (
        cache_key(model="m", prompt="p", parameters={"t": 0.5}, row=b"\x01" * 32)
        == "06409d91105f62de910cc4f8a78cdaa86e5454392296532f0df787244bd56e09"
    )
