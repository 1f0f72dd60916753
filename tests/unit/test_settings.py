"""What the environment and ``.env`` may say, and what is made of it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from tracker.adapters.sql.engine import normalized
from tracker.domain.errors import Invalid
from tracker.settings import DEFAULT_DATABASE, Settings, read_env_file


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"TRACKER_DATA=a\r\nDATABASE_URL='sqlite:///b.db'\r\n", ("a", "sqlite:///b.db")),
        (b"\xef\xbb\xbfTRACKER_DATA=a\nDATABASE_URL=b", ("a", "b")),
        (b'# one\n\nexport TRACKER_DATA = "a b" # two\nDATABASE_URL=b # three\n', ("a b", "b")),
        (b"\xff\xfe = odd\nTRACKER_DATA=a\nDATABASE_URL=b=c", ("a", "b=c")),
        (b"this is no line\n=x\n9=y\n", (None, None)),
    ],
)
def test_an_env_file_is_read_line_by_line(tmp_path: Path, content: bytes, found: tuple[str | None, ...]):
    (tmp_path / ".env").write_bytes(content)
    lines = read_env_file(tmp_path / ".env")
    assert (lines.get("TRACKER_DATA"), lines.get("DATABASE_URL")) == found


def test_an_env_file_that_is_a_folder_or_missing_says_nothing(tmp_path: Path):
    assert read_env_file(tmp_path) == read_env_file(tmp_path / "missing") == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRACKER_DATA", "~nobody-of-this-name/data"),
        ("TRACKER_DATA", "a\x00b"),
        ("TRACKER_MAX_BODY", "1e6"),
        ("TRACKER_MAX_BODY", "0"),
        ("TRACKER_SYNC", "often"),
        ("TRACKER_LOG_FORMAT", "xml"),
        ("TRACKER_LOG_LEVEL", "loud"),
        ("TRACKER_MODE", "on-line"),
        ("TRACKER_RUN_KEY", "7"),
        ("TRACKER_RANK", "-1"),
        ("TRACKER_RANK", "first"),
        ("TRACKER_STEP", "9223372036854775808"),
        ("TRACKER_CONSOLE", "maybe"),
        ("TRACKER_PARAMS", "lr=0.1"),
        ("TRACKER_PARAMS", "[1]"),
        ("TRACKER_EXIT_SECONDS", "-1"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://ui.example,ui.example"),
        ("ALLOWED_ORIGINS", "https://*.example"),
        ("ALLOWED_ORIGINS", "https://ui.example/app"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_name_of_its_variable(name: str, value: str):
    with pytest.raises(Invalid, match=name):
        Settings.load(environ={name: value})


def test_an_empty_variable_is_one_that_is_not_set():
    assert Settings.load(environ={"DATABASE_URL": "  "}).database_url == DEFAULT_DATABASE


def test_every_argument_of_a_run_has_a_variable():
    given = {
        "TRACKER_MODE": "offline",
        "TRACKER_PROJECT": "p",
        "TRACKER_TAGS": "a, b,",
        "TRACKER_PARAMS": '{"lr": 0.1}',
        "TRACKER_RUN_KEY": "00000000-0000-0000-0000-000000000007",
        "TRACKER_RANK": "3",
        "TRACKER_STEP": "-5",
        "TRACKER_CAPTURE": "OFF",
        "TRACKER_RERUN": "on",
        "TRACKER_CONSOLE": "1",
        "TRACKER_SILENT": "yes",
    }
    found = Settings.load(environ=given)
    assert (found.mode, found.project, found.tags, found.params) == (
        "offline",
        "p",
        ("a", "b"),
        '{"lr": 0.1}',
    )
    assert (found.run_key, found.rank, found.resume_step) == (UUID(int=7), 3, -5)
    assert (found.capture, found.console, found.system, found.silent) == (False, True, False, True)
    assert found.rerun


@pytest.mark.parametrize(
    ("environ", "rank"),
    [
        ({}, None),
        ({"RANK": "2", "WORLD_SIZE": "4"}, 2),
        ({"RANK": "0", "WORLD_SIZE": "1"}, None),
        ({"RANK": "two", "WORLD_SIZE": "4", "SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, 1),
        ({"OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_SIZE": "6", "SLURM_PROCID": "0"}, 5),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, None),
        ({"RANK": "2", "WORLD_SIZE": "4", "TRACKER_RANK": "0"}, 0),
        ({"RANK": "\u00b2", "WORLD_SIZE": "4"}, None),
    ],
)
def test_a_process_takes_the_number_that_its_launcher_gave_it(environ: dict[str, str], rank: int | None):
    assert Settings.load(environ=environ).rank == rank


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://user:s3cret@host/name",
        "postgresql+psycopg2://user:s3cret@host/name",
        "postgresql://user:s3cret@host:port/name",
        "postgresql://user:s3cret@[::1/name",
        "postgresql://user:s3cret@host/name?bogus=1",
        "sqlite://data.db",
        "sqlite:///data.db?mode=ro",
        "sqlite:///~nobody-of-this-name/data.db",
    ],
)
def test_a_database_url_that_cannot_be_used_is_refused_without_its_password(url: str):
    with pytest.raises(Invalid, match="DATABASE_URL") as caught:
        normalized(url)
    assert "s3cret" not in caught.value.detail and "\n" not in caught.value.detail


def test_a_database_may_be_named_as_other_systems_name_it_unless_the_two_differ():
    other = {"SQLALCHEMY_DATABASE_URL": "sqlite:///a.db"}
    assert Settings.load(environ=other).database_url == "sqlite:///a.db"
    assert Settings.load(environ={**other, "DATABASE_URL": "sqlite:///a.db"}).database_url == "sqlite:///a.db"
    with pytest.raises(Invalid, match="DATABASE_URL: differs from SQLALCHEMY_DATABASE_URL"):
        Settings.load(environ={**other, "DATABASE_URL": "sqlite:///b.db"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOBS_RUNNER", "cluster"),
        ("JOBS_SLOTS", "0"),
        ("JOBS_MEMORY", "much"),
        ("JOBS_TRUST_REMOTE_CODE", "perhaps"),
        ("RAY_DASHBOARD_URL", "head:8265"),
        ("TRACKER_MAX_DATASET", "0"),
        ("DEPLOYMENT_TYPE", "moon"),
    ],
)
def test_how_jobs_run_can_be_set_within_reason(name: str, value: str):
    with pytest.raises(Invalid, match=name):
        Settings.load(environ={name: value})


def test_the_token_of_a_cluster_is_not_shown():
    assert "s3cret" not in repr(Settings.load(environ={"RAY_TOKEN": "s3cret"}))


def test_code_of_models_runs_only_where_that_is_set_and_workers_are_told():
    assert not Settings.load(environ={}).jobs_trust_remote_code
    trusting = Settings.load(environ={"JOBS_TRUST_REMOTE_CODE": "on"})
    assert trusting.jobs_trust_remote_code
    assert Settings.load(environ=trusting.variables()).jobs_trust_remote_code
