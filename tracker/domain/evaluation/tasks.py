"""What a model is asked to do with an example."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid
from tracker.domain.frozen import Frozen
from tracker.domain.text import storable

__all__ = ["SystemPrompt", "TaskDefinition", "TaskKind", "system_prompt", "task_kind"]

Language = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(storable)]
SystemPrompt = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(storable)]

_SUMMARIZE = (
    "You are a helpful assistant, expert in text summarization. For every prompt you receive, provide a "
    "summary of its contents in at most two sentences."
)
_TRANSLATE = (
    "You are a professional translator. Translate every text you receive from {source} to {target}. "
    "Answer with the translation only."
)


class TaskKind(StrEnum):
    """The tasks there are."""

    SUMMARIZATION = "summarization"
    TRANSLATION = "translation"
    TEXT_GENERATION = "text-generation"


class TaskDefinition(Frozen):
    """A task with what it needs.

    Attributes:
        task: which.
        source_language, target_language: of a translation, which has both; other tasks have none.
    """

    task: TaskKind = TaskKind.SUMMARIZATION
    source_language: Language | None = None
    target_language: Language | None = None

    @model_validator(mode="after")
    def _languages(self) -> Self:
        given = (self.source_language, self.target_language)
        if self.task is TaskKind.TRANSLATION and None in given:
            raise PydanticCustomError(
                "task_languages", "a translation needs source_language and target_language"
            )
        if self.task is not TaskKind.TRANSLATION and given != (None, None):
            raise PydanticCustomError("task_languages", "only a translation has languages")
        return self

    @classmethod
    def parsed(cls, definition: Mapping[str, Any]) -> Self:
        """The definition that clients write as ``{"task": "translation", "source_language": ...}``.

        Raises:
            Invalid: the task is not known, or a field is missing or too many.
        """
        fields = dict(definition)
        if "task" in fields:
            fields["task"] = task_kind(str(fields["task"]))
        return cls(**fields)


def task_kind(text: str) -> TaskKind:
    """The task of this name, whatever the case.

    Raises:
        Invalid: there is none; the choices are told.
    """
    try:
        return TaskKind(text.lower())
    except ValueError:
        choices = ", ".join(TaskKind)
        raise Invalid.field("task", f"{text[:100]!r} is no task; choose from {choices}") from None


def system_prompt(definition: TaskDefinition, given: str = "") -> str:
    """What a model is told before its example: what was `given`, or else the task's own words.

    Raises:
        Invalid: the task has no words of its own and nothing was given.
    """
    if given.strip():
        return given
    match definition.task:
        case TaskKind.SUMMARIZATION:
            return _SUMMARIZE
        case TaskKind.TRANSLATION:
            return _TRANSLATE.format(source=definition.source_language, target=definition.target_language)
    raise Invalid.field("system_prompt", f"{definition.task} needs one: it says what is to be generated")
