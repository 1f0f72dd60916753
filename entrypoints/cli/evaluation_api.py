"""How commands of evaluation reach datasets, jobs and workflows: by the HTTP API, of a server or in process.

One code for both: over a folder, requests go straight into the application, without a socket.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click
import httpx

from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.identity.actor import local_actor
from tracker.trust import trust_for

from .lazy import quick_imports
from .target import Target, on_target

if TYPE_CHECKING:
    from tracker.container import Container

__all__ = ["EvaluationApi", "with_evaluation"]

_Answer = TypeVar("_Answer")
_ROOT = "http://127.0.0.1"
_V1 = "/api/v1"
_SECONDS = httpx.Timeout(30, read=600)  # an upload is answered when all of it is checked


class EvaluationApi:
    """Asks ``/api/v1`` and raises what refusals mean; a context manager.

    Args:
        target: a folder or a server.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._loop = asyncio.Runner()
        self._container: Container | None = None
        self._http: httpx.AsyncClient | None = None

    def __enter__(self) -> Self:
        """Opens the folder, or a pool of connections."""
        try:
            self._run(self._open)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Closes it."""
        try:
            self._loop.run(self._close())
        finally:
            self._loop.close()

    @property
    def is_folder(self) -> bool:
        """Whether jobs go on only while somebody here looks after them."""
        return self._container is not None

    def get(self, path: str, **query: Any) -> Any:
        """The answer to GET, without query fields that are ``None``."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._answer("GET", path, params=given)

    def pages(self, path: str, limit: int, **query: Any) -> list[Any]:
        """The first `limit` items of a listing."""
        found: list[Any] = []
        while len(found) < limit:
            page = self.get(path, skip=len(found), limit=min(1000, limit - len(found)), **query)
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                break
        return found

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to POST; fields that are ``None`` are left out."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        return self._answer("POST", path, json=given)

    def put(self, path: str, body: Mapping[str, Any]) -> bool:
        """Puts something; whether it is new."""
        return self._send("PUT", path, json=body).status_code == httpx.codes.CREATED

    def delete(self, path: str, **query: Any) -> httpx.Headers:
        """Removes something; the headers of the answer."""
        return self._send("DELETE", path, params=query).headers

    def upload(self, file: Path, project_id: str | None = None) -> Any:
        """The dataset of a file, which is read as it is sent.

        Raises:
            Invalid: it cannot be read.
        """
        try:
            with file.open("rb") as opened:
                data = {"format": "job"} | ({} if project_id is None else {"project_id": project_id})
                return self._answer("POST", "/datasets/", files={"dataset": (file.name, opened)}, data=data)
        except OSError as error:
            raise Invalid.field("dataset", f"{file} cannot be read: {error.strerror}") from error

    def fetch(self, url: str) -> Any:
        """The JSON that one of the API's URLs leads to."""
        return self._loaded(self._send("GET", url))

    def download(self, url: str, to: Path) -> None:
        """Writes what one of the API's URLs leads to into a file."""
        self._run(functools.partial(self._downloaded, url, to))

    def look(self) -> None:
        """Looks after jobs and workflows once, in a folder; a server does it by itself."""
        if self._container is not None:
            self._run(self._container.overseer().look)

    def rotate_secrets(self) -> Any:
        """Seals all secrets of the folder by a new key."""
        if self._container is None:
            raise click.UsageError("this command works on a folder: leave out --url (and TRACKER_URL)")
        service = self._container.evaluation_secrets()
        return self._run(functools.partial(service.rotate, local_actor("shell")))

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        return self._loaded(self._send(method, path, **more))

    def _loaded(self, answer: httpx.Response) -> Any:
        try:
            return json.loads(answer.content)
        except ValueError as error:
            raise Unavailable(f"{answer.url} answers something that is not JSON") from error

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._run(functools.partial(self._sent, method, path, **more))

    async def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        from tracker.remote_client import error_of  # noqa: PLC0415  (late, with the rest)

        if self._http is None:
            raise RuntimeError("it is not opened")
        address = path if path.startswith("http") else f"{_V1}{path}"
        try:
            answer = await self._http.request(method, address, **more)
        except httpx.HTTPError as error:
            raise Unavailable(f"the server does not answer: {error or type(error).__name__}") from error
        if not answer.is_success:
            raise error_of(answer)
        return answer

    async def _downloaded(self, url: str, to: Path) -> None:
        from tracker.remote_client import error_of  # noqa: PLC0415

        if self._http is None:
            raise RuntimeError("it is not opened")
        try:
            async with self._http.stream("GET", url) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise error_of(answer)
                with to.open("wb") as file:
                    async for chunk in answer.aiter_bytes():
                        file.write(chunk)
        except httpx.HTTPError as error:
            raise Unavailable(f"the server does not answer: {error or type(error).__name__}") from error

    async def _open(self) -> None:
        with quick_imports():
            from tracker.container import build, start  # noqa: PLC0415  (late: commands start quickly)
            from tracker.opening import token_for  # noqa: PLC0415

            from ..http.app import create_app  # noqa: PLC0415
        if self._target.url is not None:
            token = self._target.token or token_for(self._target.url)
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            try:
                self._http = httpx.AsyncClient(
                    base_url=self._target.url.rstrip("/"),
                    headers=headers,
                    timeout=_SECONDS,
                    verify=trust_for(self._target.url),
                )
            except (httpx.InvalidURL, UnicodeError) as error:
                raise Invalid.field("url", f"{self._target.url!r} is not an address: {error}") from error
            return
        # Whoever can open the folder is its local user, as with the library.
        settings = self._target.settings().evolve(auth="local", public_url=None)
        self._container = build(settings)
        await start(self._container)
        transport = httpx.ASGITransport(create_app(self._container), client=("127.0.0.1", 0))
        self._http = httpx.AsyncClient(transport=transport, base_url=_ROOT, timeout=_SECONDS)

    async def _close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
        if self._container is not None:
            from tracker.container import stop  # noqa: PLC0415

            await self._container.job_runner().close()
            await stop(self._container)

    def _run(self, work: Callable[[], Awaitable[_Answer]]) -> _Answer:
        async def done() -> _Answer:
            return await work()

        return self._loop.run(done())


def with_evaluation(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command ``--data`` and ``--url``, and passes it the opened API first."""

    @click.pass_context
    def opened(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        with EvaluationApi(ctx.ensure_object(Target)) as api:
            return command(api, *args, **kwargs)

    return on_target(functools.update_wrapper(opened, command))
