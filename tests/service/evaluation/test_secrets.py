"""Secrets: stored, opened for jobs, never shown; their keys rotated whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from tests.doubles import SettableClock
from tests.factories import a_user
from tracker.adapters.security.secrets_box import AesGcmSecretsBox
from tracker.adapters.sql.database import Database
from tracker.adapters.system.clock import SystemClock
from tracker.domain.errors import Forbidden, Invalid, Unavailable
from tracker.domain.evaluation.secret_keeping import service
from tracker.domain.evaluation.secret_keeping.service import SecretService
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import LOCAL_USER, Actor, local_actor
from tracker.domain.ids import ApiTokenId, UserId
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

VALUE = "sk-very-secret"
ROOT = Path(__file__).resolve().parents[3]
SUPERUSER = local_actor("test")


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def box(tmp_path: Path) -> AesGcmSecretsBox:
    return AesGcmSecretsBox(tmp_path / "secret-keys.json")


@pytest.fixture
def secrets(units: UnitsOfWork, clock: SettableClock, box: AesGcmSecretsBox) -> SecretService:
    return SecretService(units, clock, box)


async def somebody(units: UnitsOfWork) -> Actor:
    user = a_user()
    async with units.writing() as unit:
        await unit.users.add(user)
        await unit.commit()
    return Actor(user_id=user.id)


async def told(units: UnitsOfWork) -> list[tuple[str, str, UserId | None]]:
    async with units.reading() as unit:
        return [(entry.what, entry.key, entry.user_id) for entry in await unit.audit.list()]


async def value_of(secrets: SecretService, owner: UserId, name: str) -> str:
    return (await secrets.open(owner, [name]))[name].value


async def test_a_value_is_kept_replaced_and_removed(
    secrets: SecretService, units: UnitsOfWork, clock: SettableClock
) -> None:
    ada = await somebody(units)
    made = clock.now()
    assert await secrets.put(ada, "OpenAI_Key", VALUE, "for judges")
    later = clock.advance(hours=1)
    assert not await secrets.put(ada, " openai_KEY ", "sk-other")
    (secret,) = await secrets.list(ada)
    assert (secret.name, secret.description) == ("openai_key", "")
    assert (secret.created_at, secret.updated_at, secret.updated_by) == (made, later, ada.user_id)
    assert await value_of(secrets, ada.user_id, "openai_key") == "sk-other"
    assert await secrets.delete(ada, "OPENAI_KEY")
    for nothing in ("OPENAI_KEY", "", "x" * 300, "a\x00"):
        assert not await secrets.delete(ada, nothing)
    assert await secrets.list(ada) == ()
    assert await told(units) == [
        (f"secret.{what}", "openai_key", ada.user_id) for what in ("create", "replace", "delete")
    ]


async def test_everybody_has_names_of_their_own(secrets: SecretService, units: UnitsOfWork) -> None:
    ada, eve = await somebody(units), await somebody(units)
    for who, value in ((ada, "ada's"), (eve, "eve's")):
        assert await secrets.put(who, "key", value)
    assert not await secrets.delete(SUPERUSER, "key") and await secrets.list(SUPERUSER) == ()
    assert await value_of(secrets, ada.user_id, "key") == "ada's"
    await secrets.delete(eve, "key")
    assert await secrets.missing(eve.user_id, ["key"]) == {"key"}
    assert await secrets.missing(ada.user_id, ["key", "more"]) == {"more"}
    with pytest.raises(Invalid, match="no secret named 'key'") as caught:
        await secrets.open(eve.user_id, ["key"])
    assert caught.value.problems[0].type == "missing_secret"


async def test_a_row_that_was_moved_to_another_user_opens_for_nobody(
    secrets: SecretService, units: UnitsOfWork
) -> None:
    ada, eve = await somebody(units), await somebody(units)
    await secrets.put(ada, "key", VALUE)
    await secrets.put(eve, "key", "eve's")
    async with units.writing() as unit:
        stolen = await unit.evaluation_secrets.sealed(ada.user_id, "key")
        own = await unit.evaluation_secrets.sealed(eve.user_id, "key")
        assert stolen is not None and own is not None
        assert await unit.evaluation_secrets.reseal(eve.user_id, own, stolen)
        await unit.commit()
    with pytest.raises(Unavailable, match="is not what was stored"):
        await secrets.open(eve.user_id, ["key"])


async def test_an_api_token_needs_what_jobs_need(secrets: SecretService) -> None:
    def with_scopes(*scopes: Action) -> Actor:
        return SUPERUSER.evolve(scopes=frozenset(scopes), api_token_id=ApiTokenId(LOCAL_USER))

    viewer, maker = with_scopes(Action.EXPERIMENTS_VIEW), with_scopes(Action.EXPERIMENTS_CREATE)
    for use in (secrets.put(viewer, "a", "b"), secrets.delete(viewer, "a"), secrets.list(maker)):
        with pytest.raises(Forbidden, match="lacks the scopes experiments"):
            await use
    assert await secrets.put(maker, "a", "b")
    assert [secret.name for secret in await secrets.list(viewer)] == ["a"]
    with pytest.raises(Forbidden, match="login"):
        await secrets.rotate(maker)
    with pytest.raises(Forbidden, match="administrators"):
        await secrets.rotate(Actor(user_id=LOCAL_USER))


@pytest.mark.parametrize(
    ("name", "value", "description"),
    [
        ("", VALUE, ""),
        ("x" * 256, VALUE, ""),
        ("a", "", ""),
        ("a", VALUE * 100, ""),
        ("a", VALUE, "x" * 1001),
    ],
)
async def test_a_refused_value_is_told_nowhere(
    secrets: SecretService, name: str, value: str, description: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Invalid) as caught:
        await secrets.put(SUPERUSER, name, value, description)
    assert VALUE not in "".join(traceback.format_exception(caught.value)) + caplog.text
    assert await secrets.list(SUPERUSER) == ()


async def test_a_value_is_in_no_row_log_or_audit_entry(
    secrets: SecretService, units: UnitsOfWork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await secrets.put(SUPERUSER, "key", VALUE)
    await secrets.rotate(SUPERUSER)
    async with units.reading() as unit:
        entries = await unit.audit.list()
        sealed = await unit.evaluation_secrets.sealed(LOCAL_USER, "key")
    files = b"".join(each.read_bytes() for each in tmp_path.iterdir() if each.is_file())
    assert sealed is not None
    told = f"{entries!r} {sealed.model_dump()!r} {await secrets.list(SUPERUSER)!r} {caplog.text}"
    assert VALUE not in told and VALUE.encode() not in files


class TestRotation:
    async def test_everything_is_under_the_new_key_and_the_old_ones_are_gone(
        self, secrets: SecretService, units: UnitsOfWork, box: AesGcmSecretsBox, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(service, "_BATCH", 3)
        owners = [await somebody(units) for _ in range(4)]
        for owner in owners:
            for name in ("a", "b"):
                await secrets.put(owner, name, f"{owner.user_id} {name}")
        first = box.key_id
        rotation = await secrets.rotate(SUPERUSER)
        assert rotation == (box.key_id, 8, (), 1) and rotation.key_id != first
        for owner in owners:
            for name in ("a", "b"):
                assert await value_of(secrets, owner.user_id, name) == f"{owner.user_id} {name}"
        keys = json.loads((tmp_path / "secret-keys.json").read_text())["keys"]
        assert [key["id"] for key in keys] == [rotation.key_id]
        assert (await told(units))[-1] == ("secret.rotate", rotation.key_id, LOCAL_USER)

    async def test_what_no_key_opens_is_named_and_keeps_all_keys(
        self, secrets: SecretService, units: UnitsOfWork, box: AesGcmSecretsBox
    ) -> None:
        for name in ("bad", "good"):
            await secrets.put(SUPERUSER, name, VALUE)
        async with units.writing() as unit:
            sealed = await unit.evaluation_secrets.sealed(LOCAL_USER, "bad")
            assert sealed is not None
            await unit.evaluation_secrets.reseal(LOCAL_USER, sealed, sealed.evolve(ciphertext=b"x" * 40))
            await unit.commit()
        first = box.key_id
        rotation = await secrets.rotate(SUPERUSER)
        assert rotation[1:] == (1, ("bad",), 0)
        assert await value_of(secrets, LOCAL_USER, "good") == VALUE
        async with units.writing() as unit:  # the row comes back from a backup
            damaged = await unit.evaluation_secrets.sealed(LOCAL_USER, "bad")
            assert damaged is not None and damaged.key_id == first
            assert await unit.evaluation_secrets.reseal(LOCAL_USER, damaged, sealed)
            await unit.commit()
        assert await value_of(secrets, LOCAL_USER, "bad") == VALUE
        assert (await secrets.rotate(SUPERUSER))[1:] == (2, (), 2)

    async def test_a_value_whose_key_went_since_it_was_read_is_read_again(
        self, secrets: SecretService, units: UnitsOfWork, clock: SettableClock, box: AesGcmSecretsBox
    ) -> None:
        class RotatedBetween:
            """Units of work between whose first reading and the next somebody rotates."""

            rotates = True

            @asynccontextmanager
            async def reading(self) -> AsyncIterator[ReadingUnit]:
                async with units.reading() as unit:
                    yield unit
                if self.rotates:
                    self.rotates = False
                    await secrets.rotate(SUPERUSER)

            def writing(self) -> WritingUnit:
                return units.writing()

        await secrets.put(SUPERUSER, "key", VALUE)
        late = SecretService(RotatedBetween(), clock, box)  # type: ignore[arg-type]
        assert await value_of(late, LOCAL_USER, "key") == VALUE

    async def test_values_stored_while_others_rotate_stay_open(
        self, secrets: SecretService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "_BATCH", 2)

        async def store(place: int) -> None:
            for round_ in range(8):
                await secrets.put(SUPERUSER, f"s{place}", f"{place} {round_}")
                assert await value_of(secrets, LOCAL_USER, f"s{place}") == f"{place} {round_}"

        async def rotate() -> None:
            for _ in range(6):
                await secrets.rotate(SUPERUSER)

        await asyncio.gather(*(store(place) for place in range(4)), rotate(), rotate())
        for place in range(4):
            assert await value_of(secrets, LOCAL_USER, f"s{place}") == f"{place} 7"


def a_rotator(url: str, keys: Path, times: int = 10**6) -> Popen[str]:
    program = Path(__file__).with_name("secret_rotator.py")
    command = [sys.executable, str(program), url, str(keys), str(times)]
    return Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=PIPE, text=True)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that several processes use."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'db.sqlite'}"
    made: str = request.getfixturevalue("postgres_url")
    return made


@pytest.mark.slow
async def test_rotations_are_killed_at_any_moment_and_lose_nothing(url: str, tmp_path: Path) -> None:
    """Two processes rotate, are killed by SIGKILL, and follow each other; this one stores meanwhile."""
    keys = tmp_path / "keys" / "secret-keys.json"
    database = Database(url)
    await database.prepare(auto_upgrade=True)
    secrets = SecretService(database.units, SystemClock(), AesGcmSecretsBox(keys))
    values = {f"s{place:02}": f"value {place}" for place in range(30)}
    for name, value in values.items():
        await secrets.put(SUPERUSER, name, value)
    chance = random.Random(7)
    rotators: list[Popen[str]] = []
    try:
        for round_ in range(4):
            rotators = [a_rotator(url, keys) for _ in range(2)]
            for rotator in rotators:
                assert rotator.stdout is not None
                assert await asyncio.to_thread(rotator.stdout.readline) == "ready\n"
            until = time.monotonic() + chance.uniform(0.0, 0.6)
            while time.monotonic() < until:
                name = chance.choice(list(values))
                values[name] = f"value {round_} {chance.random()}"
                await secrets.put(SUPERUSER, name, values[name])
                assert await value_of(secrets, LOCAL_USER, name) == values[name]
            for rotator in rotators:
                rotator.kill()
                await asyncio.to_thread(rotator.communicate)
            opened = await secrets.open(LOCAL_USER, list(values))
            assert {name: plain.value for name, plain in opened.items()} == values
        rotation = await secrets.rotate(SUPERUSER)
        assert rotation.unreadable == ()
        assert [key["id"] for key in json.loads(keys.read_text())["keys"]] == [rotation.key_id]
        opened = await secrets.open(LOCAL_USER, list(values))
        assert {name: plain.value for name, plain in opened.items()} == values
        # What was cut off between writing and renaming is gone: it had keys in it.
        assert {each.name for each in keys.parent.iterdir()} == {keys.name, f"{keys.name}.lock"}
    finally:
        for rotator in rotators:
            rotator.kill()
            rotator.wait()
        await database.dispose()
