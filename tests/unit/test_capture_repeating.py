"""A command is recorded so that it can be started in another place, without its secrets."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.capture.command import Started, command
from tracker.capture.repeating import Differing, Repeated, differing, repeated, requirements
from tracker.domain.errors import Conflict, Invalid

THERE = Path("/there/again")


def recorded(
    root: Path,
    *arguments: str,
    options: tuple[str, ...] = (),
    folder: str = ".",
    script: str = "src/train.py",
) -> dict[str, Any]:
    place = root / folder
    started = Started(
        arguments=(script, *arguments),
        words=("python", *options, script, *arguments),
        folder=place,
        file=root / script,
    )
    # As it comes back from a server.
    return json.loads(json.dumps({"command": command(started, root), "variables": {}}))  # type: ignore[no-any-return]


# Of these letters no word can be made that stands for a secret.
ARGUMENTS = st.lists(st.text(st.sampled_from("aelmo19 -\n\t'\"$*é日\\/"), max_size=8), max_size=5)


@given(arguments=ARGUMENTS)
def test_arguments_come_back_as_they_were(arguments: list[str]) -> None:
    found = repeated(recorded(Path("/here"), *arguments), THERE)
    assert list(found.words) == [str(THERE / "src/train.py"), *arguments]


def test_bytes_that_are_no_text_come_back(tmp_path: Path) -> None:
    assert repeated(recorded(tmp_path, "caf\udce9"), THERE).words[-1] == "caf\udce9"


def test_places_in_the_tree_are_those_of_the_other_tree(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    environment = recorded(root, f"{root}/conf.yaml", f"--out={root}/a", "/data/x", f"{root}er", folder="src")
    assert str(root) + "/" not in json.dumps(environment)
    assert repeated(environment, THERE) == Repeated(
        words=(f"{THERE}/src/train.py", f"{THERE}/conf.yaml", f"--out={THERE}/a", "/data/x", f"{root}er"),
        folder=THERE / "src",
        variables={},
    )


def test_options_of_the_interpreter_come_back(tmp_path: Path) -> None:
    found = repeated(recorded(tmp_path, "-v", options=("-u", "-X", "dev", "-Wignore")), THERE)
    assert found.words == ("-u", "-X", "dev", "-Wignore", f"{THERE}/src/train.py", "-v")


def test_a_module_is_run_as_one(tmp_path: Path) -> None:
    started = Started(("/x/pkg/train.py", "--lr", "1"), ("python", "-m", "pkg.train", "--lr", "1"),
                      tmp_path, tmp_path / "pkg/train.py", "pkg.train")  # fmt: skip
    found = repeated({"command": command(started, tmp_path), "variables": {}}, THERE, ["--lr", "2"])
    assert found.words == ("-m", "pkg.train", "--lr", "1", "--lr", "2")


def test_what_changes_the_computation_is_set_again_and_nothing_else(tmp_path: Path) -> None:
    environment = recorded(tmp_path)
    environment["variables"] = {
        "PYTHONHASHSEED": "7",
        "OMP_NUM_THREADS": "2",
        "SLURM_JOB_ID": "1",
        "PATH": "/evil",
    }
    assert repeated(environment, THERE).variables == {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}


@pytest.mark.parametrize(
    ("arguments", "given", "then"),
    [
        (["--token=abc", "x"], ["--token=new"], ["x", "--token=new"]),
        (["--token", "abc", "x"], ["--token", "new"], ["x", "--token", "new"]),
        (["api_key=abc", "x"], ["api_key=new"], ["x", "api_key=new"]),
    ],
)
def test_a_secret_is_not_recorded_and_has_to_be_given_again(
    arguments: list[str], given: list[str], then: list[str], tmp_path: Path
) -> None:
    environment = recorded(tmp_path, *arguments)
    assert "abc" not in json.dumps(environment)
    with pytest.raises(Conflict, match=r"give it again behind --"):
        repeated(environment, THERE)
    assert list(repeated(environment, THERE, given).words[1:]) == then


def test_a_command_of_a_package_is_called_by_its_entry_point(tmp_path: Path) -> None:
    program = Path(sys.prefix) / "bin" / "tracker"
    started = Started((str(program), "ls"), ("python", str(program), "ls"), tmp_path, program)
    _, code, argument = repeated({"command": command(started, tmp_path), "variables": {}}, THERE).words
    assert code == "import sys; sys.argv[0] = 'tracker'; from tracker.__main__ import main; sys.exit(main())"
    assert argument == "ls"


@pytest.mark.parametrize("target", ["os:system('x')", "os", "", "a b:c", "a:b;c"])
def test_what_is_no_entry_point_is_not_called(target: str) -> None:
    entry = {"kind": "program", "name": "x", "target": target}
    with pytest.raises(Invalid, match="no entry point"):
        repeated({"command": {"entry": entry}}, THERE)


def test_what_no_command_started_cannot_be_repeated(tmp_path: Path) -> None:
    at_a_prompt = command(Started(("",), ("python",), tmp_path, None), tmp_path)
    with pytest.raises(Conflict, match="prompt or in a notebook"):
        repeated({"command": at_a_prompt}, THERE)
    elsewhere = command(Started(("/bin/x",), ("python", "/bin/x"), tmp_path, Path("/bin/x")), tmp_path)
    with pytest.raises(Conflict, match="x, which is outside"):
        repeated({"command": elsewhere}, THERE)


@pytest.mark.parametrize(
    "environment",
    [{}, {"command": 1}, {"command": {}}, {"command": {"entry": {"kind": "module", "name": "m"},
     "arguments": [3]}}],
)  # fmt: skip
def test_what_is_no_capture_is_told(environment: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        repeated(environment, THERE)


def test_packages_are_compared_by_what_names_mean() -> None:
    then = {"packages": {"Ruamel.yaml": "1", "numpy": "2.0", "gone": "1"}}
    assert differing(then, {"ruamel-yaml": "1", "numpy": "2.1", "new": "3"}) == [
        Differing("gone", "1", None), Differing("new", None, "3"), Differing("numpy", "2.0", "2.1"),
    ]  # fmt: skip


def test_requirements_say_where_packages_come_from() -> None:
    environment = {
        "packages": {"a": "1.0", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6", "pip": "25", "g": "7"},
        "origins": {
            "b": {"url": "https://h/b.git", "commit": "0a"}, "c": {"url": "https://h/c.whl"},
            "d": {"url": "file:", "tree": "libs/d", "editable": True}, "e": {"url": "file:", "tree": "."},
            "f": {"url": "file:"}, "g": {"url": "https://h/g.whl?token=***"},
        },
    }  # fmt: skip
    lines, unknown = requirements(environment, THERE)
    assert lines == [
        "a==1.0", "b @ git+https://h/b.git@0a", "c @ https://h/c.whl", f"-e {THERE}/libs/d", str(THERE),
    ]  # fmt: skip
    assert unknown == ["f", "g"]
