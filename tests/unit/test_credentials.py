"""The file of tokens for servers."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tracker.credentials import Credentials, address_of
from tracker.domain.errors import Invalid, Unavailable
from tracker.settings import Settings

URL = "https://tracker.example.org"


@pytest.fixture
def kept(tmp_path: Path) -> Credentials:
    return Credentials(tmp_path / "tracker" / "credentials.json")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://Tracker.Example.org/", URL),
        ("https://tracker.example.org:443", URL),
        ("HTTP://localhost:80//", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://user:s3cret@tracker.example.org/sub/", f"{URL}/sub"),
    ],
)
def test_a_server_has_one_address_however_it_is_typed(typed: str, address: str) -> None:
    assert address_of(typed) == address


@pytest.mark.parametrize(
    "other",
    ["http://tracker.example.org", f"{URL}:8443", "https://tracker.example.org.evil.example", f"{URL}/sub"],
)
def test_a_token_is_for_one_server_alone(kept: Credentials, other: str) -> None:
    kept.keep(URL, "pat_1")
    assert (kept.find(f"{URL}/"), kept.find(other)) == ("pat_1", None)


@pytest.mark.parametrize(
    "url", ["", "tracker.example.org", "ftp://host", "http://", "http://h:x", "http://[::1"]
)
def test_what_is_no_address_is_refused(kept: Credentials, url: str) -> None:
    with pytest.raises(Invalid, match="url"):
        kept.keep(url, "pat_1")


def test_only_the_last_token_of_a_server_is_kept_until_it_is_forgotten(kept: Credentials) -> None:
    kept.forget(URL)
    for token in ("pat_1", "pat_2"):
        kept.keep(URL, token)
    kept.keep("http://other", "pat_3")
    assert kept.find(URL) == "pat_2"
    kept.forget(URL)
    assert (kept.find(URL), kept.find("http://other")) == (None, "pat_3")
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


def test_of_many_logins_at_once_none_is_lost(kept: Credentials) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: kept.keep(f"http://host{n}", f"pat_{n}"), range(32)))
    assert [kept.find(f"http://host{n}") for n in range(32)] == [f"pat_{n}" for n in range(32)]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_get_at_is_refused_with_the_fix(kept: Credentials, mode: int) -> None:
    kept.keep(URL, "pat_1")
    kept.path.chmod(mode)
    for attempt in (lambda: kept.find(URL), lambda: kept.keep(URL, "pat_2"), lambda: kept.forget(URL)):
        with pytest.raises(Invalid, match="chmod 600"):
            attempt()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"servers": {"x": 1}}', "[" * 100_000, "\x00"])
def test_a_file_of_something_else_is_refused_and_left_alone(kept: Credentials, content: str) -> None:
    kept.path.parent.mkdir()
    kept.path.write_text(content)
    kept.path.chmod(0o600)
    with pytest.raises(Invalid, match="does not hold tokens"):
        kept.keep(URL, "pat_1")
    assert kept.path.read_text() == content


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the place of the folder")
    with pytest.raises(Unavailable, match="cannot write"):
        Credentials(tmp_path / "file" / "credentials.json").keep(URL, "pat_1")


def test_the_environment_says_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = tmp_path / ".config" / "tracker" / "credentials.json"
    assert Settings.load(environ={}).credentials == expected
    assert Settings.load(environ={"XDG_CONFIG_HOME": "relative"}).credentials == expected
    other = Settings.load(environ={"XDG_CONFIG_HOME": "/elsewhere"}).credentials
    assert other == Path("/elsewhere/tracker/credentials.json")
