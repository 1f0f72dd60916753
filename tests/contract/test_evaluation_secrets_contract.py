from __future__ import annotations

from datetime import timedelta

import pytest

from tests.evaluation_factories import a_model, a_secret, sealed
from tests.factories import NOON, a_user, new_id
from tracker.domain.errors import NotFound
from tracker.domain.evaluation.models import Origin
from tracker.domain.evaluation.tasks import TaskKind
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import UserId
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)
NAMES = ["z", "a", "ä", "a-b", "a b", "_", "🎯", "\uffff", "é" * 255]


@pytest.fixture
async def other(units: UnitsOfWork) -> UserId:
    user = a_user()
    async with units.writing() as unit:
        await unit.users.add(user)
        await unit.commit()
    return user.id


class TestSecretRepository:
    """What every adapter of the secrets port keeps."""

    async def test_a_secret_comes_back_to_its_owner_only(self, units: UnitsOfWork, other: UserId) -> None:
        secret = a_secret(description='of "Ärzte"\n', updated_at=NOON + HOUR, updated_by=None)
        box = sealed(nonce=bytes(range(24)), ciphertext=b"\x00" * 8192, key_id="f" * 64)
        async with units.writing() as unit:
            assert await unit.evaluation_secrets.put(LOCAL_USER, secret, box)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.evaluation_secrets.list(LOCAL_USER) == (secret,)
            assert await unit.evaluation_secrets.sealed(LOCAL_USER, secret.name) == box
            assert await unit.evaluation_secrets.list(other) == ()
            assert await unit.evaluation_secrets.sealed(other, secret.name) is None
            assert await unit.evaluation_secrets.sealed(LOCAL_USER, "another") is None

    async def test_the_same_name_again_replaces_all_but_when_it_was_created(
        self, units: UnitsOfWork, other: UserId
    ) -> None:
        first, theirs = a_secret(), a_secret(description="theirs")
        later = a_secret(
            description="later", created_at=NOON + HOUR, updated_at=NOON + HOUR, updated_by=other
        )
        async with units.writing() as unit:
            assert await unit.evaluation_secrets.put(LOCAL_USER, first, sealed())
            assert await unit.evaluation_secrets.put(other, theirs, sealed())
            await unit.commit()
        async with units.writing() as unit:
            assert not await unit.evaluation_secrets.put(LOCAL_USER, later, sealed(key_id="b" * 16))
            await unit.commit()
        async with units.reading() as unit:
            kept = later.evolve(created_at=NOON, version=1)
            assert await unit.evaluation_secrets.list(LOCAL_USER) == (kept,)
            assert await unit.evaluation_secrets.sealed(LOCAL_USER, later.name) == sealed(key_id="b" * 16)
            assert await unit.evaluation_secrets.list(other) == (theirs,)

    async def test_a_list_is_by_code_point(self, units: UnitsOfWork) -> None:
        async with units.writing() as unit:
            for name in NAMES:
                await unit.evaluation_secrets.put(LOCAL_USER, a_secret(name), sealed(name))
            await unit.commit()
        async with units.reading() as unit:
            found = [secret.name for secret in await unit.evaluation_secrets.list(LOCAL_USER)]
        assert found == sorted(NAMES)

    async def test_a_deleted_one_is_gone(self, units: UnitsOfWork, other: UserId) -> None:
        async with units.writing() as unit:
            await unit.evaluation_secrets.put(LOCAL_USER, a_secret(), sealed())
            assert not await unit.evaluation_secrets.delete(other, "openai")
            assert await unit.evaluation_secrets.delete(LOCAL_USER, "openai")
            assert not await unit.evaluation_secrets.delete(LOCAL_USER, "openai")
            assert await unit.evaluation_secrets.list(LOCAL_USER) == ()

    async def test_they_go_with_their_owner_who_must_be_there(
        self, units: UnitsOfWork, other: UserId
    ) -> None:
        async with units.writing() as unit:
            with pytest.raises(NotFound):
                await unit.evaluation_secrets.put(UserId(new_id()), a_secret(), sealed())
        mine = a_secret(updated_by=other)
        async with units.writing() as unit:
            await unit.evaluation_secrets.put(other, a_secret(), sealed())
            await unit.evaluation_secrets.put(LOCAL_USER, mine, sealed())
            await unit.users.delete(other)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.evaluation_secrets.list(other) == ()
            assert await unit.evaluation_secrets.list(LOCAL_USER) == (mine.evolve(updated_by=None),)

    async def test_those_under_other_keys_are_resealed_unless_they_changed(
        self, units: UnitsOfWork, other: UserId
    ) -> None:
        old, new = sealed("a"), sealed("a", key_id="b" * 16, nonce=b"n" * 12)
        theirs = sealed("a", ciphertext=b"t" * 17)
        async with units.writing() as unit:
            await unit.evaluation_secrets.put(LOCAL_USER, a_secret("a"), old)
            await unit.evaluation_secrets.put(LOCAL_USER, a_secret("b"), sealed("b", key_id="b" * 16))
            await unit.evaluation_secrets.put(other, a_secret("a"), theirs)
            await unit.commit()
        async with units.writing() as unit:
            secrets = unit.evaluation_secrets
            found = await secrets.under_other_keys("b" * 16, 10)
            assert sorted(found, key=str) == sorted([(LOCAL_USER, old), (other, theirs)], key=str)
            assert len(await secrets.under_other_keys("b" * 16, 1)) == 1
            for stale in (
                old.evolve(nonce=b"x" * 12),
                old.evolve(ciphertext=bytes(17)),
                old.evolve(key_id="c" * 8),
            ):
                assert not await secrets.reseal(LOCAL_USER, stale, new)
            assert not await secrets.reseal(other, old, new)
            assert await secrets.reseal(LOCAL_USER, old, new)
            assert not await secrets.reseal(LOCAL_USER, old, new)
            assert await secrets.sealed(LOCAL_USER, "a") == new
            assert await secrets.under_other_keys("b" * 16, 10) == ((other, theirs),)
            assert (await secrets.list(LOCAL_USER))[0] == a_secret("a")


