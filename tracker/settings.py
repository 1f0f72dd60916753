"""What can be set from outside. The only module that reads the environment.

Every setting is an environment variable, or a line of a ``.env`` file in the working folder; the
environment wins. They are listed, with their defaults, in :data:`VARIABLES`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Invalid
from tracker.domain.identity.rules import IdentityRules
from tracker.domain.identity.sign_in.external import GroupRole, parse_group_roles
from tracker.run_settings import RUN_SWITCHES, RUN_VARIABLES, RunSettings, rank_of_job

__all__ = ["VARIABLES", "Settings", "adopt", "environment", "job_variables", "read_env_file"]

VARIABLES: Mapping[str, str] = {
    "DATABASE_URL": "database_url",
    "TRACKER_DATA": "data",
    "TRACKER_SYNC": "scalars_sync",
    "SCALARS_URL": "scalars_url",
    "SCALARS_SERVICE_URL": "scalars_service_url",
    "CLICKHOUSE_URL": "clickhouse_url",
    "SCALARS_SERVICE_KEY": "scalars_service_key",
    "TRACKER_LOST_AFTER": "lost_after",
    "BLOBS_URL": "blobs_url",
    "AWS_ENDPOINT_URL": "aws_endpoint_url",
    "TRACKER_MAX_BLOB": "max_blob_bytes",
    "ALLOWED_ORIGINS": "allowed_origins",
    "TRACKER_MAX_BODY": "max_body_bytes",
    "TRACKER_BODY_SECONDS": "body_seconds",
    "TRACKER_LOG_FORMAT": "log_format",
    "TRACKER_LOG_LEVEL": "log_level",
    "TRACKER_TOKEN": "token",
    "XDG_CONFIG_HOME": "config_home",
    "TRACKER_AUTH": "auth",
    "TRACKER_REGISTRATION": "registration",
    "TRACKER_SESSION_HOURS": "session_hours",
    "TRACKER_PUBLIC_URL": "public_url",
    "TRACKER_TRUSTED_PROXIES": "trusted_proxies",
    "TRACKER_REQUESTS_PER_MINUTE": "requests_per_minute",
    "OIDC_ISSUER": "oidc_issuer",
    "OIDC_CLIENT_ID": "oidc_client_id",
    "OIDC_CLIENT_SECRET": "oidc_client_secret",
    "OIDC_GROUPS_CLAIM": "oidc_groups_claim",
    "OIDC_SCOPES": "oidc_scopes",
    "OIDC_TEAMS": "oidc_teams",
    "JOBS_RUNNER": "jobs_runner",
    "JOBS_SLOTS": "jobs_slots",
    "JOBS_MEMORY": "jobs_memory",
    "JOBS_TRUST_REMOTE_CODE": "jobs_trust_remote_code",
    "RAY_DASHBOARD_URL": "ray_dashboard_url",
    "RAY_TOKEN": "ray_token",
    "TRACKER_MAX_DATASET": "max_dataset_bytes",
    "DEPLOYMENT_TYPE": "deployment_type",
    **RUN_VARIABLES,
}
"""Environment variable -> field of :class:`Settings`."""

OTHER_NAMES: Mapping[str, str] = {"SQLALCHEMY_DATABASE_URL": "DATABASE_URL"}
"""Environment variable -> the one whose other name it is, as people know it elsewhere."""

DEFAULT_DATABASE = "sqlite:///./data.db"

_LISTS = frozenset({"allowed_origins", "trusted_proxies", "oidc_scopes", "tags"})
_NUMBERS = frozenset(
    {"body_seconds", "exit_seconds", "jobs_memory", "jobs_slots", "lost_after", "max_blob_bytes",
     "max_body_bytes", "max_dataset_bytes", "rank", "requests_per_minute", "resume_step", "session_hours"}
)  # fmt: skip
_SWITCHES = RUN_SWITCHES | {"jobs_trust_remote_code"}
_TRUE, _FALSE = frozenset({"on", "true", "yes", "1"}), frozenset({"off", "false", "no", "0"})

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def _exact_origin(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s*]+/?", text):
        raise PydanticCustomError(
            "origin", "must be exact web origins such as https://ui.example between commas, not '{text}'",
            {"text": text},
        )  # fmt: skip
    return text.rstrip("/")


WebOrigin = Annotated[str, AfterValidator(_exact_origin)]


class Settings(RunSettings):
    """One installation, and how runs start in it.

    Attributes:
        database_url: SQLAlchemy URL in any usual form; never logged, since it may hold a password.
        data: folder of scalars and other files.
        scalars_sync: ``full`` survives a power cut; ``normal`` only a crash of the process, faster.
        scalars_url: where scalars are kept; empty = in the data folder. Never logged: it may hold a
            password.
        scalars_service_url: address of a scalars service that keeps them instead.
        clickhouse_url: a ClickHouse database that keeps them instead; never logged.
        scalars_service_key: the key of such a service and its clients, ASCII without spaces; never logged.
        lost_after: seconds without a heartbeat after which a run that had one has failed as lost.
        blobs_url: where the bytes of artifacts are kept: ``s3://bucket/prefix``; empty = in the data folder.
        aws_endpoint_url: address of a server that speaks S3, if that is not Amazon's.
        max_blob_bytes: the largest upload of one file, in bytes.
        allowed_origins: exact web origins whose pages may call the API from a browser.
        max_body_bytes: the largest request body, in bytes.
        body_seconds: seconds for which a request body may be under way; then the request is dropped.
        log_format: ``auto`` = text on a terminal, JSON lines otherwise.
        log_level: what is logged from there on.
        token: bearer token that the library shows to a server; never logged.
        config_home: folder of one's own settings, in which ``tracker login`` keeps its tokens.
        auth: ``required`` = nobody gets in without credentials; a server that others can reach
            requires them in any case.
        registration: ``closed`` = strangers may not make themselves an account.
        session_hours: for how long a login holds.
        public_url: where people reach the server.
        trusted_proxies: addresses whose word on who connects is taken.
        requests_per_minute: how many one token or session may send to one server process.
        oidc_issuer: the address of an OpenID provider with which people sign in.
        oidc_client_id: of the client that is registered there.
        oidc_client_secret: of that client; never logged.
        oidc_groups_claim: the claim in which the provider names groups.
        oidc_scopes: what is asked of the provider.
        oidc_teams: what its groups mean: ``group=team:role`` pieces between commas.
        jobs_runner: what runs jobs of evaluations: processes of this machine, or a Ray cluster.
        jobs_slots: so many jobs run at once; without it, as many as there are processors.
        jobs_memory: bytes that the processes of one job may take together; without it, there is no limit.
        jobs_trust_remote_code: whether jobs with ``trust_remote_code`` may run the code that comes with a
            model of the provider ``hf``, as the user of the worker; whoever may make a job can run anything
            then.
        ray_dashboard_url: address of the dashboard of a Ray cluster.
        ray_token: that the cluster asks for; never logged.
        max_dataset_bytes: the largest upload of one dataset, in bytes.
        deployment_type: what kind of installation it says it is.
    """

    database_url: str = Field(default=DEFAULT_DATABASE, repr=False)
    data: Path = Path("data")
    scalars_sync: Literal["full", "normal"] = "full"
    scalars_url: str = Field(default="", repr=False)
    scalars_service_url: str = Field(default="", repr=False)
    clickhouse_url: str = Field(default="", repr=False)
    scalars_service_key: Annotated[str, Field(pattern=r"^[!-~]+$")] | None = Field(default=None, repr=False)
    lost_after: Annotated[int, Field(gt=0)] = 300
    blobs_url: Annotated[str, StringConstraints(pattern=r"^(s3://[^/\s]+(/\S*)?)?$")] = ""
    aws_endpoint_url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+(/\S*)?$")] | None = None
    max_blob_bytes: Annotated[int, Field(gt=0)] = 5 * 2**30
    allowed_origins: tuple[WebOrigin, ...] = ()
    max_body_bytes: Annotated[int, Field(gt=0)] = 8 * 2**20
    body_seconds: Annotated[int, Field(gt=0)] = 60
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    token: str | None = Field(default=None, repr=False)
    config_home: Path | None = None
    auth: Literal["local", "required"] = "local"
    registration: Literal["open", "closed"] = "open"
    session_hours: Annotated[int, Field(ge=1, le=8760)] = 168
    public_url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+(/\S*)?$")] | None = None
    trusted_proxies: tuple[str, ...] = ()
    requests_per_minute: Annotated[int, Field(gt=0)] = 60_000
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = Field(default=None, repr=False)
    oidc_groups_claim: str = "groups"
    oidc_scopes: tuple[str, ...] = ("openid", "email", "profile")
    oidc_teams: tuple[GroupRole, ...] = ()
    jobs_runner: Literal["local", "ray"] = "local"
    jobs_slots: Annotated[int, Field(ge=1, le=10_000)] | None = None
    jobs_memory: Annotated[int, Field(gt=0)] | None = None
    jobs_trust_remote_code: bool = False
    ray_dashboard_url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+(/\S*)?$")] | None = None
    ray_token: str | None = Field(default=None, repr=False)
    max_dataset_bytes: Annotated[int, Field(gt=0)] = 50_000_000
    deployment_type: Literal["local", "development", "staging", "production"] = "local"

    @classmethod
    def load(cls, data: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from the environment and ``.env``.

        Args:
            data: a folder to use instead of ``TRACKER_DATA``; unless ``DATABASE_URL`` is set, the
                database then is ``tracker.db`` inside it.
            environ: instead of the process's environment and ``.env``.

        Raises:
            Invalid: a variable's value cannot be used; names the variable.
        """
        given = {**read_env_file(Path(".env")), **os.environ} if environ is None else environ
        found = _by_own_names(given)
        values: dict[str, Any] = {
            field: found[name].strip() for name, field in VARIABLES.items() if found.get(name, "").strip()
        }
        if data is not None:
            values["data"] = str(data)
        if "data" in values:
            values["data"] = _path("TRACKER_DATA" if data is None else "data", values["data"])
        if "config_home" in values:
            values["config_home"] = Path(values["config_home"])
        if data is not None:
            values.setdefault("database_url", f"sqlite:///{values['data']}/tracker.db")
        values = _converted(values)
        values.setdefault("rank", rank_of_job(found))
        try:
            return cls(**values)
        except Invalid as error:
            raise Invalid(_with_variable(error), error.problems) from error

    def export(self) -> None:
        """Puts these settings into the process's environment, for the worker processes it starts."""
        os.environ.update(self.variables())

    def variables(self) -> dict[str, str]:
        """These settings as :meth:`load` reads them; some are secret."""
        found = {}
        for name, field in VARIABLES.items():
            value = getattr(self, field)
            if value is not None:
                found[name] = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        return found

    @property
    def identity_rules(self) -> IdentityRules:
        """What these settings decide about accounts."""
        return IdentityRules(
            registration_open=self.registration == "open",
            session_length=timedelta(hours=self.session_hours),
            public_url=self.public_url,
            group_roles=self.oidc_teams,
        )

    @property
    def credentials(self) -> Path | None:
        """The file of tokens for servers; ``None`` where nobody has a home."""
        home = self.config_home
        if home is None or not home.is_absolute():  # as the XDG Base Directory Specification has it
            try:
                home = Path.home() / ".config"
            except RuntimeError:
                return None
        return home / "tracker" / "credentials.json"

    @property
    def is_default_sqlite(self) -> bool:
        """Whether the database is SQLite, which may upgrade itself."""
        return self.database_url.startswith(("sqlite", ":memory:"))


