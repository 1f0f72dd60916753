"""Which adapters an installation has, by its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tracker.adapters.blobs.local import LocalBlobStore
from tracker.adapters.runners.handover import Handover
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.adapters.system.processes import fate
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.ports.blobs import BlobStore
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.scalars import ScalarStore
from tracker.ports.sign_in import IdentityProvider
from tracker.settings import Settings, environment

__all__ = ["blob_store", "dataset_limits", "identity_provider", "job_runner", "scalar_store"]

# What libraries read by themselves: blob stores, models of a hub, proxies.
_READ_BY_LIBRARIES = ("AWS_", "HF_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


def scalar_store(settings: Settings) -> ScalarStore:
    """The store of time series that ``SCALARS_URL``, ``SCALARS_SERVICE_URL`` or ``CLICKHOUSE_URL`` names.

    Raises:
        Invalid: no store has this scheme, its driver is not installed, or two are set and differ.
    """
    urls = {settings.scalars_url, settings.scalars_service_url, settings.clickhouse_url} - {""}
    if len(urls) > 1:
        raise Invalid.field(
            "SCALARS_URL", "names another store than SCALARS_SERVICE_URL or CLICKHOUSE_URL; set one of them"
        )
    url = next(iter(urls), "")
    scheme = url.partition("://")[0]
    if not scheme:
        return EmbeddedScalarStore(settings.data / "scalars", synchronous=settings.scalars_sync)
    if scheme in ("http", "https"):
        from tracker.adapters.scalars.http import HttpScalarStore  # noqa: PLC0415  (late: HTTP is slow to import)

        return HttpScalarStore(url, key=settings.scalars_service_key)
    return _scalar_server(scheme, url)


def _scalar_server(scheme: str, url: str) -> ScalarStore:
    """The store in a database server of its own; imported late, since its driver is an extra."""
    extra = "clickhouse" if scheme.startswith("clickhouse") else scheme
    try:
        if scheme in ("clickhouse", "clickhouses", "chdb"):
            from tracker.adapters.scalars.clickhouse import ClickHouseScalarStore  # noqa: PLC0415

            return ClickHouseScalarStore(url)
        if scheme.partition("+")[0] in ("postgresql", "postgres"):
            extra = "postgres"
            from tracker.adapters.scalars.postgres import PostgresScalarStore  # noqa: PLC0415

            return PostgresScalarStore(url)
    except ModuleNotFoundError as error:
        raise Invalid.field(
            "SCALARS_URL", f"this store needs its driver: pip install 'tracker[{extra}]'"
        ) from error
    raise Invalid.field(
        "SCALARS_URL", f"no store of scalars has the scheme {scheme!r}; leave it empty for files"
    )


def blob_store(settings: Settings) -> BlobStore:
    """The store of the bytes of artifacts that ``BLOBS_URL`` names.

    Raises:
        Invalid: the address cannot be used, or the driver is not installed.
    """
    if not settings.blobs_url:
        return LocalBlobStore(settings.data / "blobs")
    try:
        from tracker.adapters.blobs.s3 import S3BlobStore  # noqa: PLC0415  (late: its driver is an extra)
    except ModuleNotFoundError as error:
        raise Invalid.field("BLOBS_URL", "this store needs its driver: pip install 'tracker[s3]'") from error
    return S3BlobStore(settings.blobs_url, settings.data / "incoming-blobs", settings.aws_endpoint_url)


def identity_provider(settings: Settings) -> IdentityProvider:
    """Where people sign in.

    Raises:
        Unavailable: nowhere.
    """
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        raise Unavailable("no identity provider is configured (OIDC_ISSUER and OIDC_CLIENT_ID)", 3600)
    from tracker.adapters.security.oidc import OidcIdentityProvider  # noqa: PLC0415

    return OidcIdentityProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
        groups_claim=settings.oidc_groups_claim,
        scopes=settings.oidc_scopes,
    )


def dataset_limits(settings: Settings) -> Limits:
    """What an upload of a dataset may hold."""
    return Limits(file_bytes=settings.max_dataset_bytes)


def job_runner(settings: Settings, rules: Rules) -> JobRunner:
    """What runs jobs of evaluations.

    Raises:
        Invalid: Ray is chosen, and not where it is.
    """
    if settings.jobs_runner == "ray":
        return _ray(settings, rules)
    from tracker.adapters.runners.local import LocalRunner  # noqa: PLC0415  (late: few processes need it)

    return LocalRunner(
        settings.data,
        slots=settings.jobs_slots or os.cpu_count() or 1,
        handover=lambda: _handover(settings),
        environment=environment(),
        why_gone=_why_gone,
        rules=rules,
    )


def _ray(settings: Settings, rules: Rules) -> JobRunner:
    if settings.ray_dashboard_url is None or settings.public_url is None:
        raise Invalid.field(
            "JOBS_RUNNER", "ray needs RAY_DASHBOARD_URL, and TRACKER_PUBLIC_URL for its machines to reach us"
        )
    from tracker.adapters.runners.ray import RayRunner  # noqa: PLC0415  (late: HTTP is slow to import)

    return RayRunner(
        settings.ray_dashboard_url, desk_url=settings.public_url, token=settings.ray_token, rules=rules
    )


def _handover(settings: Settings) -> Handover:
    variables = environment()
    kept = {name: value for name, value in variables.items() if name.upper().startswith(_READ_BY_LIBRARIES)}
    return Handover(settings=settings.variables(), environment=kept)


def _why_gone(process: Mapping[str, Any]) -> str:
    """What the operating system knows of a worker that left no word."""
    return f"its process is gone without a word: {fate(process).reason}"