class TestModelRepository:
    """What every adapter of the port of added models keeps."""

    async def test_a_model_comes_back_as_it_was_until_another_of_its_key_replaces_it(
        self, units: UnitsOfWork
    ) -> None:
        plain = a_model()
        full = plain.evolve(
            model=plain.model.evolve(base_url="http://localhost:8000/v1"),
            display_name="Kleines \"🎯\"", website_url="https://example.org", description="x\n",
            tasks=(TaskKind.TRANSLATION, TaskKind.TEXT_GENERATION), requirements=("OPENAI_API_KEY",),
            info={"parameters": 7e9, "size": [1, None]}, defaults={"temperature": 0.0},
            input_price=0.1 + 0.2, output_price=0.0, origin=Origin.ADDED, hidden=True,
        )  # fmt: skip
        async with units.writing() as unit:
            assert await unit.catalogue_models.put(plain)
            assert await unit.catalogue_models.list() == (plain,)
            assert not await unit.catalogue_models.put(full)
            await unit.commit()
        async with units.writing() as unit:
            assert await unit.catalogue_models.list() == (full,)
            assert await unit.catalogue_models.delete(full.key)
            assert not await unit.catalogue_models.delete(full.key)
            assert await unit.catalogue_models.list() == ()

    async def test_a_list_is_by_provider_and_name_by_code_point(self, units: UnitsOfWork) -> None:
        keys = [("openai", "b"), ("openai", "B"), ("openai", "ä"), ("open-ai", "z"), ("hf", "🎯" * 500)]
        async with units.writing() as unit:
            for provider, name in keys:
                assert await unit.catalogue_models.put(a_model(name, provider))
            await unit.commit()
        async with units.reading() as unit:
            assert [entry.key for entry in await unit.catalogue_models.list()] == sorted(keys)
