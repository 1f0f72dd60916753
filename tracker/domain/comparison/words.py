"""What changed and whether it mattered, in sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from tracker.domain.comparison.code import CodeState
from tracker.domain.comparison.differences import Difference
from tracker.domain.comparison.metrics import Measured, MetricCell, MetricRow
from tracker.domain.comparison.trees import TreeState
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.projects.project import Direction

__all__ = ["in_words", "shown_value"]

_MOST = 10
_LONGEST = 40
_PLAIN = re.compile(r"[^\W\d][\w./-]*")


def in_words(
    one: Experiment,
    base: Experiment,
    *,
    changes: Sequence[Difference],
    code: CodeState,
    tree: TreeState,
    environment: Sequence[Difference],
    metrics: Sequence[MetricRow] | None,
    measured: Measured | None,
    replicate_keys: Sequence[str] = ("seed",),
) -> str:
    """The page-ready answer for two experiments.

    Args:
        one: the experiment.
        base: with what it is compared.
        changes: in what their parameters and features differ.
        code: of the experiment, seen from the baseline.
        tree: the files it ran with, seen from the baseline.
        environment: in what their packages differ.
        metrics: of both; ``None`` to whom may see none.
        measured: the numbers behind them.
        replicate_keys: what replicates may differ in.
    """
    told = _listed([_change(each, one, base) for each in changes])
    sentences = [f"{one.name} against {base.name}: {told or 'no parameter and no feature differs'}."]
    sentences += _of_code(code)
    sentences += _of_tree(tree)
    if environment:
        sentences.append(f"Environment: {_listed([_change(each, one, base) for each in environment])}.")
    if metrics is None or measured is None:
        return " ".join(sentences)
    pairs = [(row, _cell(row, one), _cell(row, base)) for row in metrics]
    told_of = [(r, c, b) for r, c, b in pairs if c.delta is not None and (r.direction or c.contrast)]
    if not told_of:
        told_of = [(r, c, b) for r, c, b in pairs if c.delta is not None]
    if told_of:
        sentences.append(_sentence(_listed([_of_metric(*each) for each in told_of], "; ")))
    sentences.append(_verdict(one, base, told_of, measured, replicate_keys))
    return " ".join(sentences)


def shown_value(value: object) -> str:
    """A value as it is written: text bare where nothing is lost by it, all else as JSON."""
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value not in ("true", "false", "null")
    text = str(value) if plain else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _cell(row: MetricRow, experiment: Experiment) -> MetricCell:
    return next(cell for cell in row.cells if cell.experiment_id == experiment.id)


def _listed(texts: Sequence[str], separator: str = ", ") -> str:
    more = [f"and {len(texts) - _MOST} more"] if len(texts) > _MOST else []
    return separator.join([*texts[:_MOST], *more])


def _sentence(text: str) -> str:
    return f"{text}."


def _change(change: Difference, one: Experiment, base: Experiment) -> str:
    if base.id not in change.values:
        return f"{change.name} {shown_value(change.values[one.id])} added"
    before = shown_value(change.values[base.id])
    if one.id not in change.values:
        return f"{change.name} {before} removed"
    return f"{change.name} {before} -> {shown_value(change.values[one.id])}"


def _of_code(code: CodeState) -> list[str]:
    if code.same is None:
        return []
    if code.same:
        return ["The uncommitted code is the same."]
    files = _listed([f"{each.path} +{each.added} -{each.removed}" for each in code.files])
    return [f"The uncommitted code differs; it changes {files or 'no file'}."]


def _of_tree(tree: TreeState) -> list[str]:
    if tree.same is None:
        return []
    if tree.same:
        return ["The files that ran are the same."]
    told = [f"{path} {what}" for what in ("changed", "added", "removed") for path in getattr(tree, what)]
    return [f"The files that ran differ: {_listed(told)}."]


def _of_metric(row: MetricRow, cell: MetricCell, base: MetricCell) -> str:
    found = cell.contrast
    if found is None:
        told = f"{_number(base.value or 0.0)} -> {_number(cell.value or 0.0)}"
        return f"{row.key} {told} ({_gain(row, cell.delta or 0.0)})"
    means = f"{_number(found.baseline_mean)} -> {_number(found.mean)}"
    interval = f"{_number(100 * found.level)} % interval {found.low:+.3g} .. {found.high:+.3g}"
    runs = f"over {found.n} and {found.baseline_n} runs"
    return f"{row.key} {means} ({_gain(row, found.effect)}, {interval} {runs})"


def _gain(row: MetricRow, effect: float) -> str:
    if row.direction is Direction.MINIMIZE:
        return f"{effect:+.3g} as less is better"
    return f"{effect:+.3g}"


def _verdict(
    one: Experiment,
    base: Experiment,
    told: Sequence[tuple[MetricRow, MetricCell, MetricCell]],
    measured: Measured,
    replicate_keys: Sequence[str],
) -> str:
    if not told:
        return "No metric has a value on both sides."
    keys = ", ".join(replicate_keys) or "nothing"
    if measured.are_replicates(base.id, one.id):
        return f"They differ at most in {keys}, so they are replicates: what lies between them is chance."
    tested = [(row, cell.contrast) for row, cell, _ in told if cell.contrast is not None]
    if not tested:
        sides = [
            max((len(measured.sample(e.id, (r.name, r.label))) for r, *_ in told), default=0)
            for e in (one, base)
        ]
        few = "One run a side" if max(sides) < 2 else "A single run on one side"
        return f"{few} proves nothing: repeat both, with nothing but {keys} changed."
    better = [row.key for row, found in tested if row.direction and found.low > 0]
    worse = [row.key for row, found in tested if row.direction and found.high < 0]
    moved = [r.key for r, found in tested if not r.direction and (found.low > 0 or found.high < 0)]
    parts = [
        f"{', '.join(names)} {what}"
        for names, what in ((better, "got better"), (worse, "got worse"), (moved, "changed"))
        if names
    ]
    if not parts:
        return "Whether it mattered is open: every interval includes 0."
    return f"It mattered: {'; '.join(parts)}."


def _number(value: float) -> str:
    return f"{value:.4g}"
