"""What the URL of a ClickHouse database says."""

from __future__ import annotations

import re
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tracker.domain.errors import Invalid

__all__ = ["Address"]

_DATABASE = "tracker"
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SCHEMES = {"clickhouse": False, "clickhouses": True}  # and whether it is TLS
# Without a session a server lets many clients be busy at once.
_OPTIONS = {"autogenerate_session_id": "false", "connect_timeout": "5", "send_receive_timeout": "60"}
_MAY_BE_GIVEN = {"connect_timeout", "send_receive_timeout", "compress", "verify", "ca_cert"}


class Address(NamedTuple):
    """Where the tables are.

    Attributes:
        dsn: what the client connects to, without the database, which need not exist yet.
        secure: whether by TLS.
        database: in which the tables are.
        place: for messages; holds no password.
    """

    dsn: str
    secure: bool
    database: str
    place: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads ``clickhouse://user:password@host:8123/database``, ``clickhouses://`` for TLS, or for the
        embedded engine ``chdb:///folder?database=name``. The database is ``tracker`` unless named.

        Raises:
            Invalid: it is no such URL; the message does not repeat it.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        database = options.pop("database", "")
        secure = options.pop("secure", "") == "true" or _SCHEMES.get(parts.scheme, False)
        if unknown := options.keys() - _MAY_BE_GIVEN:
            raise Invalid.field("SCALARS_URL", f"has no option {min(unknown)}")
        if parts.scheme == "chdb" and parts.path.strip("/") and not parts.netloc:
            dsn, place = f"chdb://{parts.path}", f"the folder {parts.path}"
        elif parts.scheme in _SCHEMES and parts.hostname:
            database = unquote(parts.path.strip("/")) or database
            dsn, place = f"clickhouse://{parts.netloc}?{urlencode({**_OPTIONS, **options})}", parts.hostname
        else:
            raise Invalid.field("SCALARS_URL", "must be like clickhouse://user:password@host:8123/database")
        database = database or _DATABASE
        if not _IDENTIFIER.fullmatch(database):
            raise Invalid.field("SCALARS_URL", "the name of the database must be a plain identifier")
        return cls(dsn, secure, database, place)
