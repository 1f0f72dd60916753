"""What every model keeps that tells which parameters a metric needs."""

from __future__ import annotations

import math
import sys

import pytest

from tracker.adapters.importance.forest import ForestImportanceModel
from tracker.domain.comparison.importance import Kind, ParamColumn
from tracker.domain.errors import Invalid
from tracker.ports.importance import ImportanceModel

RUNS = range(60)
DRIVER = ParamColumn("driver", Kind.NUMERIC, tuple(float(i) for i in RUNS))
KIND = ParamColumn("kind", Kind.CATEGORICAL, tuple('"a"' if i % 2 else '"b"' for i in RUNS))
NOISE = ParamColumn("noise", Kind.NUMERIC, tuple(float((i * 37) % 11) for i in RUNS))
GAPS = ParamColumn("gaps", Kind.CATEGORICAL, tuple(None if i % 3 else '"x"' for i in RUNS))
HUGE = ParamColumn("huge", Kind.NUMERIC, tuple(1e308 if i % 2 else None for i in RUNS))
TARGET = [i + (200.0 if i % 2 else 0.0) for i in RUNS]


@pytest.fixture(params=[ForestImportanceModel])
def model(request: pytest.FixtureRequest) -> ImportanceModel:
    made: ImportanceModel = request.param()
    return made


class TestImportanceModel:
    async def test_what_drives_the_metric_matters_more_than_noise(self, model: ImportanceModel) -> None:
        kind, driver, noise = await model.importances([KIND, DRIVER, NOISE], TARGET)
        assert kind > driver > noise >= 0

    @pytest.mark.slow  # the forest has been asked often enough
    async def test_the_same_input_gives_the_same_answer(self, model: ImportanceModel) -> None:
        first = await model.importances([DRIVER, KIND], TARGET)
        assert await model.importances([DRIVER, KIND], TARGET) == first

    @pytest.mark.slow
    async def test_gaps_and_numbers_beyond_all_scales_are_taken(self, model: ImportanceModel) -> None:
        targets = ([value * 1e305 for value in TARGET], [1.0] * len(TARGET), [-1.7e308, 1.7e308] * 30)
        for target in targets:
            found = await model.importances([GAPS, HUGE, KIND], target)
            assert len(found) == 3 and all(math.isfinite(value) and value >= 0 for value in found)

    async def test_six_runs_are_enough(self, model: ImportanceModel) -> None:
        few = [ParamColumn(each.name, each.kind, each.values[:6]) for each in (DRIVER, KIND)]
        assert len(await model.importances(few, TARGET[:6])) == 2


async def test_without_its_package_a_forest_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(Invalid, match=r"method: .*tracker\[importance\]"):
        await ForestImportanceModel().importances([DRIVER], TARGET)