def environment() -> dict[str, str]:
    """The process's environment as it is, for processes it starts and for what is captured of it."""
    return dict(os.environ)


def adopt(variables: Mapping[str, str]) -> None:
    """Sets variables that libraries read by themselves. What is set by a process that runs is in no list of
    processes, but is inherited by those that it starts."""
    os.environ.update(variables)


def job_variables() -> Mapping[str, str]:
    """What Slurm and Kubernetes tell the processes that they run, as far as there is any."""
    names = ("SLURM_JOB_ID", "SLURM_JOB_END_TIME", "KUBERNETES_SERVICE_HOST")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def read_env_file(path: Path) -> dict[str, str]:
    """The ``NAME=value`` lines of a file; none when it is not there. Quotes around a value and
    comments are left out; nothing is expanded."""
    try:
        # Editors of some systems begin a file with a mark; a stray byte spoils no more than its line.
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match:
            found[match[1]] = _unquoted(match[2].strip())
    return found


def _by_own_names(given: Mapping[str, str]) -> Mapping[str, str]:
    """Variables by the names that they have here."""
    found = dict(given)
    for other, name in OTHER_NAMES.items():
        value, own = given.get(other, "").strip(), given.get(name, "").strip()
        if value and own and value != own:
            raise Invalid.field(name, f"differs from {other}, which is another name of it; set one of them")
        if value:
            found[name] = value
    return found


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        return value[1:end] if end > 0 else value
    return value.split(" #", maxsplit=1)[0].rstrip()


