"""The examples of the guide to the wire format, run as they stand against a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.test_examples import blocks
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)


def test_columns_go_in_and_out_with_nothing_but_arrays(server: LiveServer, tmp_path: Path) -> None:  # noqa: F811
    script = "\n".join(blocks("python", "docs/guide/scalars-wire.md"))
    assert "numpy" not in script and "tracker" not in script.replace("TRACKER", "")
    environ = {**os.environ, "TRACKER_URL": server.url}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    kept, acc, loss, news = done.stdout.splitlines()
    assert kept == "{'status': 'logged', 'points': 40000}"
    assert acc.split() == ["acc", "20000", acc.split()[2], "0", "19999", "0.0", "0.99995"]
    assert loss.split() == ["loss", "20000", loss.split()[2], "0", "19999", "5e-05", "1.0"]
    assert int(acc.split()[2]) <= 400 and int(loss.split()[2]) <= 400
    assert news == "{'loss': {'x': [20000], 'y': [0.5]}}"
