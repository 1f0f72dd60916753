"""Use cases of signing in at an identity provider."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from datetime import timedelta

from tracker.domain.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from tracker.domain.identity.accounts.user import User, normalized_email
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.roles import Role
from tracker.domain.identity.rules import IdentityRules
from tracker.domain.identity.sessions.service import SessionService
from tracker.domain.identity.sign_in.external import ExternalIdentity, roles_of_groups
from tracker.domain.identity.teams.team import TeamMember
from tracker.domain.ids import UserId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.secrets import SignedTokens
from tracker.ports.sign_in import IdentityProvider, SignInStart
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["SignInService"]

_log = logging.getLogger("tracker.identity")

_AUDIENCE = "sign-in"
_PATIENCE = timedelta(minutes=10)
_CALLBACK = "/api/auth/oidc/callback"


class SignInService:
    """Lets people in whom an OpenID provider vouches for, and gives them their teams.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names users.
        provider: gives the identity provider, made when it is first asked for.
        tokens: signs what the browser carries meanwhile.
        sessions: opens the session at the end.
        rules: of this installation.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        provider: Callable[[], IdentityProvider],
        tokens: SignedTokens,
        sessions: SessionService,
        rules: IdentityRules,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._provider = provider
        self._tokens = tokens
        self._sessions = sessions
        self._rules = rules
        self._used: IdentityProvider | None = None

    async def close(self) -> None:
        """Lets the provider's connections go, if there were any."""
        if self._used is not None:
            await self._used.aclose()

    async def begin(self) -> tuple[str, str]:
        """Where to send the browser, and what it must bring back, in a cookie that no script reads.

        Raises:
            Unavailable: no provider is configured, or it does not answer.
        """
        provider, redirect = self._configured()
        start = await provider.begin(redirect)
        claims = {"state": start.state, "verifier": start.verifier, "nonce": start.nonce}
        return start.url, self._tokens.sign(_AUDIENCE, claims, self._clock.now() + _PATIENCE)

    async def finish(self, code: str, state: str, carried: str, *, address: str) -> str:
        """A session token for who came back.

        Args:
            code: the provider's.
            state: as the provider gave it back.
            carried: what :meth:`begin` gave the browser.
            address: from where.

        Raises:
            Unauthenticated: the provider does not vouch for them, or the browser is another one.
            Forbidden: the account is not active, or they have none and registration is closed.
            Unavailable: no provider is configured, or it does not answer.
        """
        provider, redirect = self._configured()
        claims = self._tokens.read(_AUDIENCE, carried, self._clock.now())
        start = SignInStart("", str(claims["state"]), str(claims["verifier"]), str(claims["nonce"]))
        if not hmac.compare_digest(start.state.encode(), state.encode(errors="replace")):
            raise Unauthenticated("the sign-in was begun in another browser; begin again")
        identity = await provider.finish(redirect, code, start)
        user = await self._user(identity, address)
        if not user.is_active:
            raise Forbidden("this account is not active")
        await self._follow_groups(user, identity, address)
        return await self._sessions.open(user, address=address, how="oidc")

    def _configured(self) -> tuple[IdentityProvider, str]:
        if self._rules.public_url is None:
            raise Unavailable("sign-in needs TRACKER_PUBLIC_URL, to which the provider sends people back")
        self._used = self._provider()
        return self._used, self._rules.public_url.rstrip("/") + _CALLBACK

    async def _user(self, identity: ExternalIdentity, address: str) -> User:
        async with self._units.writing() as unit:
            await unit.lock(f"identity:{identity.issuer}:{identity.subject}")
            known = await unit.users.find_external(identity.issuer, identity.subject)
            if known is not None:
                return known
            user = await self._linked(unit, identity) or await self._made(unit, identity)
            await unit.users.link_external(identity.issuer, identity.subject, user.id)
            actor = Actor(user_id=user.id, origin=address)
            await record(
                unit, actor, "identity.link", "user", user.id, at=self._clock.now(), issuer=identity.issuer
            )
            await unit.commit()
        return user

    async def _linked(self, unit: WritingUnit, identity: ExternalIdentity) -> User | None:
        """The account that has this address, if the provider knows that the address is theirs."""
        if identity.email is None or not identity.email_verified:
            return None
        user = await unit.users.find_by_email(normalized_email(identity.email))
        if user is None or user.id == LOCAL_USER:
            return None
        if user.is_verified:
            return user
        # Anybody can have registered under the address, or moved an account to it. Whoever it was must
        # not stay in, nor come back: not by password, token, letter or another identity.
        now = self._clock.now()
        await unit.users.unlink_external(user.id)
        await unit.codes.forget(user.id)
        for token in await unit.api_tokens.of_user(user.id):
            await unit.api_tokens.save(token.revoked(now))
        return await unit.users.save(user.evolve(password_hash=None, is_verified=True, epoch=user.epoch + 1))

    async def _made(self, unit: WritingUnit, identity: ExternalIdentity) -> User:
        if not self._rules.registration_open:
            raise Forbidden("registration is closed; ask an administrator for an account")
        if identity.email is None:
            raise Forbidden("the identity provider does not tell an e-mail address")
        email = normalized_email(identity.email)
        if await unit.users.find_by_email(email) is not None:
            raise Forbidden("there is an account with this address, which the provider has not verified")
        try:
            user = User(
                id=UserId(self._ids.new()),
                email=email,
                display_name=(identity.name or email.partition("@")[0])[:100],
                is_verified=identity.email_verified,
                created_at=self._clock.now(),
            )
        except Invalid as error:
            raise Forbidden(f"the identity provider tells an unusable account: {error.detail}") from error
        await unit.users.add(user)
        return user

    async def _follow_groups(self, user: User, identity: ExternalIdentity, address: str) -> None:
        """Gives and takes places in the teams that the rules name; an owner stays one."""
        wanted = roles_of_groups(self._rules.group_roles, identity.groups)
        if not wanted:
            return
        now = self._clock.now()
        actor = Actor(user_id=user.id, origin=address)
        async with self._units.writing() as unit:
            present = {member.team_id: member for member in await unit.members.teams_of(user.id)}
            for name, role in wanted.items():
                team = next(iter(await unit.teams.list(name=name)), None)
                if team is None:
                    _log.warning("OIDC_TEAMS names the team %r, which does not exist", name)
                    continue
                member = present.get(team.id)
                if member is not None and member.role in (role, Role.OWNER):
                    continue
                if role is not None:
                    await unit.members.put(
                        TeamMember(team_id=team.id, user_id=user.id, role=role, added_at=now)
                    )
                elif member is not None:
                    await unit.members.remove(member)
                else:
                    continue
                await record(
                    unit, actor, "team.member.follow_group", "team", team.id, at=now, role=role and role.value
                )
            await unit.commit()