def _converted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Texts of fields as what the fields hold; those that hold text are left as they are."""
    found = dict(values)
    for field in _LISTS & found.keys():
        items = found[field].split(",")
        found[field] = tuple(item.strip() for item in items if item.strip())
    for field in _NUMBERS & found.keys():
        found[field] = _whole_number(_variable(field), found[field])
    for field in _SWITCHES & found.keys():
        found[field] = _truth(_variable(field), found[field])
    if "run_key" in found:
        found["run_key"] = _uuid("TRACKER_RUN_KEY", found["run_key"])
    if "oidc_teams" in found:
        found["oidc_teams"] = parse_group_roles(found["oidc_teams"])
    return found


def _path(variable: str, text: str) -> Path:
    if "\x00" in text:
        raise Invalid.field(variable, "must not contain the NUL character")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~name of nobody
        raise Invalid.field(variable, f"{text!r} starts with the home folder of an unknown user") from error


def _whole_number(variable: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise Invalid.field(variable, f"{text!r} is not a whole number") from error


def _truth(variable: str, text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise Invalid.field(variable, f"{text!r} is neither on nor off")
    return text.lower() in _TRUE


def _uuid(variable: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid.field(variable, f"{text!r} is not a UUID") from error


def _with_variable(error: Invalid) -> str:
    problem = error.problems[0]
    return f"{_variable(str(problem.loc[0]))}: {problem.msg}"


def _variable(field: str) -> str:
    return next((name for name, its_field in VARIABLES.items() if its_field == field), field)
