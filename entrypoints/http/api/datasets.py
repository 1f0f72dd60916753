"""Datasets, and the files that links lead to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tracker.domain.errors import Invalid, Problem
from tracker.domain.evaluation.datasets.dataset import DatasetFormat
from tracker.domain.evaluation.datasets.service import DatasetService
from tracker.domain.evaluation.links.service import LinkService
from tracker.domain.ids import DatasetId, ProjectId

from ..exchange import Call
from ..forms import FormUpload
from ..schemas.answers import NoQuery
from ..schemas.datasets import (
    DatasetDownloadOut,
    DatasetOut,
    DatasetPageOut,
    DownloadQuery,
    dataset_out,
)
from ..schemas.evaluation import ListQuery
from ..streaming import Streamed
from .addresses import Addresses
from .artifacts import content_of
from .kept import tell_kept

__all__ = ["Datasets", "Files", "project_of"]

_FORMATS = tuple(format.value for format in DatasetFormat)


class Datasets:
    """``/api/v1/datasets``."""

    def __init__(self, datasets: DatasetService, addresses: Addresses) -> None:
        self._datasets = datasets
        self._addresses = addresses

    async def upload(self, call: Call[None, NoQuery]) -> DatasetOut:
        """Takes one as it comes."""
        form = call.uploaded
        if not isinstance(form, FormUpload):
            raise TypeError("this route takes a form")
        await form.opened(("format", "project_id"))
        _check_format(form)
        dataset = await self._datasets.upload(
            call.actor, form.filename, _checked(form), project_id=_project_of_form(form)
        )
        call.headers["Location"] = f"{self._addresses.api_path}/datasets/{dataset.id}"
        return dataset_out(dataset)

    async def list(self, call: Call[None, ListQuery]) -> DatasetPageOut:
        """Some of them."""
        page = await self._datasets.page(
            call.actor, project_id=project_of(call.query), skip=call.query.skip, limit=call.query.limit
        )
        return {"total": page.total, "items": [dataset_out(each) for each in page.items]}

    async def show(self, call: Call[None, NoQuery]) -> DatasetOut:
        """One."""
        return dataset_out(await self._datasets.get(call.actor, _dataset(call)))

    async def download(self, call: Call[None, DownloadQuery]) -> DatasetDownloadOut:
        """Where the files of one are."""
        links = await self._datasets.links(call.actor, _dataset(call), call.query.extension)
        urls = [self._addresses.of_file(call.root, link) for link in links]
        return {"id": _dataset(call), "download_urls": urls}

    async def delete(self, call: Call[None, NoQuery]) -> None:
        """Removes one."""
        tell_kept(call, (await self._datasets.delete(call.actor, _dataset(call))).kept)


class Files:
    """``/api/v1/files``: what links lead to."""

    def __init__(self, links: LinkService) -> None:
        self._links = links

    async def content(self, call: Call[None, NoQuery]) -> Streamed | None:
        """The bytes."""
        file = await self._links.follow(call.words["link"])
        call.media = file.media_type
        return content_of(call, file.blob, file.filename)


def project_of(query: ListQuery) -> ProjectId | None:
    """The project that a listing is limited to."""
    return None if query.project_id is None else ProjectId(query.project_id)


async def _checked(form: FormUpload) -> Any:
    async for piece in form.chunks_before(("format",)):
        yield piece
    _check_format(form)  # it may have come behind the file


def _check_format(form: FormUpload) -> None:
    given = form.fields.get("format", _FORMATS[0])
    if given not in _FORMATS:
        raise _wrong("format", f"must be {' or '.join(_FORMATS)}, not {given[:100]!r}", "enum")


def _project_of_form(form: FormUpload) -> ProjectId | None:
    given = form.fields.get("project_id")
    if given is None:
        return None
    try:
        return ProjectId(UUID(given))
    except ValueError as error:
        raise _wrong("project_id", "must be a UUID in text form", "uuid_parsing") from error


def _wrong(name: str, why: str, kind: str) -> Invalid:
    return Invalid(f"{name}: {why}", [Problem(("body", name), why, kind)])


def _dataset(call: Call[Any, Any]) -> DatasetId:
    return DatasetId(call.path["dataset_id"])
