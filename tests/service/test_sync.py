"""``tracker sync``: what waits is told and sent, whoever left it and wherever it goes."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

import tracker
from entrypoints.cli.main import cli
from tracker.journal import frames


def sync(data: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["sync", "--data", str(data), *options])


def left_offline(data: Path, **options: Any) -> tracker.Run:
    with tracker.init("p", data=data, mode="offline", capture=False, **options) as run:
        run.log({"loss": 1.0})
    return run


def of_another_machine(data: Path) -> None:
    """A run that was killed in a container whose name nobody has any more."""
    run = tracker.init("p", "1_far", data=data, mode="offline", capture=False)
    run.log({"loss": 1.0})
    (segment,) = run._journal.path.glob("*.open")
    about = json.loads((run._journal.path / "run.json").read_text(encoding="utf-8"))
    written = segment.read_bytes()
    run.finish()
    owner = {**about["owner"], "host": "6c1f0e2d"}
    run._journal.tell({**about, "owner": owner})
    (closed,) = run._journal.path.glob("*.seg")
    closed.unlink()
    found = frames.read(written)
    header = frames.header({**found.header, "owner": owner})
    begin = len(frames.header(found.header))
    segment.write_bytes(header + written[begin:])


def test_a_run_of_another_machine_is_told_of_and_is_sent_when_somebody_says_that_it_is_over(
    tmp_path: Path,
) -> None:
    of_another_machine(tmp_path)
    told = sync(tmp_path)
    assert told.exit_code == 3
    assert "6c1f0e2d" in told.output and "--others" in told.output
    assert sync(tmp_path, "--others").exit_code == 0
    with tracker.open(tmp_path) as library:
        (run,) = library.experiments.recent()
        assert library.scalars.read(run.id, "loss").value.tolist() == [1.0]
        assert (run.status, run.end_kind) == ("failed", "lost")
    assert sync(tmp_path).output == "nothing waits\n"


def test_a_server_that_cannot_be_asked_keeps_no_other_from_getting_its_runs(tmp_path: Path) -> None:
    for url in ("http://", "http://127.0.0.1:9"):
        left = left_offline(tmp_path)
        about = left._journal.about()
        left._journal.tell({**about, "url": url})
    told = json.loads(sync(tmp_path, "--json").output)
    assert {each["url"] for each in told} == {"http:", "http://127.0.0.1:9"}
    assert all(each["problem"] for each in told)


def test_an_address_with_a_slash_behind_it_is_the_same_server(tmp_path: Path) -> None:
    left = left_offline(tmp_path)
    left._journal.tell({**left._journal.about(), "url": "http://127.0.0.1:9/"})
    for url in ("http://127.0.0.1:9", "http://127.0.0.1:9/"):
        told = CliRunner(env={"TRACKER_DATA": str(tmp_path)}).invoke(cli, ["sync", "--url", url])
        assert told.exit_code == 3 and "does not answer" in told.output


def shown_tokens(data: Path, **environment: str) -> list[str | None]:
    """What a server that a journal in `data` names is shown by ``tracker sync``."""
    shown: list[str | None] = []

    class Listening(BaseHTTPRequestHandler):
        def answer(self) -> None:
            shown.append(self.headers.get("Authorization"))
            self.send_error(401)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        left = left_offline(data)
        left._journal.tell({**left._journal.about(), "url": url})
        if "mode" in environment:
            left._journal.path.chmod(int(environment.pop("mode"), 8))
        variables = {name: text.format(url=url) for name, text in environment.items()}
        CliRunner(env={"TRACKER_TOKEN": "precious", **variables}).invoke(cli, ["sync", "--data", str(data)])
        server.shutdown()
    return shown


def test_a_token_is_shown_to_the_server_that_ones_own_run_named(tmp_path: Path) -> None:
    assert set(shown_tokens(tmp_path)) == {"Bearer precious"}


def test_a_token_is_not_shown_to_a_server_that_somebody_else_may_have_named(tmp_path: Path) -> None:
    assert set(shown_tokens(tmp_path, mode="0777")) == {None}


def test_a_token_is_shown_to_the_server_that_the_environment_names(tmp_path: Path) -> None:
    assert set(shown_tokens(tmp_path, mode="0777", TRACKER_URL="{url}")) == {"Bearer precious"}
