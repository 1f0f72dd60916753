"""Parameters and features, from whatever a script holds them in."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import math
import warnings
from collections import namedtuple
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, ClassVar

import attrs
import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from pydantic import TypeAdapter

from tests.strategies import json_trees
from tests.tries import tries
from tracker.domain.errors import Invalid
from tracker.domain.json_tree import FlatParams, JsonObject, same
from tracker.run.params import feature_tree, flat_params
from tracker.warning import TrackerWarning

Point = namedtuple("Point", "x y")


class Optimizer(enum.Enum):
    ADAM = 1


class Schedule(enum.StrEnum):
    COSINE = "cosine"


@dataclasses.dataclass
class Inner:
    width: int = 3


@dataclasses.dataclass
class Outer:
    inner: Inner = dataclasses.field(default_factory=Inner)
    rate: float = 0.1


@attrs.define
class Attrs:
    depth: int = 2
    parts: list[Inner] = attrs.Factory(lambda: [Inner(1), Inner(2)])


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    size: int = 1
    pin: pydantic.SecretStr = pydantic.SecretStr("hunter2")


class ModelOfOldPydantic:
    """What version 1 offers."""

    __fields__: ClassVar = {"size": object()}

    def __init__(self) -> None:
        self.size = 1

    @classmethod
    def parse_obj(cls, obj: object) -> ModelOfOldPydantic:
        raise NotImplementedError


class Config:
    """As those of transformers."""

    def to_dict(self) -> dict[str, Any]:
        return {"hidden_size": 768}


class FakeTensor:
    """As a scalar on some device."""

    shape = ()
    dtype = "torch.bfloat16"

    def item(self) -> float:
        return 0.5

    def tolist(self) -> float:
        return 0.5


class Thorny:
    """Everything that can be asked of it fails."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("do not touch")

    def __str__(self) -> str:
        raise RuntimeError("do not touch")


class HalfBroken:
    def to_dict(self) -> dict[str, Any]:
        raise OSError("gone")


def taken(obj: Any) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    return flat_params(obj, tell=told.append), told


@pytest.mark.parametrize(
    ("obj", "params"),
    [
        ({"a": {"b": {"c": 1}}, "d": None}, {"a.b.c": 1, "d": None}),
        (argparse.Namespace(lr=0.1), {"lr": 0.1}),
        (SimpleNamespace(lr=0.1, inner=Inner()), {"lr": 0.1, "inner.width": 3}),
        (Outer(), {"inner.width": 3, "rate": 0.1}),
        (Attrs(), {"depth": 2, "parts.0.width": 1, "parts.1.width": 2}),
        (Model(more=[1]), {"size": 1, "pin": "***", "more": "[1]"}),
        (ModelOfOldPydantic(), {"size": 1}),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Config(), {"hidden_size": 768}),
        (None, {}),
        ({}, {}),
        ({"e": Optimizer.ADAM, "s": Schedule.COSINE}, {"e": "ADAM", "s": "cosine"}),
        ({"p": PurePosixPath("a/b"), "t": date(2026, 1, 2)}, {"p": "a/b", "t": "2026-01-02"}),
        ({"t": timedelta(minutes=1), "d": Decimal("0.5")}, {"t": 60.0, "d": 0.5}),
        ({"f": Fraction(1, 4)}, {"f": 0.25}),
        ({"f": np.float32(0.5), "i": np.int64(3), "b": np.True_}, {"f": 0.5, "i": 3, "b": True}),
        ({"z": np.array(1.5), "t": FakeTensor(), "a": np.arange(3)}, {"z": 1.5, "t": 0.5, "a": "[0,1,2]"}),
        ({"betas": (0.9, 0.999), "set": {2, 1}, "none": [], "empty": {}},
         {"betas": "[0.9,0.999]", "set": "[1,2]", "none": "[]", "empty": "{}"}),
        ({"layers": [[1, {"w": 2}], 3]}, {"layers.0.0": 1, "layers.0.1.w": 2, "layers.1": 3}),
        ({"f": len, "kind": Inner, "dtype": np.dtype("f4")},
         {"f": "len", "kind": f"{__name__}.Inner", "dtype": "float32"}),
        ({1: "a", Optimizer.ADAM: 2}, {"1": "a", "ADAM": 2}),
    ],
)  # fmt: skip
def test_every_form_of_configuration_gives_flat_params_without_a_word(obj: Any, params: dict[str, Any]):
    found, told = taken(obj)
    assert same(found, params), found
    assert told == []


