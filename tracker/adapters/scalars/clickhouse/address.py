"""What the URL of a ClickHouse database says."""

from __future__ import annotations

import re
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from tracker.domain.errors import Invalid

__all__ = ["Address"]

_DATABASE = "tracker"
# Without a session a server lets many clients be busy at once.
_OPTIONS = {"autogenerate_session_id": "false", "connect_timeout": "5", "send_receive_timeout": "60"}
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Address(NamedTuple):
    """Where the tables are.

    Attributes:
        dsn: what the client connects to, without the database, which need not exist yet.
        database: in which the tables are.
        place: for messages; holds no password.
    """

    dsn: str
    database: str
    place: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads ``clickhouse://user:password@host:8123/database?secure=true``, or for the embedded
        engine ``chdb:///folder?database=name``. The database is ``tracker`` unless named.

        Raises:
            Invalid: it is no such URL; the message does not repeat it.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        database = options.pop("database", "")
        match parts.scheme:
            case "chdb" if parts.path.strip("/") and not parts.netloc:
                folder, place = parts.path, f"the folder {parts.path}"
            case "clickhouse" | "clickhouses" if parts.hostname:
                database, folder = unquote(parts.path.strip("/")) or database, ""
                place = parts.hostname
                options = {**_OPTIONS, **options}
                if parts.scheme == "clickhouses":
                    options["interface"] = "https"
            case _:
                raise Invalid.field(
                    "scalars_url", "must be like clickhouse://user:password@host:8123/database"
                )
        database = database or _DATABASE
        if not _IDENTIFIER.fullmatch(database):
            raise Invalid.field("scalars_url", "the name of the database must be a plain identifier")
        scheme = parts.scheme.removesuffix("s")
        dsn = urlunsplit((scheme, parts.netloc, folder, urlencode(options), ""))
        return cls(dsn, database, place)
