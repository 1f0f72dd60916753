"""``tracker doctor``."""

from __future__ import annotations

import asyncio

import click

from .checks import folder_findings, server_findings
from .errors import REFUSED, UNANSWERED
from .finding import Finding, State
from .output import as_json_option, print_json
from .target import Target, on_target
from .text import one_line

__all__ = ["doctor"]


@click.command()
@on_target
@as_json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check what tracker needs, and say what mends it.

    Looks at the data folder, the disk, the database and its migrations, the scalars store and the
    accounts of a folder, or at whether a server answers. Exit 1: something is wrong; 3: something
    did not answer.
    """
    findings = _findings(ctx.ensure_object(Target))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        _print(findings)
    states = {finding.state for finding in findings}
    if State.SILENT in states:
        ctx.exit(UNANSWERED)
    if State.PROBLEM in states:
        ctx.exit(REFUSED)


def _findings(target: Target) -> list[Finding]:
    if target.url is None:
        return asyncio.run(folder_findings(target.settings()))
    with target.open() as library:
        return server_findings(library, target.url)


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mend = f"; try: {finding.mend}" if finding.mend else ""
        click.echo(f"{finding.state:<9}  {finding.name:<{width}}  {one_line(finding.text)}{mend}")
