"""The log tells who did what; a change to it is found, and with a head kept elsewhere also a cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.service.identity.conftest import ADDRESS, PASSWORD, ROOT, Office
from tracker.domain.errors import BadCredentials, Forbidden, Invalid, NotFound
from tracker.domain.identity.actions import Action
from tracker.domain.identity.audit.entry import GENESIS, AuditEntry, Event, Outcome, broken_links
from tracker.domain.identity.roles import Role

Damage = Callable[[dict[int, AuditEntry]], None]


async def some_history(office: Office) -> None:
    ada = await office.person("ada")
    project = await office.project(ada)
    for n in range(4):
        await office.projects.edit(ada, project.id, name=f"p{n}")


def event_of(entry: AuditEntry) -> Event:
    return Event(**{name: getattr(entry, name) for name in Event.model_fields})


def edited(log: dict[int, AuditEntry]) -> None:
    log[3] = log[3].evolve(user_id=ROOT.user_id)


def edited_with_a_new_digest(log: dict[int, AuditEntry]) -> None:
    log[3] = AuditEntry.after(log[2], event_of(log[3]).evolve(what="nothing"))


def deleted(log: dict[int, AuditEntry]) -> None:
    del log[3]


def first_deleted(log: dict[int, AuditEntry]) -> None:
    del log[1]


def swapped(log: dict[int, AuditEntry]) -> None:
    log[2], log[3] = log[3].evolve(number=2), log[2].evolve(number=3)


def renumbered(log: dict[int, AuditEntry]) -> None:
    last = max(log)
    for number in range(3, last):
        log[number] = log[number + 1].evolve(number=number)
    del log[last]


def cut(log: dict[int, AuditEntry]) -> None:
    del log[max(log)]


def emptied(log: dict[int, AuditEntry]) -> None:
    log.clear()


def written_anew(log: dict[int, AuditEntry]) -> None:
    entries, last = [log[number] for number in sorted(log)], None
    for entry in entries:
        last = log[entry.number] = AuditEntry.after(last, event_of(entry).evolve(origin="forged"))


@pytest.mark.parametrize(
    "damage", [edited, edited_with_a_new_digest, deleted, first_deleted, swapped, renumbered]
)
async def test_what_was_changed_inside_is_found(office: Office, damage: Damage) -> None:
    await some_history(office)
    assert (await office.audit.verify(ROOT)).problems == ()
    damage(office.units._committed.state.audit)
    assert (await office.audit.verify(ROOT)).problems


@pytest.mark.parametrize("damage", [cut, emptied, written_anew])
async def test_what_the_chain_alone_cannot_show_is_found_by_the_head(office: Office, damage: Damage) -> None:
    await some_history(office)
    head = (await office.audit.verify(ROOT)).head
    damage(office.units._committed.state.audit)
    assert (await office.audit.verify(ROOT)).problems == ()
    assert "cut off or written anew" in (await office.audit.verify(ROOT, head)).problems[0]


async def test_a_head_stays_good_while_the_log_grows(office: Office) -> None:
    heads = [(await office.audit.verify(ROOT)).head]
    for name in ("first", "second"):
        await office.user(name)
        heads.append((await office.audit.verify(ROOT)).head)
    assert heads[0] == f"0:{GENESIS.hex()}"
    for head in heads:
        assert (await office.audit.verify(ROOT, head)).problems == ()
    assert (await office.audit.verify(ROOT, "1:" + "0" * 64)).problems
    for wrong in ("", "x", "1:zz"):
        with pytest.raises(Invalid):
            await office.audit.verify(ROOT, wrong)


async def test_entries_added_at_once_make_one_chain(office: Office) -> None:
    await asyncio.gather(*(office.audit.note_refusal(ROOT, "request", "POST", f"/{n}") for n in range(30)))
    entries = await office.log()
    assert [entry.number for entry in entries] == list(range(1, 31))
    assert list(broken_links(entries)) == []


async def test_refused_logins_are_told_without_what_was_typed(office: Office) -> None:
    await office.user("ada")
    for email in ("ada@example.org", "stranger@example.org"):
        with pytest.raises(BadCredentials):
            await office.sessions.login(email, "hunter2hunter2", address=ADDRESS)
    refused = [entry for entry in await office.log() if entry.outcome is Outcome.REFUSED]
    assert [entry.what for entry in refused] == ["session.login"] * 2
    assert {entry.origin for entry in refused} == {ADDRESS}
    told = repr(await office.log())
    assert "hunter2" not in told and "stranger@" not in told and PASSWORD not in told


async def test_owners_read_their_own_part_and_administrators_all(office: Office) -> None:
    team, owner, members = await office.team(await office.person("owner"), admin=Role.ADMIN)
    project = await office.project(owner, team_id=team.id)
    eve = await office.person("eve")
    assert {e.project_id for e in await office.audit.read(owner, project_id=project.id)} == {project.id}
    assert "project.create" in [e.what for e in await office.audit.read(owner, team_id=team.id)]
    for place in ({"project_id": project.id}, {"team_id": team.id}):
        with pytest.raises(Forbidden):
            await office.audit.read(members["admin"], **place)
        with pytest.raises(NotFound):
            await office.audit.read(eve, **place)
    for actor in (owner, eve):
        with pytest.raises(Forbidden):
            await office.audit.read(actor)
        with pytest.raises(Forbidden):
            await office.audit.verify(actor)


async def test_what_a_token_does_is_told_with_the_token(office: Office) -> None:
    ada = await office.person("ada")
    token = await office.bearer(ada, Action.PROJECTS_CREATE, Action.PROJECT_VIEW)
    await office.project(token)
    last = (await office.log())[-1]
    assert (last.user_id, last.api_token_id) == (ada.user_id, token.api_token_id)
