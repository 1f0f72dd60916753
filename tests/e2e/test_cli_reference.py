"""What the commands say of themselves, and the page that repeats it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from entrypoints.cli.main import _COMMANDS, cli
from entrypoints.cli.reference import commands, markdown
from entrypoints.cli.settings_reference import settings_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"
PATHS = [path for path, _ in commands()]


def test_the_reference_page_is_what_the_commands_say():
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "run: python -m entrypoints.cli.reference > docs/reference/cli.md"
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_command_has_help(path):
    result = CliRunner().invoke(cli, [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_no_help_shows_the_marks_of_its_layout():
    assert [path for path, command in commands() if "\\b" in (command.help or "")] == []


def test_the_summaries_are_the_commands_first_lines():
    said = {path: (command.help or "").splitlines()[0] for path, command in commands()}
    for name, entry in _COMMANDS.items():
        assert entry.summary == said[f"tracker {name}"]


def test_every_listing_offers_json():
    for path, command in commands():
        if path.split()[-1] in {"list", "show", "table", "tree", "doctor"}:
            assert "as_json" in {parameter.name for parameter in command.params}, path


def test_the_page_of_settings_is_up_to_date():
    page = PAGE.with_name("settings.md").read_text(encoding="utf-8")
    assert page == settings_markdown(), (
        "run: python -m entrypoints.cli.settings_reference > docs/reference/settings.md"
    )
