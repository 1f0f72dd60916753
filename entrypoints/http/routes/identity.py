"""Routes of accounts, sessions, API tokens, teams, permissions and the audit log."""

from __future__ import annotations

from tracker.domain.identity.policy import Action

from ..api.access import Access
from ..api.api_tokens import ApiTokens
from ..api.audit import Audit
from ..api.auth import Auth, SignIn
from ..api.teams import Teams
from ..api.users import Users
from ..media import FORM, NDJSON
from ..route import Route, Scope
from ..schemas.access import (
    AccessQuery,
    ExplainQuery,
    ExplanationOut,
    GrantIn,
    GrantOut,
    HandOver,
    ProjectMemberEdit,
    ProjectMemberOut,
    ProjectMemberRemove,
)
from ..schemas.answers import DeletedOut
from ..schemas.api_tokens import ApiTokenCreate, ApiTokenEdit, ApiTokenMade, ApiTokenOut
from ..schemas.audit import AuditEntryOut, AuditQuery, AuditReportOut, VerifyQuery
from ..schemas.auth import CallbackQuery, LoginForm, NewPassword, Register, ResetRequest, SetUp, TokenOut
from ..schemas.projects import ProjectOut
from ..schemas.teams import MemberEdit, MemberIn, MemberOut, MemberRemove, TeamCreate, TeamEdit, TeamOut
from ..schemas.users import FateQuery, MeEdit, UserCreate, UserEdit, UserOut

__all__ = ["IDENTITY"]

_ADMIN = Scope.ADMINISTRATOR
_MANAGE = Action.TEAMS_MANAGE

