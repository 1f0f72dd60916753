"""Passwords, signing keys and letters on real files, in real threads and processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher as Library

from tests.factories import NOON
from tracker.adapters.security.mail import FileMailer
from tracker.adapters.security.passwords import Argon2PasswordHasher
from tracker.adapters.security.signed_tokens import JwtSignedTokens
from tracker.adapters.security.signing_keys import KeyFile
from tracker.domain.errors import Invalid, Unauthenticated, Unavailable

HOUR = timedelta(hours=1)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make_keys(path: Path) -> str:
    """What one of several processes that start together does; the name of the key it signs with."""
    keys = KeyFile(path)
    keys.ensure(NOON)
    return next(iter(keys.keys()))


class TestArgon2PasswordHasher:
    async def test_a_password_fits_its_own_hash_only(self) -> None:
        hasher = Argon2PasswordHasher()
        one, two = await hasher.hash("correct horse"), await hasher.hash("correct horse")
        assert one != two and one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert await hasher.verify("correct horse", one)
        assert not await hasher.verify("correct horsf", one)
        assert not await hasher.verify("correct horse", None)
        assert not await hasher.verify("correct horse", "no hash")
        assert not await hasher.verify("\ud800", one)

    @pytest.mark.slow  # a second of all processors
    async def test_many_at_once_are_all_answered(self) -> None:
        hasher = Argon2PasswordHasher()
        kept = await hasher.hash("correct horse")
        async with asyncio.timeout(60):  # a library that lets two threads wait for each other never ends
            found = await asyncio.gather(*(hasher.verify("correct horse", kept) for _ in range(6)))
        assert found == [True] * 6

    async def test_weaker_parameters_are_outdated(self) -> None:
        hasher = Argon2PasswordHasher()
        weak = Library(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse")
        assert hasher.is_outdated(weak) and await hasher.verify("correct horse", weak)
        assert not hasher.is_outdated(await hasher.hash("correct horse"))


class TestKeyFile:
    def test_the_first_key_is_for_its_owner_only_and_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "signing-keys.json"
        name = make_keys(path)
        assert mode(path) == 0o600
        assert make_keys(path) == name
        (key,) = KeyFile(path).keys().values()
        assert len(key.secret) == 32 and "secret" not in repr(key)

    @pytest.mark.slow
    def test_processes_that_start_together_sign_with_one_key(self, tmp_path: Path) -> None:
        path = tmp_path / "signing-keys.json"
        with multiprocessing.get_context("spawn").Pool(4) as processes:
            assert len(set(processes.map(make_keys, [path] * 8, chunksize=1))) == 1

    @pytest.mark.parametrize("bits", [0o644, 0o640, 0o604])
    def test_a_file_that_others_can_read_is_refused_with_what_mends_it(
        self, tmp_path: Path, bits: int
    ) -> None:
        path = tmp_path / "signing-keys.json"
        make_keys(path)
        path.chmod(bits)
        with pytest.raises(Invalid, match="chmod 600"):
            KeyFile(path).keys()

    @pytest.mark.parametrize(
        "text", ["", "{}", '{"keys": []}', '{"keys": [{"name": "a", "secret": "YQ=="}]}']
    )
    def test_a_file_that_holds_no_key_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "signing-keys.json"
        path.touch(mode=0o600)
        path.write_text(text)
        with pytest.raises(Invalid):
            KeyFile(path).keys()

    def test_without_the_file_nothing_is_signed(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable):
            JwtSignedTokens(KeyFile(tmp_path / "none.json")).sign("session", {}, NOON)


class TestRotation:
    def test_older_keys_hold_until_their_tokens_have_run_out(self, tmp_path: Path) -> None:
        path = tmp_path / "signing-keys.json"
        make_keys(path)
        running = JwtSignedTokens(KeyFile(path))  # a server that nobody restarts
        old = running.sign("session", {"sub": "ada"}, NOON + 9 * HOUR)
        KeyFile(path).rotate(NOON, longest_session=2 * HOUR)
        assert running.read("session", old, NOON)["sub"] == "ada"
        new = running.sign("session", {"sub": "eve"}, NOON + 9 * HOUR)
        KeyFile(path).rotate(NOON + HOUR, longest_session=2 * HOUR)
        assert running.read("session", old, NOON)["sub"] == "ada"
        KeyFile(path).rotate(NOON + 3 * HOUR, longest_session=2 * HOUR)
        with pytest.raises(Unauthenticated):
            running.read("session", old, NOON)
        with pytest.raises(Unauthenticated):
            running.read("session", new, NOON)

    def test_with_no_time_left_all_sessions_end_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "signing-keys.json"
        make_keys(path)
        running = JwtSignedTokens(KeyFile(path))
        token = running.sign("session", {"sub": "ada"}, NOON + HOUR)
        running.read("session", token, NOON)  # checked once, and remembered
        KeyFile(path).rotate(NOON, longest_session=timedelta(0))
        with pytest.raises(Unauthenticated):
            running.read("session", token, NOON)
        assert mode(path) == 0o600

    def test_a_token_holds_for_its_audience_until_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "signing-keys.json"
        make_keys(path)
        tokens = JwtSignedTokens(KeyFile(path))
        token = tokens.sign("session", {"sub": "ada"}, NOON + HOUR)
        for audience, now in (("sign-in", NOON), ("session", NOON + HOUR), ("session", NOON + 2 * HOUR)):
            with pytest.raises(Unauthenticated):
                tokens.read(audience, token, now)
        for broken in ("", "a.b.c", token + "x", token[:-2], "é" * 10, "x" * 10_000):
            with pytest.raises(Unauthenticated):
                tokens.read("session", broken, NOON)


class TestFileMailer:
    async def test_a_letter_is_for_the_administrator_only(self, tmp_path: Path) -> None:
        folder = tmp_path / "mail"
        await FileMailer(folder).send("ada@example.org", "Hello", "the code is 1234 é")
        (letter,) = folder.iterdir()
        assert (mode(folder), mode(letter)) == (0o700, 0o600)
        text = letter.read_bytes()
        assert b"To: ada@example.org" in text and b"Subject: Hello" in text

    async def test_an_address_that_would_add_a_header_sends_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable):
            await FileMailer(tmp_path / "mail").send("ada@example.org\r\nBcc: eve@example.org", "Hello", "x")
        assert not (tmp_path / "mail").exists()

    async def test_a_folder_that_cannot_be_made_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(Unavailable):
            await FileMailer(tmp_path / "file" / "mail").send("ada@example.org", "Hello", "x")


def test_what_a_killed_process_left_of_a_key_file_is_removed(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "signing-keys.json")
    stray = tmp_path / ".signing-keys-abc"
    stray.write_text("keys")
    file.rotate(NOON, timedelta(days=7))
    assert not stray.exists() and file.path.stat().st_mode & 0o777 == 0o600