def test_a_config_of_omegaconf_is_resolved_key_by_key():
    config = OmegaConf.create(
        {
            "lr": 0.1,
            "same": "${lr}",
            "needed": "???",
            "odd": "${nowhere}",
            "list": ["${lr}", {"w": 2}],
            "no": None,
        }
    )
    found, told = taken({"cfg": config})
    assert found == {
        "cfg.lr": 0.1, "cfg.same": 0.1, "cfg.needed": None, "cfg.list.0": 0.1, "cfg.list.1.w": 2,
        "cfg.no": None,
    }  # fmt: skip
    assert len(told) == 1 and told[0].startswith("params.cfg.odd: left out")


@pytest.mark.parametrize(
    "name",
    ["password", "db.passwd", "api_key", "apiKey", "APIKey", "AWS_SECRET_ACCESS_KEY", "wandb-api-key",
     "hf_token", "authToken", "client_secret", "openai_api_key", "private_key"],
)  # fmt: skip
def test_what_is_named_like_a_secret_is_masked_and_told(name: str):
    found, told = taken({name: "a-real-secret"})
    assert found == {name: "***"}
    assert len(told) == 1 and f"params.{name}: masked" in told[0] and "real" not in told[0]
    assert flat_params({name: "a-real-secret"}, mask=False) == {name: "a-real-secret"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_tokens", 512), ("pad_token", "<pad>"), ("eos_token", "</s>-like-this"), ("token", "[MASK] it"),
     ("tokenizer", "bert-base-uncased"), ("token_dropout", 0.1), ("key", "value-of-a-key"),
     ("secret_share", 0.5), ("password", None), ("use_auth_token", True),
     ("special_tokens", "[1]"), ("keys", "queries-and-keys")],
)  # fmt: skip
def test_what_only_sounds_like_a_secret_is_kept(name: str, value: Any):
    assert taken({name: value}) == ({name: value}, [])


def test_what_stands_below_a_secret_is_masked_too():
    found, _ = taken({"credentials": {"user": "ann", "pin": 1234}, "db": "postgresql://ann:s3cret@host/x"})
    assert found == {"credentials.user": "***", "credentials.pin": "***", "db": "postgresql://ann:***@host/x"}


def test_what_cannot_be_kept_is_told_once_a_kind_naming_the_fields():
    loop: dict[str, Any] = {}
    loop["again"] = loop
    obj = {f"odd{index}": object() for index in range(8)} | {
        "nan": math.nan, "inf": math.inf, "huge": 2**80, "thorny": Thorny(), "gone": HalfBroken(),
        "loop": loop, "nul": "a\x00b\ud800", "a": {"b": 1}, "a.b": 2, "big": np.zeros(100_000),
    }  # fmt: skip
    found, told = taken(obj)
    assert (found["nan"], found["inf"], found["huge"]) == ("nan", "inf", str(2**80))
    assert found["odd0"] == "<object object>", "its address differs from run to run"
    assert (found["nul"], found["a.b"], found["big"]) == ("a?b?", 2, "ndarray float64 (100000,)")
    assert any(
        text.startswith("params.odd0, ") and text.count("odd") == 5 and "and 3 more" in text for text in told
    )
    for name in ("nan", "huge", "thorny", "gone", "loop.again", "nul", "a.b", "big"):
        assert sum(f"params.{name}" in text for text in told) == 1, (name, told)


def test_what_has_no_names_is_told_and_gives_none():
    for wrong in ([1, 2], "lr=0.1", 3, np.zeros(2), object(), Thorny(), HalfBroken()):
        with pytest.warns(TrackerWarning, match="params: left out"):
            assert flat_params(wrong) == {}


