"""A command line's flags are parameters of the types that they read like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.integrations.script.flags import params_of, typed


@pytest.mark.parametrize(
    ("arguments", "params"),
    [
        ("--lr 0.1", {"lr": 0.1}),
        ("--lr=0.1 --epochs=3", {"lr": 0.1, "epochs": 3}),
        ("--lr 1e-3 --momentum .9 --shift -0.5", {"lr": 0.001, "momentum": 0.9, "shift": -0.5}),
        ("--amp --seed 1", {"amp": True, "seed": 1}),
        ("--amp true --bias False --init none", {"amp": True, "bias": False, "init": None}),
        ("--learning-rate 1", {"learning_rate": 1}),
        ("--no-cuda", {"no_cuda": True}),
        ("-e 3 -v", {"e": 3, "v": True}),
        ("--layers 64 32 16", {"layers": "64 32 16"}),
        ("--tag a --tag b", {"tag": "a b"}),
        ("--opt.lr 0.1 opt.name=adam", {"opt.lr": 0.1, "opt.name": "adam"}),
        ("+new=1 ++over=x", {"new": 1, "over": "x"}),
        ("data.csv --lr 1", {"args": "data.csv", "lr": 1}),
        ("--lr 1 -- --not-a-flag", {"lr": 1, "args": "--not-a-flag"}),
        ("--url http://h/x?a=b", {"url": "http://h/x?a=b"}),
        ("--zip 007 --big 99999999999999999999", {"zip": "007", "big": "99999999999999999999"}),
        ("--limit inf --rate nan --max 1e999", {"limit": "inf", "rate": "nan", "max": "1e999"}),
        ("--expr=a=b", {"expr": "a=b"}),
        ("--empty=", {"empty": ""}),
        ("", {}),
    ],
)  # fmt: skip
def test_these_flags_are_these_parameters(arguments: str, params: dict[str, Any]) -> None:
    found = params_of(arguments.split())
    assert found == params
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in params.items()
    }


@given(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
    )
)
def test_what_python_writes_reads_back_as_it_was(value: float) -> None:
    assert typed(str(value)) == value
    assert type(typed(str(value))) is type(value)


@given(st.lists(st.text()))
def test_every_command_line_has_parameters(arguments: list[str]) -> None:
    for name, value in params_of(arguments).items():
        assert isinstance(name, str)
        assert value is None or isinstance(value, str | bool | int | float)