IDENTITY: tuple[Route, ...] = (
    Route(
        "POST", "/api/auth/register", Auth, "register", None, Scope.PUBLIC,
        "Makes an account for oneself", UserOut, Register, status=201,
    ),
    Route(
        "POST", "/api/auth/jwt/login", Auth, "login", None, Scope.PUBLIC,
        "Logs in with e-mail and password", TokenOut, LoginForm, takes=(FORM,),
    ),
    Route(
        "POST", "/api/auth/jwt/logout", Auth, "logout", None, Scope.SIGNED_IN,
        "Ends the session for good", None, status=204, shows_credentials=True,
    ),
    Route(
        "POST", "/api/auth/forgot-password", Auth, "forgot_password", None, Scope.PUBLIC,
        "Sends a code for a new password, if there is such an account", None, ResetRequest, status=202,
    ),
    Route(
        "POST", "/api/auth/reset-password", Auth, "reset_password", None, Scope.PUBLIC,
        "Sets a new password with such a code", None, NewPassword,
    ),
    Route(
        "POST", "/api/auth/setup", Auth, "set_up", None, Scope.PUBLIC,
        "Makes the first administrator, with the code that the server printed", UserOut, SetUp, status=201,
    ),
    Route(
        "GET", "/api/auth/oidc/login", SignIn, "begin", None, Scope.PUBLIC,
        "Sends the browser to the identity provider", None, status=302,
    ),
    Route(
        "GET", "/api/auth/oidc/callback", SignIn, "finish", None, Scope.PUBLIC,
        "Takes back who signed in at the identity provider", TokenOut, query=CallbackQuery,
        shows_credentials=True,
    ),
    Route("GET", "/api/users/me", Users, "me", None, Scope.SELF, "Shows one's own account", UserOut),
    Route("GET", "/api/users/me/profile", Users, "me", None, Scope.SELF, "The same", UserOut),
    Route(
        "PATCH", "/api/users/me", Users, "edit_me", None, Scope.SELF,
        "Changes one's own account", UserOut, MeEdit,
    ),
    Route(
        "DELETE", "/api/users/me", Users, "delete_me", None, Scope.SELF,
        "Deletes one's own account; says what becomes of what one owns", DeletedOut, query=FateQuery,
    ),
    Route("GET", "/api/users", Users, "index", None, _ADMIN, "Lists users", list[UserOut]),
    Route(
        "POST", "/api/users", Users, "create", None, _ADMIN,
        "Makes a user", UserOut, UserCreate, status=201,
    ),
    Route("GET", "/api/users/{user_id}", Users, "show", None, _ADMIN, "Shows a user", UserOut),
    Route("PATCH", "/api/users/{user_id}", Users, "edit", None, _ADMIN, "Changes a user", UserOut, UserEdit),
    Route(
        "DELETE", "/api/users/{user_id}", Users, "delete", None, _ADMIN,
        "Deletes a user; says what becomes of what they own", DeletedOut, query=FateQuery,
    ),
    Route(
        "POST", "/api/api-tokens", ApiTokens, "create", None, Scope.SELF,
        "Makes an API token and shows it this once", ApiTokenMade, ApiTokenCreate, status=201,
    ),
    Route(
        "GET", "/api/api-tokens", ApiTokens, "index", None, Scope.SELF,
        "Lists one's own API tokens", list[ApiTokenOut],
    ),
    Route(
        "PATCH", "/api/api-tokens/{token_id}", ApiTokens, "edit", None, Scope.SELF,
        "Changes name, description, scopes or expiry", ApiTokenOut, ApiTokenEdit,
    ),
    Route(
        "DELETE", "/api/api-tokens/{token_id}", ApiTokens, "revoke", None, Scope.SELF,
        "Revokes an API token", DeletedOut,
    ),
    Route(
        "POST", "/api/teams", Teams, "create", _MANAGE, Scope.INSTALLATION,
        "Makes a team of one's own", TeamOut, TeamCreate, status=201,
    ),
    Route("GET", "/api/teams", Teams, "index", Action.TEAMS_VIEW, Scope.TEAM, "Lists teams", list[TeamOut]),
    Route(
        "GET", "/api/teams/{team_id}", Teams, "show", Action.TEAMS_VIEW, Scope.TEAM,
        "Shows a team", TeamOut,
    ),
    Route("PATCH", "/api/teams", Teams, "edit", _MANAGE, Scope.TEAM, "Changes a team", TeamOut, TeamEdit),
    Route(
        "DELETE", "/api/teams/{team_id}", Teams, "delete", Action.TEAMS_DELETE, Scope.TEAM,
        "Deletes a team; its projects stay with their owners", DeletedOut,
    ),
    Route(
        "GET", "/api/teams/{team_id}/members", Teams, "members", Action.TEAMS_VIEW, Scope.TEAM,
        "Lists who belongs to a team", list[MemberOut],
    ),
    Route(
        "POST", "/api/teams/members", Teams, "add_member", _MANAGE, Scope.TEAM,
        "Adds somebody to a team", MemberOut, MemberIn, status=201,
    ),
    Route(
        "PATCH", "/api/teams/members", Teams, "change_member", _MANAGE, Scope.TEAM,
        "Gives a member another role", MemberOut, MemberEdit,
    ),
    Route(
        "DELETE", "/api/teams/members", Teams, "remove_member", _MANAGE, Scope.TEAM,
        "Takes somebody out of a team; anybody may leave", DeletedOut, MemberRemove,
    ),
    Route(
        "POST", "/api/teams/{team_id}/transfer", Teams, "transfer", Action.TEAMS_DELETE, Scope.TEAM,
        "Makes another member the owner", list[MemberOut], HandOver,
    ),
    Route(
        "GET", "/api/projects/{project_id}/members", Access, "members", Action.PROJECT_VIEW, Scope.PROJECT,
        "Lists with whom a project is shared beside its team", list[ProjectMemberOut],
    ),
    Route(
        "PATCH", "/api/projects/{project_id}/members", Access, "share", _MANAGE, Scope.PROJECT,
        "Gives somebody a role on a project", ProjectMemberOut, ProjectMemberEdit,
    ),
    Route(
        "DELETE", "/api/projects/{project_id}/members", Access, "unshare", _MANAGE, Scope.PROJECT,
        "Takes somebody's role on a project away; anybody may leave", DeletedOut, ProjectMemberRemove,
    ),
    Route(
        "POST", "/api/projects/{project_id}/transfer", Access, "transfer",
        Action.PROJECT_DELETE, Scope.PROJECT,
        "Makes somebody else the owner of a project", ProjectOut, HandOver,
    ),
    Route(
        "POST", "/api/permissions", Access, "grant", _MANAGE, Scope.PLACE,
        "Allows or denies one action to one person", GrantOut, GrantIn, status=201,
    ),
    Route(
        "GET", "/api/permissions", Access, "grants", _MANAGE, Scope.PLACE,
        "Lists what is allowed and denied on a project or in a team", list[GrantOut], query=AccessQuery,
    ),
    Route(
        "DELETE", "/api/permissions/{grant_id}", Access, "withdraw", _MANAGE, Scope.PLACE,
        "Withdraws a permission or a denial", DeletedOut,
    ),
    Route(
        "GET", "/api/permissions/explain", Access, "explain", Action.PROJECT_VIEW, Scope.PLACE,
        "Says whether somebody may do something, and why", ExplanationOut, query=ExplainQuery,
    ),
    Route(
        "GET", "/api/audit", Audit, "read", _MANAGE, Scope.OWNER,
        "Lists who did what on a project, in a team or at all", list[AuditEntryOut], query=AuditQuery,
    ),
    Route(
        "GET", "/api/audit/export", Audit, "export", _MANAGE, Scope.OWNER,
        "The same as JSON lines", str, query=AuditQuery, media=NDJSON,
    ),
    Route(
        "GET", "/api/audit/verify", Audit, "verify", _MANAGE, Scope.ADMINISTRATOR,
        "Checks the chain of the whole log", AuditReportOut, query=VerifyQuery,
    ),
)  # fmt: skip
