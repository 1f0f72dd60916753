"""Registering, logging in and out, and one-time codes."""

from __future__ import annotations

import logging
from typing import Any

from tracker.domain.errors import TrackerError, Unauthenticated
from tracker.domain.identity.accounts.service import AccountService
from tracker.domain.identity.recovery.service import RecoveryService
from tracker.domain.identity.sessions.service import SessionService
from tracker.domain.identity.sign_in.service import SignInService

from ..exchange import Call, Cookie
from ..schemas.answers import NoQuery
from ..schemas.auth import CallbackQuery, LoginForm, NewPassword, Register, ResetRequest, SetUp, TokenOut
from ..schemas.users import UserOut, user_out

__all__ = ["Auth", "SignIn"]

_log = logging.getLogger("tracker.http")

_COOKIE = "tracker_sign_in"
_COOKIE_PATH = "/api/auth/oidc"
_SECONDS = 600


def _token(text: str) -> TokenOut:
    return {"access_token": text, "token_type": "bearer"}


class Auth:
    """``/api/auth``."""

    def __init__(self, accounts: AccountService, sessions: SessionService, recovery: RecoveryService) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._recovery = recovery

    async def register(self, call: Call[Register, NoQuery]) -> UserOut:
        """An account for oneself."""
        body = call.body
        user = await self._accounts.register(
            body.email, body.password, display_name=body.display_name, address=call.address
        )
        return user_out(user)

    async def login(self, call: Call[LoginForm, NoQuery]) -> TokenOut:
        """A session token."""
        call.headers["Cache-Control"] = "no-store"
        return _token(
            await self._sessions.login(call.body.username, call.body.password, address=call.address)
        )

    async def logout(self, call: Call[None, NoQuery]) -> None:
        """Ends the session; on a laptop there is none."""
        if call.bearer is not None:
            await self._sessions.logout(call.actor, call.bearer)

    async def forgot_password(self, call: Call[ResetRequest, NoQuery]) -> None:
        """Answers before it looks whether there is such an account."""
        email, address = call.body.email, call.address
        await self._recovery.count_request(email, address=address)

        async def send() -> None:
            try:
                await self._recovery.send_letter(email, address=address)
            except TrackerError as error:
                _log.warning("a letter could not be sent: %s", error.detail)

        call.afterwards = send

    async def reset_password(self, call: Call[NewPassword, NoQuery]) -> None:
        """A new password."""
        await self._recovery.reset(call.body.token, call.body.password, address=call.address)

    async def set_up(self, call: Call[SetUp, NoQuery]) -> UserOut:
        """The first administrator."""
        body = call.body
        user = await self._recovery.set_up(
            body.code, body.email, body.password, display_name=body.display_name, address=call.address
        )
        return user_out(user)


class SignIn:
    """``/api/auth/oidc``.

    Args:
        sign_in: the use cases.
        secure: whether people reach the server by https, so that its cookie may travel by nothing else.
    """

    def __init__(self, sign_in: SignInService, *, secure: bool) -> None:
        self._sign_in = sign_in
        self._secure = secure

    async def begin(self, call: Call[None, NoQuery]) -> None:
        """Sends the browser away, with what it must bring back in a cookie that no script reads."""
        url, carried = await self._sign_in.begin()
        call.headers |= {"Location": url, "Cache-Control": "no-store"}
        call.cookie = self._cookie(carried, _SECONDS)

    async def finish(self, call: Call[None, CallbackQuery]) -> TokenOut:
        """A session token for who came back."""
        query: Any = call.query
        call.headers["Cache-Control"] = "no-store"
        call.cookie = self._cookie("", 0)
        carried = call.cookies.get(_COOKIE)
        if query.error is not None:
            raise Unauthenticated("the identity provider let nobody in; begin again")
        if not (query.code and query.state and carried):
            raise Unauthenticated("the sign-in was not begun in this browser; begin again")
        return _token(await self._sign_in.finish(query.code, query.state, carried, address=call.address))

    def _cookie(self, value: str, seconds: int) -> Cookie:
        return Cookie(_COOKIE, value, _COOKIE_PATH, seconds, self._secure)
