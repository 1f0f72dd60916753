"""Kinds of problems for which clients of this API know a status of their own.

They are the kind of the first :class:`~tracker.domain.errors.Problem` of an ``Invalid``:

=======================  ====
kind                     HTTP
=======================  ====
``missing_examples``     403
``missing_evaluation``   400
``missing_secret``       400
``missing_prompt``       400
``workflow_is_running``  400
=======================  ====
"""

from __future__ import annotations

from tracker.domain.evaluation.datasets.refusal import MISSING_EXAMPLES

__all__ = [
    "MISSING_EVALUATION", "MISSING_EXAMPLES", "MISSING_PROMPT", "MISSING_SECRET", "WORKFLOW_IS_RUNNING",
]  # fmt: skip

MISSING_EVALUATION = "missing_evaluation"
"""A workflow was posted to an evaluation that does not exist, or that its sender may not see."""

MISSING_SECRET = "missing_secret"  # noqa: S105 - not a secret
"""A secret is named that its sender has not stored."""

MISSING_PROMPT = "missing_prompt"
"""The task has no words of its own, and none were given."""

WORKFLOW_IS_RUNNING = "workflow_is_running"
"""It has to be stopped, or deleted by force."""
