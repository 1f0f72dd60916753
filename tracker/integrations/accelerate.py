"""Hugging Face accelerate: ``Accelerator(log_with=AccelerateTracker("p"))``."""

from __future__ import annotations

from typing import Any

from tracker.integrations.attached import Attached
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["AccelerateTracker"]

_tracking = needed("accelerate.tracking", "accelerate", "tracker.integrations.accelerate")


class AccelerateTracker(_tracking.GeneralTracker):  # type: ignore[name-defined,misc]
    """Has an ``Accelerator`` log to a run; on the main process alone.

    Args:
        project: the project's name; without it, the environment's.
        run: a run that is open already; it stays open after ``end_training()``.
        options: further arguments of :func:`tracker.init`.
    """

    name = "tracker"
    requires_logging_directory = False
    main_process_only = True

    def __init__(self, project: str | None = None, *, run: Run | None = None, **options: Any) -> None:
        super().__init__()
        given = options if project is None else {**options, "project": project}
        self._attached = Attached(run, given)

    @property
    def tracker(self) -> Run | None:
        """The run itself."""
        return self._attached.run

    @_tracking.on_main_process  # type: ignore[untyped-decorator]
    def start(self) -> None:
        """Starts the run."""
        self._attached.begin()

    @_tracking.on_main_process  # type: ignore[untyped-decorator]
    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """Keeps the configuration as parameters."""
        with self._attached.doing("the configuration") as run:
            run.params(values)

    @_tracking.on_main_process  # type: ignore[untyped-decorator]
    def log(self, values: dict[str, Any], step: int | None = None, **kwargs: Any) -> None:
        """Keeps numbers as points of curves, text as text."""
        with self._attached.doing("log") as run:
            numbers = {name: value for name, value in values.items() if not isinstance(value, str)}
            if numbers:
                run.log(numbers, step=step)
            for name in values.keys() - numbers.keys():
                run.text(name, values[name], step=step)

    @_tracking.on_main_process  # type: ignore[untyped-decorator]
    def log_images(self, values: dict[str, Any], step: int | None = None, **kwargs: Any) -> None:
        """Keeps lists of images by name."""
        with self._attached.doing("images") as run:
            for name, images in values.items():
                for number, image in enumerate(images):
                    run.image(name if len(images) == 1 else f"{name}/{number}", image, step=step)

    @_tracking.on_main_process  # type: ignore[untyped-decorator]
    def log_table(
        self,
        table_name: str,
        columns: list[str] | None = None,
        data: list[list[Any]] | None = None,
        dataframe: Any = None,
        step: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Keeps a table, of rows or of a data frame."""
        with self._attached.doing("a table") as run:
            if dataframe is not None:
                columns, data = list(dataframe.columns), dataframe.to_numpy().tolist()
            run.table(table_name, data or [], columns=columns, step=step)

    @_tracking.on_main_process  # type: ignore[untyped-decorator]
    def finish(self) -> None:
        """Finishes the run if it was started here."""
        self._attached.end()
