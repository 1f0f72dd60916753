"""What is said when a run ends: at most twelve lines."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from io import StringIO
from typing import IO, NamedTuple

from tracker.run.sparkline import GAP, sparkline

__all__ = ["MOST_LINES", "Curve", "Ending", "ending", "tell"]

MOST_LINES = 12
_MOST_CURVES, _MOST_HYPOTHESES = 5, 2
_PLAIN_WIDTH, _BAR_COLUMNS = 80, 12
_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = str.maketrans(_BARS + GAP + "…", "_.,-=+*#x~")
_STYLES = {"complete": "green", "failed": "red", "better": "green", "worse": "red"}

Pieces = list[tuple[str, str]]
"""Texts with their styles; an empty style is none."""


class Curve(NamedTuple):
    """One metric at the end of a run.

    Attributes:
        name: as it was logged.
        values: to draw, in the order of their steps; none for a final value alone.
        last: the last value.
        best: the best one, where somebody said which way is better.
        extent: lowest and highest, where nobody did.
        parent: what the parent has of it.
        delta: the difference of the value that counts to the parent's.
        is_better: whether that is for the better; ``None`` where nobody said so.
    """

    name: str
    values: Sequence[float] = ()
    last: float | None = None
    best: float | None = None
    extent: tuple[float, float] | None = None
    parent: float | None = None
    delta: float | None = None
    is_better: bool | None = None


class Ending(NamedTuple):
    """What is known of a run that ended.

    Attributes:
        name: of the experiment.
        project: its name; empty when it is not known.
        status: what it ended as.
        reason: why it failed.
        seconds: how long it took.
        points: values that it logged.
        overhead: the share of that time that logging took, from 0 to 1.
        curves: what it measured, what matters most first.
        further: how many more there are than `curves`.
        parent: the parent's name.
        hypotheses: title and status of each that the run is linked to.
        waiting: values that are not sent yet.
        sync: the command that sends them.
        where: the command or the address that shows the run.
        unknown: what did not answer in time, in words.
    """

    name: str
    project: str = ""
    status: str = "complete"
    reason: str | None = None
    seconds: float = 0.0
    points: int = 0
    overhead: float | None = None
    curves: Sequence[Curve] = ()
    further: int = 0
    parent: str = ""
    hypotheses: Sequence[tuple[str, str]] = ()
    waiting: int = 0
    sync: str = "tracker sync"
    where: str = ""
    unknown: Sequence[str] = ()


def ending(ended: Ending, *, width: int = _PLAIN_WIDTH, plain: bool = True, colour: bool = False) -> str:
    """At most :data:`MOST_LINES` lines, each ended, none wider than `width`; in plain text a command or an
    address, which is there to be copied, is whole all the same.

    Args:
        ended: what to say.
        width: columns of the terminal.
        plain: whether it is ASCII alone; what is not is escaped.
        colour: whether it has the colours of a terminal; not together with `plain`.
    """
    found = _lines(_cleaned(ended, plain))
    if plain:
        found = [[(text.translate(_PLAIN_BARS), style) for text, style in line] for line in found]
    copied = bool(ended.waiting) + bool(ended.where) if plain else 0  # the last lines are there for that
    behind = len(found) - copied
    lines = [_cut(line, width, "~" if plain else "…") for line in found[:behind]] + found[behind:]
    if colour and not plain:
        return _coloured(lines)
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def tell(ended: Ending, stream: IO[str]) -> None:
    """Writes it as the stream can show it: in colour on a terminal, in ASCII anywhere else.

    Whether anything is to be told at all (``TRACKER_SILENT``) is the caller's to know. Nothing is raised,
    whatever the stream does.
    """
    try:
        width, is_terminal = _PLAIN_WIDTH, stream.isatty()
        if is_terminal:
            width = max(1, shutil.get_terminal_size((_PLAIN_WIDTH, 24)).columns)
        text = ending(ended, width=width, plain=not is_terminal, colour=is_terminal)
        if not _takes(stream, text):
            text = ending(ended, width=width)
        stream.write(text)
        stream.flush()
    except Exception:  # a closed stream, an odd one: a run ends all the same
        return


def _lines(ended: Ending) -> list[Pieces]:
    """All lines, of any width."""
    home = f" in {ended.project}" if ended.project else ""
    facts = [_span(ended.seconds), f"{ended.points:,} points"]
    facts += [] if ended.overhead is None else [f"overhead {_per_cent(ended.overhead)}"]
    facts += [f"parent {ended.parent}"] if ended.parent else []
    found: list[Pieces] = [
        [(f"{ended.name}{home}: ", "bold"), (ended.status, _STYLES.get(ended.status, ""))],
        *([[(f"  {ended.reason}", "red")]] if ended.reason else []),
        [(f"  {', '.join(facts)}", "")],
    ]
    curves = ended.curves[: _MOST_CURVES - bool(ended.reason)]
    found += _curve_lines(curves)
    further = ended.further + len(ended.curves) - len(curves)
    rest = [f"{further} more series"] if further else []
    rest += [f"{each} unknown" for each in ended.unknown]
    if rest:
        found.append([(f"  and {', '.join(rest)}", "dim")])
    for index, (title, status) in enumerate(ended.hypotheses[:_MOST_HYPOTHESES]):
        over = len(ended.hypotheses) - _MOST_HYPOTHESES
        more = f" (and {over} more)" if over > 0 and index == _MOST_HYPOTHESES - 1 else ""
        found.append([("  hypothesis ", ""), (status, "bold"), (f"{more}: {title}", "")])
    if ended.waiting:
        found.append([(f"  {ended.waiting:,} values wait: {ended.sync}", "yellow")])
    if ended.where:
        found.append([(f"  {ended.where}", "dim")])
    return found


def _curve_lines(curves: Sequence[Curve]) -> list[Pieces]:
    """Curves below each other, their columns in line."""
    names = [_shortened(each.name, 24) for each in curves]
    widest = max((_width(name) for name in names), default=0)
    drawn = [sparkline(each.values, _BAR_COLUMNS) if each.values else "" for each in curves]
    bars = max(map(len, drawn), default=0)
    lines: list[Pieces] = []
    for curve, name, bar in zip(curves, names, drawn, strict=True):
        line: Pieces = [(f"  {name}{' ' * (widest - _width(name))}  ", "")]
        line.append((f"{bar:<{bars}}  " if bars else "", "cyan"))
        line.append((_said(curve), ""))
        line += _against_parent(curve)
        lines.append(line)
    return lines


def _against_parent(curve: Curve) -> Pieces:
    if curve.delta is None or curve.parent is None:
        return []
    if not curve.delta:
        return [("  as its parent", "dim")]
    word = {True: "better", False: "worse", None: ""}[curve.is_better]
    than = f" {word} than" if word else " against"
    return [(f"  {_signed(curve.delta)}{than}", _STYLES.get(word, "")), (f" {_number(curve.parent)}", "")]


def _said(curve: Curve) -> str:
    parts = [] if curve.last is None else [f"last {_number(curve.last)}"]
    if curve.best is not None:
        parts.append(f"best {_number(curve.best)}")
    elif curve.extent is not None and curve.extent[0] != curve.extent[1]:
        parts.append(f"({_number(curve.extent[0])} to {_number(curve.extent[1])})")
    return "  ".join(parts)


def _coloured(lines: Sequence[Pieces]) -> str:
    from rich.console import Console  # noqa: PLC0415  (late: only terminals need it)
    from rich.text import Text  # noqa: PLC0415

    # Rich looks at NO_COLOR itself.
    target = StringIO()
    console = Console(file=target, force_terminal=True, width=10_000, highlight=False, legacy_windows=False)
    for line in lines:
        console.print(Text.assemble(*line), soft_wrap=True)
    return target.getvalue()


def _cut(line: Pieces, width: int, mark: str) -> Pieces:
    """The line within `width` columns."""
    if sum(_width(text) for text, _ in line) <= width:
        return line
    left = width - 1
    found: Pieces = []
    for text, style in line:
        kept = _fitting(text, left)
        left -= _width(kept)
        found.append((kept, style))
        if kept != text:
            break
    return [*found, (mark, "")]


def _shortened(text: str, width: int) -> str:
    """A name whose middle is left out where it is too long: both ends tell most."""
    if _width(text) <= width:
        return text
    head = _fitting(text, width // 2)
    tail = _fitting(text[::-1], width - 1 - _width(head))[::-1]
    return f"{head}…{tail}"


def _fitting(text: str, width: int) -> str:
    """As much of the beginning as `width` columns hold."""
    used = 0
    for index, character in enumerate(text):
        used += _width(character)
        if used > width:
            return text[:index]
    return text


def _width(text: str) -> int:
    """Columns on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415  (late: only what is not ASCII needs it)

    return cell_len(text)


