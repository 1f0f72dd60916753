"""One script, run with wandb itself (offline) and with our module of its shape: their histories agree."""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.reading import Kept

pytest.importorskip("wandb", reason="needs the dependency group integrations")

pytestmark = pytest.mark.slow

SCRIPTS = {
    "implicit steps": "for n in range(5): wandb.log({'loss': 1 / (n + 1), 'n': n})",
    "commit": """
wandb.log({'a': 1}, commit=False)
wandb.log({'b': 2}, commit=False)
wandb.log({'c': 3})
wandb.log({'a': 4})
""",
    "explicit steps": """
for n in range(3):
    wandb.log({'a': n}, step=10 * n)
    wandb.log({'b': n}, step=10 * n)
wandb.log({'a': 9}, step=5)
wandb.log({'c': 1})
wandb.log({'c': 2})
""",
    "explicit and committed": """
wandb.log({'a': 1}, step=3, commit=True)
wandb.log({'a': 2})
wandb.log({'a': 3}, step=3)
wandb.log({'a': 4}, step=9, commit=False)
wandb.log({'b': 5})
wandb.log({'b': 6})
""",
    "nested and odd": """
import numpy as np
wandb.log({'t': {'loss': np.float32(0.5), 'deep': {'x': 1}}, 'flag': True})
wandb.log({'nan': float('nan'), 'inf': float('inf')})
""",
    "definitions": """
wandb.define_metric('epoch')
wandb.define_metric('val/*', step_metric='epoch', summary='min,max')
wandb.define_metric('acc', summary='mean')
wandb.define_metric('none', summary='none')
wandb.define_metric('last', summary='last')
for n in range(4):
    if n % 2 == 0:
        wandb.log({'epoch': n // 2})
    wandb.log({'val/loss': (n - 2) ** 2, 'acc': n, 'none': n, 'last': n})
""",
    "summary": """
wandb.log({'acc': 0.5, 'loss': 2.0})
wandb.summary['acc'] = 0.9
wandb.summary.update({'text': 'good', 'n': 3})
wandb.log({'acc': 0.7, 'loss': 1.0})
""",
    "config": """
wandb.config.depth = 3
wandb.config['width'] = 64
wandb.config.update({'lr': 0.2, 'kind': 'a'}, allow_val_change=True)
wandb.config.setdefaults({'lr': 5, 'seed': 1})
try:
    wandb.config.lr = 7
except Exception as error:
    wandb.log({'refused': 1})
wandb.log({'keys': len(wandb.config.keys()), 'has': int('depth' in wandb.config)})
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all scripts have run, with both modules: the run of script 0 is s0 of project p0, and so on."""
    folder = tmp_path_factory.mktemp("wandb")
    blocks = [
        f"wandb.init(project='p{number}', id='s{number}', config={{'lr': 0.1}})\n{body}\nwandb.finish()\n"
        for number, body in enumerate(SCRIPTS.values())
    ]
    variables = {
        "WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(folder),
        "TRACKER_DATA": str(folder / "data"), "DATABASE_URL": f"sqlite:///{folder}/data/tracker.db",
        "TRACKER_CAPTURE": "0", "TRACKER_SILENT": "1",
    }  # fmt: skip
    for module in ("wandb", "tracker.compat.wandb"):
        script = "".join([f"import {module} as wandb\n", *blocks])
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={**os.environ, **variables},
            check=True,
            timeout=300,
        )
    return folder


def records(folder: Path, number: int) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    (path,) = folder.glob(f"wandb/offline-run-*-s{number}/run-*.wandb")
    for data in chunks(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        yield record


def chunks(content: bytes) -> Iterator[bytes]:
    """The records of a log of LevelDB, behind wandb's own seven bytes at its beginning."""
    place, parts = 7, b""
    while place + 7 <= len(content):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def theirs(
    folder: Path, number: int
) -> tuple[dict[str, list[tuple[int, float]]], dict[str, Any], dict[str, Any]]:
    """Curves, summary and configuration, out of the file that wandb wrote."""
    curves: dict[str, list[tuple[int, float]]] = {}
    summary: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for record in records(folder, number):
        if record.HasField("history"):
            row = {name_of(item): json.loads(item.value_json) for item in record.history.item}
            step = row.get("_step", record.history.step.num)
            for name, value in flat(row):
                if not name.startswith("_"):
                    curves.setdefault(name, []).append((step, value))
        if record.HasField("summary"):
            summary.update({name_of(item): json.loads(item.value_json) for item in record.summary.update})
        for update in (record.config, record.run.config):
            config.update({item.key: json.loads(item.value_json) for item in update.update})
    return curves, dict(flat({k: v for k, v in summary.items() if not k.startswith("_")})), config


def name_of(item: Any) -> str:
    return item.key or ".".join(item.nested_key)


def flat(tree: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        else:
            yield (
                before + name,
                float(value) if isinstance(value, bool | int | float) or is_special(value) else value,
            )


def is_special(value: Any) -> bool:
    return value in ("NaN", "Infinity", "-Infinity")


@pytest.mark.parametrize("name", SCRIPTS)
def test_histories_summaries_and_configurations_agree(name: str, folder: Path) -> None:
    number = list(SCRIPTS).index(name)
    curves, summary, config = theirs(folder, number)
    with Kept(folder / "data") as kept:
        ours = kept.only(f"p{number}")
        assert kept.names(ours) == curves.keys()
        for curve, points in curves.items():
            assert repr(kept.curve(ours, curve)) == repr(points), curve
        numbers = {key: value for key, value in summary.items() if isinstance(value, float)}
        assert kept.metrics(ours) == {key: value for key, value in numbers.items() if math.isfinite(value)}
        params = {key: value for key, value in ours.params.items() if key != "wandb.id"}
        assert params == {key: value for key, value in config.items() if key != "_wandb"}
