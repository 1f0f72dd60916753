"""The area of hypotheses, and how scripts may write what goes into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tracker.areas.ids import Id, uuid_of
from tracker.domain.errors import Invalid
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import BaselineRule, Decision, HypothesisStatus, Target
from tracker.domain.hypotheses.judged import JudgedHypothesis

__all__ = ["AsyncHypotheses", "hypothesis_fields", "status_of"]


class AsyncHypotheses(Protocol):
    """Hypotheses, and what experiments say of them.

    `fields` are those of :class:`~tracker.domain.hypotheses.hypothesis.Hypothesis` that a person sets. A
    target may be the name of a metric, a baseline ``"root"``, ``"parent"``, ``"best"`` or an experiment's id.
    """

    async def list(self, project_id: Id) -> tuple[JudgedHypothesis, ...]:
        """A project's hypotheses, oldest first."""
        ...

    async def get(self, hypothesis_id: Id) -> JudgedHypothesis:
        """The hypothesis with this id. Raises ``NotFound``."""
        ...

    async def recent(self, *, project_id: Id | None = None, limit: int = 10) -> tuple[JudgedHypothesis, ...]:
        """The newest ones, newest first."""
        ...

    async def create(self, /, project_id: Id, *, title: str, **fields: Any) -> JudgedHypothesis:
        """A new hypothesis."""
        ...

    async def edit(self, /, hypothesis_id: Id, **changes: Any) -> JudgedHypothesis:
        """The hypothesis after `changes`."""
        ...

    async def link(self, hypothesis_id: Id, experiment_id: Id) -> JudgedHypothesis:
        """The hypothesis with a further experiment of its project."""
        ...

    async def unlink(self, hypothesis_id: Id, experiment_id: Id) -> JudgedHypothesis:
        """The hypothesis without an experiment."""
        ...

    async def link_query(self, hypothesis_id: Id, query_id: Id) -> JudgedHypothesis:
        """The hypothesis with whatever experiments a saved query finds."""
        ...

    async def unlink_query(self, hypothesis_id: Id, query_id: Id) -> JudgedHypothesis:
        """The hypothesis without what a saved query finds."""
        ...

    async def decide(
        self, hypothesis_id: Id, status: HypothesisStatus | str | None, reason: str
    ) -> JudgedHypothesis:
        """The hypothesis with a status in place of the computed one; ``None`` = computed again."""
        ...

    async def decisions(self, hypothesis_id: Id) -> tuple[Decision, ...]:
        """Everything that was decided about it, oldest first."""
        ...

    async def evidence(self, hypothesis_id: Id) -> Evidence:
        """The verdict and every number it rests on."""
        ...

    async def delete(self, hypothesis_id: Id) -> None:
        """Removes the hypothesis with its decisions."""
        ...


def hypothesis_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a hypothesis in the domain's types, out of what scripts naturally write.

    Raises:
        Invalid: an id, a status or a baseline cannot be read; names the field.
    """
    fields = dict(given)
    if isinstance(fields.get("targets"), list | tuple):
        fields["targets"] = tuple(
            Target(name=target) if isinstance(target, str) else target for target in fields["targets"]
        )
    for name in ("experiments", "queries"):
        if isinstance(fields.get(name), list | tuple | set | frozenset):
            fields[name] = tuple(uuid_of(each, name) for each in fields[name])
    if isinstance(fields.get("baseline"), str):
        rules = list(BaselineRule)
        baseline = fields["baseline"]
        fields["baseline"] = BaselineRule(baseline) if baseline in rules else uuid_of(baseline, "baseline")
    if isinstance(fields.get("status"), str):
        fields["status"] = status_of(fields["status"])
    return fields


def status_of(value: str) -> HypothesisStatus:
    """The status of this name.

    Raises:
        Invalid: there is none.
    """
    try:
        return HypothesisStatus(value)
    except ValueError as error:
        raise Invalid.field("status", f"must be one of {', '.join(HypothesisStatus)}", "enum") from error