def _cleaned(ended: Ending, plain: bool) -> Ending:
    """The same with texts of one line, without anything that a terminal would obey or a stream refuse."""

    def clean(text: str) -> str:
        shown = "".join(
            each if each.isprintable() else " " if each.isspace() else each.encode("unicode_escape").decode()
            for each in text
        )
        return shown.encode("ascii", "backslashreplace").decode() if plain else shown

    return ended._replace(
        name=clean(ended.name),
        project=clean(ended.project),
        parent=clean(ended.parent),
        status=clean(ended.status),
        reason=clean(ended.reason or ""),
        curves=[curve._replace(name=clean(curve.name)) for curve in ended.curves],
        hypotheses=[(clean(title), clean(status)) for title, status in ended.hypotheses],
        sync=clean(ended.sync),
        where=clean(ended.where),
        unknown=[clean(each) for each in ended.unknown],
    )


def _takes(stream: IO[str], text: str) -> bool:
    """Whether a stream can write these characters."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


def _number(value: float) -> str:
    return f"{value:.4g}"


def _signed(value: float) -> str:
    return f"{value:+.3g}"


def _per_cent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.2g} %" if percent >= 0.01 else "under 0.01 %"


def _span(seconds: float) -> str:
    """A duration in the two largest units that it has."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for unit, size, below, smaller in (("d", 86400, "h", 3600), ("h", 3600, "min", 60)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {below}"
    return f"{whole // 60} min {whole % 60} s"