def test_a_huge_configuration_is_kept_in_part():
    found, told = taken({"list": list(range(10**6)), "text": "x" * 10**6, "lr": 0.1})
    assert found["lr"] == 0.1
    assert len(found["text"]) < 200_000 and len(found["list"]) < 200_000
    assert len(told) == 1 and "params.list, params.text: kept in part" in told[0]


def thorny() -> Any:
    """As a value that Hypothesis need not touch."""
    return SimpleNamespace(inner=Thorny())


def test_what_is_nested_deeper_than_an_experiment_keeps_is_kept_in_part():
    tree: dict[str, Any] = {}
    for _ in range(2000):
        tree = {"a": tree, "b": [1]}
    told: list[str] = []
    found = feature_tree(tree, tell=told.append)
    TypeAdapter(JsonObject).validate_python(found)
    assert len(told) == 1 and "kept in part" in told[0]


odd_leaves = (
    st.floats() | st.integers() | st.text() | st.binary(max_size=5) | st.none() | st.complex_numbers()
    | st.builds(object) | st.builds(thorny) | st.builds(HalfBroken) | st.builds(Outer) | st.decimals()
    | st.sampled_from([Optimizer.ADAM, len, Inner, np.float32(1), np.zeros(3), np.array(math.nan), ...])
)  # fmt: skip
odd_keys = st.text(max_size=5) | st.integers() | st.none() | st.tuples(st.integers())
odd_trees = st.dictionaries(
    st.sampled_from(["a", "b", "a.b", "token", "password"]),
    st.recursive(
        odd_leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(odd_keys, inner, max_size=3) | st.tuples(inner)
            | st.builds(lambda each: SimpleNamespace(a=each), inner)
        ),
        max_leaves=8,
    ),
)  # fmt: skip


@settings(max_examples=tries(200), deadline=None)
@given(odd_trees)
def test_whatever_a_script_holds_gives_what_an_experiment_keeps(obj: dict[str, Any]):
    params, features = flat_params(obj, tell=str), feature_tree(obj, tell=str)
    assert TypeAdapter(FlatParams).validate_python(params) == params
    TypeAdapter(JsonObject).validate_python(features)
    assert set(features) == set(obj)


@settings(max_examples=tries(100), deadline=None)
@given(json_trees)
def test_a_json_tree_is_its_own_feature_tree(tree: dict[str, Any]):
    told: list[str] = []
    assert same(feature_tree(tree, mask=False, tell=told.append), tree)
    assert told == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("f.yaml", "opt: &o {lr: 1e-3, day: 2026-01-02}\nagain: *o\n"),
     ("f.json", '{"opt": {"lr": 0.001, "day": "2026-01-02"}, "again": {"lr": 1e-3, "day": "2026-01-02"}}')],
)  # fmt: skip
def test_features_are_read_from_a_file(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)
    opt = {"lr": 0.001, "day": "2026-01-02"}
    for path in (tmp_path / name, str(tmp_path / name)):
        assert feature_tree(path) == {"opt": opt, "again": opt}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("missing.json", None, "No such file"),
        ("list.json", b"[1]", "must hold an object"),
        ("odd.json", b"{", "is not JSON"),
        ("odd.yaml", b"a: [", "is not YAML"),
        ("code.yml", b"a: !!python/object/apply:os.getcwd []", "is not YAML"),
        ("latin.json", b'{"a": "\xe9"}', "no text in UTF-8"),
        ("deep.json", b"[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_holds_no_features_is_refused_by_its_name(
    tmp_path: Path, name: str, content: bytes | None, why: str
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=f"^features: .*{why}") as caught:
        feature_tree(tmp_path / name)
    assert name in caught.value.detail


def test_a_yaml_file_of_many_aliases_is_kept_in_part(tmp_path: Path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    with pytest.warns(TrackerWarning, match="kept in part"):
        feature_tree(tmp_path / "bomb.yaml")


def test_nothing_is_said_where_nothing_is_odd():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flat_params({"lr": 0.1})
