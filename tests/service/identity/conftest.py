"""An installation with accounts in memory, put together as the container does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.doubles import OutBox, QuickPasswords, SettableClock, Vouching
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.security.secret_source import SystemSecrets
from tracker.adapters.security.signed_tokens import JwtSignedTokens
from tracker.adapters.security.signing_keys import KeyFile
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.identity.accounts.service import AccountService
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actions import parse_actions
from tracker.domain.identity.actor import Actor, local_actor
from tracker.domain.identity.attempts.service import AttemptService
from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.identity.audit.service import AuditService
from tracker.domain.identity.callers.service import CallerService
from tracker.domain.identity.permissions.service import PermissionService
from tracker.domain.identity.recovery.service import RecoveryService
from tracker.domain.identity.roles import Role
from tracker.domain.identity.rules import IdentityRules
from tracker.domain.identity.sessions.service import SessionService
from tracker.domain.identity.sign_in.external import parse_group_roles
from tracker.domain.identity.sign_in.service import SignInService
from tracker.domain.identity.teams.service import TeamService
from tracker.domain.identity.teams.team import Team
from tracker.domain.identity.tokens.service import ApiTokenService
from tracker.domain.projects.ownership.service import OwnershipService
from tracker.domain.projects.project import Project
from tracker.domain.projects.service import ProjectService

PASSWORD = "correct horse battery"
ADDRESS = "192.0.2.1"
ROOT = local_actor("shell")
RULES = IdentityRules(
    public_url="https://tracker.example", group_roles=parse_group_roles("ml=Research:member")
)


async def _nothing_to_purge() -> None:
    """The scalars of a deleted project have suites of their own."""


@dataclass
class Office:
    """One installation with accounts."""

    keys: KeyFile
    units: MemoryUnitsOfWork = field(default_factory=MemoryUnitsOfWork)
    clock: SettableClock = field(default_factory=SettableClock)
    passwords: QuickPasswords = field(default_factory=QuickPasswords)
    mail: OutBox = field(default_factory=OutBox)
    provider: Vouching = field(default_factory=Vouching)
    rules: IdentityRules = RULES

    def __post_init__(self) -> None:
        units, clock, ids = self.units, self.clock, UuidV7Generator()
        self.keys.ensure(clock.now())
        tokens, secrets = JwtSignedTokens(self.keys), SystemSecrets()
        self.attempts = AttemptService(units, clock)
        shared = {"passwords": self.passwords, "attempts": self.attempts, "rules": self.rules}
        self.accounts = AccountService(units, clock, ids, **shared)
        self.sessions = SessionService(units, clock, ids, tokens=tokens, **shared)
        self.callers = CallerService(units, clock, tokens)
        self.recovery = RecoveryService(units, clock, ids, secrets=secrets, mailer=self.mail, **shared)
        self.sign_in = SignInService(
            units, clock, ids,
            provider=lambda: self.provider, tokens=tokens, sessions=self.sessions, rules=self.rules,
        )  # fmt: skip
        self.tokens = ApiTokenService(units, clock, ids, secrets)
        self.teams = TeamService(units, clock, ids)
        self.permissions = PermissionService(units, clock, ids)
        self.audit = AuditService(units, clock)
        self.projects = ProjectService(units, clock, ids, _nothing_to_purge)
        self.ownership = OwnershipService(units, clock, ids, _nothing_to_purge)

    async def user(self, name: str, **fields: bool) -> User:
        """A user called `name`, with the password of everybody."""
        return await self.accounts.create(ROOT, f"{name}@example.org", PASSWORD, **fields)

    async def as_actor(self, user: User) -> Actor:
        """The user as a request of theirs would show them now."""
        token = await self.sessions.open(user, address=ADDRESS, how="test")
        return (await self.callers.identify(token, address=ADDRESS)).actor

    async def person(self, name: str, **fields: bool) -> Actor:
        """A new user, as a request would show them."""
        return await self.as_actor(await self.user(name, **fields))

    async def again(self, actor: Actor) -> Actor:
        """The same person with what they were given meanwhile."""
        async with self.units.reading() as unit:
            return await self.as_actor(await unit.users.get(actor.user_id))

    async def bearer(self, actor: Actor, *scopes: str, days: int | None = None) -> Actor:
        """The actor's user with an API token of these scopes."""
        _, plain = await self.tokens.create(actor, "t", scopes=parse_actions(scopes), expires_in_days=days)
        return (await self.callers.identify(plain, address=ADDRESS)).actor

    async def team(self, owner: Actor, **members: Role) -> tuple[Team, Actor, dict[str, Actor]]:
        """A team; its owner and members as requests would show them now."""
        team = await self.teams.create(owner, "Research")
        found = {}
        for name, role in members.items():
            person = await self.person(name)
            await self.teams.add_member(ROOT, team.id, role, user_id=person.user_id)
            found[name] = await self.again(person)
        return team, await self.again(owner), found

    async def project(self, owner: Actor, **fields: object) -> Project:
        """A project of theirs."""
        return await self.projects.create(owner, name="digits", **fields)  # type: ignore[arg-type]

    async def log(self) -> list[AuditEntry]:
        """The whole audit log."""
        return list(await self.audit.read(ROOT, limit=1000))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(KeyFile(tmp_path / "signing-keys.json"))
