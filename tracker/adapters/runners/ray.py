"""Runs workers as Ray Jobs, through the REST API of the cluster's dashboard.

Ray keeps one job for a submission id, however often it is submitted, and keeps it until it is deleted: so an
attempt has a submission id made of job and attempt, and nothing has to be remembered here. An attempt that is
killed before it came takes up its id with a job that does nothing. Of one that waits for room in the cluster
Ray cannot be told to let go, so that a second job, which does nothing either, says that it was killed; when
Ray at last begins it, Ray ends it at once, and the desk would not admit it anyway.

The cluster's Python needs the packages that tracker depends on. The code of tracker itself is uploaded.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx

from tracker.adapters.runners.handover import CONFIG_FILE, PROGRAM, WorkerConfig
from tracker.adapters.runners.packages import Package, package, tracker_package
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.jobs.deciding import Report, Sighting
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.ids import JobId
from tracker.trust import trust_for

__all__ = ["RayRunner"]

# A fixed text: Ray gives it to a shell. What an attempt is about is in the file.
_ENTRYPOINT = f"exec python -P -m tracker.worker {CONFIG_FILE}"
_NOTHING = "true"
_USER = re.compile(r"//[^/]*@")
_LAST_LINE = "tracker.worker ended: "
_REFUSED = 3  # the exit code
_SIGHT_SECONDS = 4.0
_TIMEOUT = httpx.Timeout(10.0, connect=2.0)
_UPLOAD_TIMEOUT = httpx.Timeout(60.0, connect=2.0)


class RayRunner:
    """A Ray cluster.

    Args:
        url: of its dashboard.
        desk_url: where its machines reach this installation's API.
        token: that the cluster asks for; never logged.
        cpus: that an attempt takes up of the cluster, which is what makes attempts wait for each other;
            0 = all begin at once, on the head.
        rules: by which workers keep their leases.
        program: what does an attempt, as ``module:function``.
    """

    def __init__(
        self,
        url: str,
        *,
        desk_url: str,
        token: str | None = None,
        cpus: float = 1.0,
        rules: Rules | None = None,
        program: str = PROGRAM,
    ) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        at = url.rstrip("/")
        self._url = _USER.sub("//", at, count=1)  # as it is told, in the events of jobs besides
        self._client = httpx.AsyncClient(base_url=at, headers=headers, timeout=_TIMEOUT, verify=trust_for(at))
        self._desk_url = desk_url
        self._cpus = cpus
        self._rules = rules or Rules()
        self._program = program

    async def start(self, errand: Errand) -> None:
        """Takes an attempt; see :class:`tracker.ports.evaluation.runner.JobRunner`."""
        name = _name(errand.job_id, errand.attempt)
        if await self._find(name) is not None:
            return
        config = WorkerConfig(
            errand=errand, desk_url=self._desk_url, rules=self._rules, program=self._program, output="stdout"
        )
        code = await asyncio.to_thread(tracker_package)
        files = package({CONFIG_FILE: config.to_bytes()})
        await self._upload(code)
        await self._upload(files)
        asked: dict[str, Any] = {
            "entrypoint": _ENTRYPOINT,
            "runtime_env": {"working_dir": files.uri, "py_modules": [code.uri]},
            "metadata": {"tracker_job": str(errand.job_id), "tracker_attempt": str(errand.attempt)},
        }
        if self._cpus:
            asked["entrypoint_num_cpus"] = self._cpus
        if errand.gpus:
            asked["entrypoint_num_gpus"] = errand.gpus
        if errand.memory_bytes is not None:
            asked["entrypoint_memory"] = errand.memory_bytes
        await self._submit(name, asked)

    async def sight(self, job_id: JobId, attempt: int) -> Report:
        """What is known of an attempt."""
        try:
            async with asyncio.timeout(_SIGHT_SECONDS):
                return await self._sight(_name(job_id, attempt))
        except TimeoutError:
            return Report(Sighting.UNREACHABLE, f"Ray at {self._url} does not answer")
        except Unavailable as error:
            return Report(Sighting.UNREACHABLE, error.detail)

    async def kill(self, job_id: JobId, attempt: int) -> None:
        """Ends it with all processes it started, or has it never begin."""
        name = _name(job_id, attempt)
        mark = {
            "entrypoint": _NOTHING,
            "metadata": {
                "tracker_job": str(job_id),
                "tracker_attempt": str(attempt),
                "tracker_killed": "yes",
            },
        }
        found = await self._find(name)
        if found is None:
            await self._submit(name, mark)
            found = await self._find(name) or {}
        if _was_killed(found) or found.get("status") in ("STOPPED", "SUCCEEDED", "FAILED"):
            return
        if found.get("status") == "PENDING":
            await self._submit(f"{name}-killed", mark)
        stopped = await self._ask("POST", f"/api/jobs/{name}/stop")
        if not stopped.is_success and stopped.status_code != httpx.codes.NOT_FOUND:
            raise _refusal(stopped)

    async def logs(self, job_id: JobId, attempt: int, *, most: int = 1_000_000) -> str:
        """The end of what its worker printed."""
        answer = await self._ask("GET", f"/api/jobs/{_name(job_id, attempt)}/logs")
        if answer.status_code == httpx.codes.NOT_FOUND or most <= 0:
            return ""
        if not answer.is_success:
            raise _refusal(answer)
        return str(_object(answer).get("logs") or "")[-most:]

    async def forget(self, job_id: JobId) -> None:
        """Lets go of what is kept of all attempts at a job; of a cluster that does not answer, nothing: it
        forgets when it goes down."""
        try:
            answer = await self._ask("GET", "/api/jobs/")
            if not answer.is_success:
                return
            for found in answer.json():
                name = str(found.get("submission_id"))
                if (found.get("metadata") or {}).get("tracker_job") == str(job_id):
                    await self._ask("DELETE", f"/api/jobs/{name}")
        except (Unavailable, ValueError):
            return

    async def known(self) -> frozenset[JobId]:
        """None: others may use the cluster as well, and it keeps nothing when it goes down."""
        return frozenset()

    async def check(self) -> None:
        """Returns when an attempt could be taken now."""
        answer = await self._ask("GET", "/api/version")
        if not answer.is_success:
            raise _refusal(answer)
        _object(answer)

    async def close(self) -> None:
        """Lets go of connections; attempts go on."""
        await self._client.aclose()

    async def _sight(self, name: str) -> Report:
        found = await self._find(name)
        if found is None:
            return Report(Sighting.UNKNOWN, "Ray does not have it")
        if _was_killed(found):
            return Report(Sighting.CRASHED, "it was killed before it began")
        message = str(found.get("message") or "")
        match found.get("status"):
            case "PENDING":
                if await self._find(f"{name}-killed") is not None:
                    return Report(Sighting.CRASHED, "it was killed before it began")
                return Report(Sighting.QUEUED, message or "Ray has no room for it yet")
            case "RUNNING":
                return Report(Sighting.ALIVE)
            case "SUCCEEDED":
                return Report(Sighting.FINISHED)
            case "STOPPED":
                return Report(Sighting.CRASHED, "it was killed as it was asked")
            case _:
                return _failed(message, found.get("driver_exit_code"))

    async def _find(self, name: str) -> dict[str, Any] | None:
        answer = await self._ask("GET", f"/api/jobs/{name}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise _refusal(answer)
        return _object(answer)

    async def _submit(self, name: str, asked: dict[str, Any]) -> None:
        """One of this name that is there stays as it is."""
        answer = await self._ask("POST", "/api/jobs/", json={"submission_id": name, **asked})
        # Ray says in words alone that it has one.
        if not answer.is_success and await self._find(name) is None:
            raise _refusal(answer)

    async def _upload(self, what: Package) -> None:
        path = f"/api/packages/gcs/{what.name}"
        if (await self._ask("GET", path)).is_success:  # which also keeps it for some minutes
            return
        answer = await self._ask("PUT", path, content=what.content, timeout=_UPLOAD_TIMEOUT)
        if not answer.is_success:
            raise _refusal(answer)

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise Unavailable(f"Ray at {self._url} does not answer: {why}") from error
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise Unavailable(f"Ray at {self._url} does not take RAY_TOKEN ({answer.status_code})")
        return answer


def _name(job_id: JobId, attempt: int) -> str:
    return f"tracker-{job_id}-{attempt}"


def _was_killed(found: dict[str, Any]) -> bool:
    return (found.get("metadata") or {}).get("tracker_killed") == "yes"


def _failed(message: str, exit_code: object) -> Report:
    """What a job that failed says of itself, in the last line that it printed."""
    _, told, last = message.rpartition(_LAST_LINE)
    if told:
        try:
            ending = json.JSONDecoder().raw_decode(last)[0]
            refused = ending["status"] == "refused" and exit_code in (None, _REFUSED)
            return Report(Sighting.REFUSED if refused else Sighting.CRASHED, str(ending["why"]))
        except (ValueError, KeyError, TypeError):
            pass
    # The text goes on with what was printed, which the log has.
    return Report(Sighting.CRASHED, message.partition(", last available logs")[0].strip()[:1000])


def _refusal(answer: httpx.Response) -> Unavailable:
    last = answer.text.strip().rpartition("\n")[2][:500]
    return Unavailable(f"Ray answers {answer.status_code} to {answer.request.url.path}: {last}")


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        place = answer.request.url.copy_with(userinfo=b"")
        raise Unavailable(f"what answers at {place} is no Ray dashboard")
    return found
