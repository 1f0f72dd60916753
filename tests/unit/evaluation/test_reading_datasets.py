"""What is read of a dataset's file, and what is refused with the place where the trouble is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tracker.domain.errors import Invalid, TooLarge
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.refusal import MISSING_EXAMPLES
from tracker.domain.evaluation.datasets.rows import Columns, Row, read_rows, rows_of

SMALL = Limits(rows=5, row_bytes=200, field_chars=50, columns=4, column_chars=12, depth=3, file_bytes=2000)


def csv(text: str | bytes, limits: Limits | None = None, columns: Columns | None = None) -> list[Row]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_rows([data], FileKind.CSV, columns, limits))


def jsonl(*lines: object, limits: Limits | None = None) -> list[Row]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return list(read_rows([text.encode()], FileKind.JSONL, None, limits))


def test_quotes_newlines_commas_and_unicode_arrive_verbatim() -> None:
    rows = csv('examples,ground_truth\n"a ""b"", $(c)\r\nd","é\u2028☃"\nplain,\n')
    assert [(row.number, row.example, row.ground_truth) for row in rows] == [
        (1, 'a "b", $(c)\r\nd', "é\u2028☃"),
        (2, "plain", None),
    ]


def test_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    plain = csv("examples,ground_truth\na,b\nc,d\n")
    assert csv(b"\xef\xbb\xbfexamples,ground_truth\r\na,b\r\nc,d") == plain
    assert list(read_rows([b"\xef", b"\xbb\xbfexam", b"ples,ground_truth\na,b\nc,d"], FileKind.CSV)) == plain


def test_a_file_of_a_header_alone_has_no_rows() -> None:
    assert csv("examples,ground_truth\n") == csv("examples,ground_truth") == []


@pytest.mark.parametrize("text", ["", "\n\n", "text,label\na,b\n", "\ufeff"])
def test_a_csv_file_without_examples_is_refused_as_such(text: str) -> None:
    with pytest.raises(Invalid, match="no column 'examples'") as caught:
        csv(text)
    assert caught.value.problems[0].type == MISSING_EXAMPLES


@pytest.mark.parametrize("lines", [[], [""], [{"text": "a"}]])
def test_a_jsonl_file_without_examples_is_refused_as_such(lines: list[object]) -> None:
    with pytest.raises(Invalid, match="no column 'examples'") as caught:
        jsonl(*lines)
    assert caught.value.problems[0].type == MISSING_EXAMPLES


def test_the_index_that_dataframes_write_is_kept_under_a_name() -> None:
    assert csv(",examples\n0,a\n")[0].extra == {"column_1": "0"}


def test_extra_columns_are_kept_and_named_ones_play_their_parts() -> None:
    columns = Columns(examples="text", ground_truth="summary", predictions="guess")
    (row,) = csv("id,text,summary,guess\n7,a,b,c\n", columns=columns)
    assert (row.example, row.ground_truth, row.prediction, row.extra) == ("a", "b", "c", {"id": "7"})
    assert row.values(columns) == {"text": "a", "summary": "b", "guess": "c", "id": "7"}


def test_a_generated_row_keeps_all_columns_beside_the_answer() -> None:
    row = Row(1, "a", "b", None, {"id": 7, "predictions": "old"})
    assert row.answered(Columns(), "predictions", "x") == {
        "examples": "a",
        "ground_truth": "b",
        "id": 7,
        "predictions": "x",
    }
    assert row.answered(Columns(), "ground_truth", "x")["ground_truth"] == "x"
    with pytest.raises(Invalid, match="output_field"):
        row.answered(Columns(), "examples", "x")


def test_one_column_cannot_play_two_parts() -> None:
    with pytest.raises(Invalid, match="two parts"):
        Columns(examples="text", ground_truth="text")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('examples\na\n"b', "row 2, column 1: a quote is not closed"),
        ('examples\n"a"b\n', "row 1, column 1: text follows the closing quote"),
        ("examples\na,b\n", "row 1: has 2 fields, the header has 1"),
        ("examples,b\na\n", "row 1: has 1 fields, the header has 2"),
        ("examples,b,b\n", "header, column 3: the name 'b' stands twice"),
        ("examples,a_name_of_many\n", "header, column 2: the name has more than 12"),
        ("examples,b,c,d,e\n", "header: has more than the 4 columns"),
        ("examples\na\x00b\n", "row 1: has a NUL character"),
        ("examples\na\rb\n", "row 1, column 1: has a carriage return outside"),
        ("examples\n" + "a" * 51 + "\n", "row 1, column 1: has more than the 50 characters"),
        ('examples\n"' + "a\n" * 30 + '"\n', "row 1, column 1: has more than the 50 characters"),
        ('examples\n"' + "a" * 51, "row 1, column 1: has more than the 50 characters"),
        ("examples\n" + "a" * 300 + "\n", "row 1: has more than the 200 bytes"),
        ("examples\n" + "a\n" * 6, "has more than the 5 rows"),
        (b"examples\na\n\xe9\n", r"row 2: is not UTF-8 text \(byte 0xe9\)"),
        (b"\xff\xfee\x00x\x00", "UTF-16"),
    ],
)
def test_csv_is_refused_with_row_and_column(text: str | bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        csv(text, SMALL)


def test_a_file_beyond_the_limit_is_too_large() -> None:
    with pytest.raises(TooLarge, match="2,000 bytes"):
        csv("examples\n" + "a\n" * 1000, SMALL.evolve(rows=10_000))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "row 2: is not JSON: .* at character"),
        ("[1]", "row 2: must be a JSON object"),
        ('"text"', "row 2: must be a JSON object"),
        ({"examples": None}, "row 2, column 'examples': is null"),
        ({"examples": {"role": "user"}}, "row 2, column 'examples': must be text, not a JSON object"),
        ({"examples": "a", "ground_truth": ["b"]}, "row 2, column 'ground_truth': must be text, not a JSON"),
        ({"text": "a"}, "row 2: there is no column 'examples': the row has 'text'"),
        ('{"examples": "a", "x": NaN}', "row 2: NaN is no JSON"),
        ('{"examples": "a", "x": 1e999}', "row 2, column 'x': numbers must be finite"),
        ('{"examples": "a", "x": 1' + "0" * 40 + "}", "row 2, column 'x': integers must fit"),
        ('{"examples": "a", "examples": "b"}', "row 2, column 'examples': the name stands twice"),
        ('{"examples": "a\\u0000"}', "row 2, column 'examples': has a NUL"),
        ('{"examples": "\\ud800"}', "row 2, column 'examples': .* half of a surrogate pair"),
        ('{"examples": "a", "x": {"\\ud800": 1}}', "row 2, column 'x': .* half of a surrogate pair"),
        ('{"examples": "a", "x": [[[1]]]}', "row 2: is nested deeper than the 3"),
        ({"examples": "a" * 51}, "row 2, column 'examples': has more than the 50 characters"),
        ({"examples": "a", "x": ["a" * 51]}, "row 2, column 'x': has more than the 50 characters"),
        ({"examples": "a", "b": 1, "c": 2, "d": 3, "e": 4}, "row 2: has more than the 4 columns"),
        ({"examples": "a", "a_name_of_many": 1}, "row 2, column 'a_name_of_many': a name has more than 12"),
    ],
)
def test_jsonl_is_refused_with_row_and_column(line: object, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        jsonl({"examples": "first"}, line, limits=SMALL)


def test_integers_of_thousands_of_digits_are_refused() -> None:
    with pytest.raises(Invalid, match="row 1: has a number that is too long"):
        jsonl('{"examples": "a", "x": ' + "1" * 5000 + "}")


def test_rows_that_together_have_too_many_columns_are_refused() -> None:
    rows = [{"examples": "a", f"c{i}": i} for i in range(4)]
    with pytest.raises(Invalid, match="row 4: the rows have more than the 4 columns"):
        jsonl(*rows, limits=SMALL)


@pytest.mark.parametrize("bomb", ["[" * 100_000, '{"a":' * 100_000, '{"a": ' + "[" * 5000 + "]" * 5000 + "}"])
def test_deep_json_is_refused_before_it_is_parsed(bomb: str) -> None:
    with pytest.raises(Invalid, match="row 1: is nested deeper than the 32"):
        jsonl(bomb)


def test_brackets_inside_of_texts_are_not_depth() -> None:
    assert jsonl({"examples": '[{"' * 50 + "\\"})[0].example == '[{"' * 50 + "\\"


def test_many_brackets_beside_each_other_are_not_depth() -> None:
    assert jsonl({"examples": "a", "x": [[], {}] * 50})[0].extra == {"x": [[], {}] * 50}


def test_numbers_in_the_place_of_text_are_taken_as_json_writes_them() -> None:
    rows = jsonl(*({"examples": "q", "ground_truth": value} for value in (5, 0.5, True, None, "")))
    assert [row.ground_truth for row in rows] == ["5", "0.5", "true", None, None]
    assert list(rows_of([{"examples": 1, "ground_truth": float("nan"), "x": float("nan")}], Columns())) == [
        Row(1, "1", None, None, {"x": None})
    ]


def test_blank_lines_are_passed_over_and_not_counted() -> None:
    assert [row.number for row in csv("\n\nexamples\n\na\n\nb\n\n")] == [1, 2]
    assert [row.number for row in jsonl("", {"examples": "a"}, "  ", {"examples": "b"})] == [1, 2]
    with pytest.raises(Invalid, match="row 2: has 2 fields"):
        csv("examples\n\na\n\nb,c\n")


def test_no_more_is_asked_of_the_source_than_the_row_needs() -> None:
    asked: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(1_000_000):
            asked.append(number)
            yield b"examples\n" if number == 0 else b"row\n"

    rows = read_rows(chunks(), FileKind.CSV)
    next(rows)
    next(rows)
    assert len(asked) <= 4


@pytest.mark.parametrize("start", [b'examples\n"', b'{"examples": "'])
def test_a_field_without_end_is_refused_as_soon_as_it_is_too_large(start: bytes) -> None:
    served = 0

    def chunks() -> Iterator[bytes]:
        nonlocal served
        yield start
        while True:
            served += 1
            yield b"x" * 1_000_000

    kind = FileKind.CSV if start.startswith(b"e") else FileKind.JSONL
    with pytest.raises(Invalid, match="row 1: has more than the 8,000,000 bytes"):
        list(read_rows(chunks(), kind))
    assert served <= 9


def test_parquet_is_not_read_as_text() -> None:
    with pytest.raises(Invalid, match="Parquet"):
        list(read_rows([b"PAR1"], FileKind.PARQUET))
