"""A scalars service that somebody else might have written: the contract's routes and nothing more."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import falcon.asgi
import msgpack

Row = tuple[datetime, dict[str, Any]]


class Projects:
    """Rows in lists, by project and experiment."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, list[Row]]] = {}

    def of(self, project_id: str) -> dict[str, list[Row]]:
        if project_id not in self.rows:
            raise falcon.HTTPNotFound(description="no such project")
        return self.rows[project_id]

    async def on_post(self, req, resp) -> None:
        project_id = (await req.get_media())["project_id"]
        self.rows.setdefault(project_id, defaultdict(list))
        resp.media = {"table_name": f"t_{project_id}", "project_id": project_id}

    async def on_delete(self, req, resp, project_id: str) -> None:
        self.of(project_id)
        del self.rows[project_id]
        resp.media = {"message": "gone"}

    async def on_get_exists(self, req, resp, project_id: str) -> None:
        exists = project_id in self.rows
        resp.media = {"table_name": f"t_{project_id}", "project_id": project_id, "exists": exists}

    async def on_get_experiments(self, req, resp, project_id: str) -> None:
        resp.media = [{"experiment_id": key} for key in self.of(project_id)]

    async def on_post_batch(self, req, resp, project_id: str, experiment_id: str) -> None:
        for row in (await req.get_media())["scalars"]:
            if set(row) - {"scalars", "step", "tags"}:
                raise falcon.HTTPUnprocessableEntity(description="unknown field")
            self.of(project_id)[experiment_id].append((datetime.now(UTC), row))
        self.of(project_id)
        resp.media = {"status": "logged"}

    async def on_get_curves(self, req, resp, project_id: str) -> None:
        assert req.get_param("sampling") in ("reservoir", "uniform", "all")
        kept = self.of(project_id)
        asked = req.get_param_as_list("experiment_id") or list(kept)
        resp.media = {"data": [_curves(key, kept[key], req) for key in asked if key in kept]}

    async def on_post_last_logged(self, req, resp, project_id: str) -> None:
        resp.media = {
            "data": [
                {"experiment_id": key, "last_modified": max(at for at, _ in kept).isoformat()}
                for key, kept in self.of(project_id).items()
                if kept
            ]
        }


def _curves(experiment_id: str, rows: list[Row], req) -> dict[str, Any]:
    start, stop = req.get_param("start_time"), req.get_param("end_time")
    found: dict[str, Any] = defaultdict(lambda: {"x": [], "y": []})
    tags = []
    for at, row in rows:
        if (start and at < datetime.fromisoformat(start)) or (stop and at > datetime.fromisoformat(stop)):
            continue
        for name, value in row["scalars"].items():
            found[name]["x"].append(row["step"])
            found[name]["y"].append(_json(value))
        if row.get("tags"):
            tags.append({"step": row["step"], "scalar_names": list(row["scalars"]), "tags": row["tags"]})
    shown = {"experiment_id": experiment_id, "scalars": dict(found)}
    return {**shown, "tags": tags} if req.get_param_as_bool("return_tags") else shown


def _json(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


class Msgpack(falcon.media.BaseHandler):
    async def serialize_async(self, media, content_type):
        return msgpack.packb(media)

    async def deserialize_async(self, stream, content_type, content_length):
        return msgpack.unpackb(await stream.read())


def contract_only_app() -> falcon.asgi.App:
    """The application."""
    app = falcon.asgi.App()
    app.req_options.media_handlers["application/msgpack"] = Msgpack()
    app.req_options.auto_parse_qs_csv = False
    projects = Projects()
    app.add_route("/api/projects", projects)
    app.add_route("/api/projects/{project_id}", projects)
    app.add_route("/api/projects/exists/{project_id}", projects, suffix="exists")
    app.add_route("/api/projects/experiments/{project_id}", projects, suffix="experiments")
    app.add_route("/api/scalars/log_batch/{project_id}/{experiment_id}", projects, suffix="batch")
    app.add_route("/api/scalars/get/{project_id}", projects, suffix="curves")
    app.add_route("/api/scalars/last_logged/{project_id}", projects, suffix="last_logged")
    return app


class Protocol:
    """What our service said of itself before it had branches."""

    async def on_get(self, req, resp) -> None:
        resp.content_type = "application/msgpack"
        resp.data = msgpack.packb({"protocol": "tracker-store", "version": 1})


def older_app() -> Any:
    """A service of ours of an earlier version, as far as it is asked here."""
    app = falcon.asgi.App()
    app.add_route("/api/store", Protocol())
    return app
