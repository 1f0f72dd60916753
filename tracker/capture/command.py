"""What was started, where, with which variables and seeds."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Self

from tracker.capture.confidential import MASK, is_secret_name, masked, without_password

__all__ = ["REPEATED", "Started", "command", "seeds", "variables"]

REPEATED = frozenset(
    {"CUDA_DEVICE_ORDER", "CUBLAS_WORKSPACE_CONFIG", "CUDA_LAUNCH_BLOCKING", "NVIDIA_TF32_OVERRIDE",
     "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ENABLE_MPS_FALLBACK",
     "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_ENABLE_ONEDNN_OPTS", "TF_FORCE_GPU_ALLOW_GROWTH",
     "XLA_FLAGS", "XLA_PYTHON_CLIENT_PREALLOCATE", "JAX_ENABLE_X64", "JAX_DEFAULT_PRNG_IMPL", "KERAS_BACKEND",
     "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
     "VECLIB_MAXIMUM_THREADS", "TOKENIZERS_PARALLELISM", "PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONUTF8"}
)  # fmt: skip
"""Environment variables that change what a script computes: whoever runs it again gets them too."""

_NOTED = frozenset(
    {"CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
     "JAX_PLATFORMS", "CONDA_DEFAULT_ENV", "LANG", "LC_ALL", "TZ", "RANK", "WORLD_SIZE", "LOCAL_RANK",
     "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK"}
)  # fmt: skip
_NOTED_PREFIXES = ("SLURM_",)


@dataclass(frozen=True)
class Started:
    """How this process was started, before the script changes any of it.

    Attributes:
        arguments: ``sys.argv``.
        words: ``sys.orig_argv``: with the interpreter and its options.
        folder: the working folder.
        file: of the main module; ``None`` at a prompt and in a notebook.
        module: what stood after ``-m``.
        prefix: where the interpreter's packages and programs are.
    """

    arguments: tuple[str, ...]
    words: tuple[str, ...]
    folder: Path
    file: Path | None
    module: str | None = None
    prefix: Path = field(default_factory=lambda: Path(sys.prefix))

    @classmethod
    def now(cls) -> Self:
        """As it is now."""
        main = sys.modules.get("__main__")
        spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
        folder = Path.cwd()
        # A notebook's main module is of its kernel, and no file holds what runs.
        is_script = file is not None and not hasattr(sys.modules.get("builtins"), "__IPYTHON__")
        return cls(
            arguments=tuple(sys.argv),
            words=tuple(getattr(sys, "orig_argv", ())),
            folder=folder,
            file=folder / str(file) if is_script and "ipykernel" not in str(file) else None,
            module=spec.name.removesuffix(".__main__") if spec is not None and spec.name else None,
        )

    @property
    def tree(self) -> Path:
        """The folder whose tree is captured: the script's, or without one the working folder."""
        if self.file is None or self.module is not None or not self.file.exists():
            return self.folder
        folder = self.file.resolve().parent
        # A program of a package, such as one that runs tests or starts workers, is nobody's project.
        return self.folder if folder.is_relative_to(self.prefix.resolve()) else folder

    @property
    def plain_tree(self) -> Path:
        """The same where no git tells how far a tree goes: the working folder when the script is in it, since
        modules and relative paths are looked for from there."""
        return self.folder if self.tree.is_relative_to(self.folder.resolve()) else self.tree


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that may be told, by an allow-list; of the listed families none that is secret."""
    return {
        name: _text(without_password(value))
        for name, value in sorted(environ.items())
        if name in REPEATED | _NOTED or (name.startswith(_NOTED_PREFIXES) and not is_secret_name(name))
    }


def command(started: Started, root: Path) -> dict[str, Any]:
    """How the process was started, with what is in the tree told relative to it.

    Arguments are text, or where that would not do an object: ``{"tree": "a/b"}`` is a path in the
    tree (``before`` stands in front of it), ``{"bytes": ...}`` in base64 is no text, and
    ``{"masked": "--token="}`` held a secret.

    Args:
        started: by which command.
        root: the tree, with no link in its path.
    """
    words = started.arguments[1:]
    hidden = masked(words)
    return {
        "entry": _entry(started, root),
        "arguments": [_argument(word, shown, root) for word, shown in zip(words, hidden, strict=True)],
        "interpreter": _interpreter_options(started.words),
        "folder": _relative(started.folder, root),
    }


def _entry(started: Started, root: Path) -> dict[str, Any]:
    if started.module is not None:
        return {"kind": "module", "name": started.module}
    if started.file is None:
        return {"kind": "interactive"}
    program = _program(started)
    if program is not None:
        return program
    within = _within(started.file, root)
    if within is None:
        return {"kind": "outside", "path": _text(started.file.name)}
    return {"kind": "script", "path": _argument(within, within, root)}


def _program(started: Started) -> dict[str, Any] | None:
    """What a package has installed as a command, such as ``tracker`` or ``accelerate``."""
    if started.file is None or not started.file.parent.resolve().is_relative_to(started.prefix.resolve()):
        return None
    points = metadata.entry_points(group="console_scripts", name=started.file.name)
    return next(({"kind": "program", "name": point.name, "target": point.value} for point in points), None)


def _within(path: Path, root: Path) -> str | None:
    """`path` relative to the tree by the folders it names, or else by those that links lead to."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  (keeps links)
    for candidate in (absolute, absolute.parent.resolve() / absolute.name, absolute.resolve()):
        if candidate.is_relative_to(root):
            return candidate.relative_to(root).as_posix()
    return None


def _relative(folder: Path, root: Path) -> Any:
    """A folder in the tree, ``.`` for the tree itself; ``None`` when it is elsewhere."""
    within = _within(folder, root)
    return None if within is None else _argument(within, within, root)


def _argument(word: str, shown: str, root: Path) -> Any:
    if shown != word:
        return {"masked": _text(shown.removesuffix(MASK) if shown.endswith(MASK) else "")}
    try:
        word.encode()
    except UnicodeEncodeError:
        return {"bytes": base64.b64encode(os.fsencode(word)).decode()}
    before, sign, value = word.partition("=")
    before, value = (before + sign, value) if sign else ("", word)
    if value == str(root) or value.startswith(f"{root}/"):
        return {"before": before, "tree": value[len(str(root)) + 1 :]}
    return word


def _interpreter_options(words: tuple[str, ...]) -> list[str]:
    """What stood between ``python`` and the script, as ``-u`` or ``-X dev``."""
    rest = list(words[1:])
    options: list[str] = []
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "-c", "-m"):
        options.append(rest.pop(0))
        if options[-1] in ("-X", "-W") and rest:
            options.append(rest.pop(0))
    return list(map(_text, options))


def seeds(environ: Mapping[str, str]) -> dict[str, str]:
    """Seeds of what is loaded already; nothing is imported, and nothing is drawn."""
    found = {"PYTHONHASHSEED": environ.get("PYTHONHASHSEED", "random")}
    for name, read in (("torch", _torch_seed), ("numpy.random", _numpy_state), ("random", _random_state)):
        module = sys.modules.get(name)
        try:
            seed = None if module is None else read(module)
        except Exception:  # noqa: S112  (half imported, or another version of it)
            continue
        if seed is not None:
            found[name] = seed
    return found


def _torch_seed(torch: Any) -> str:
    return str(int(torch.initial_seed()))


def _numpy_state(random: Any) -> str:
    kind, key, position, *_ = random.get_state()
    return _digest(f"{kind} {key.tolist()} {position}")


def _random_state(random: Any) -> str:
    return _digest(repr(random.getstate()))


def _digest(state: str) -> str:
    """Tells whether two runs began alike: these generators do not say what they were seeded with."""
    return f"state {hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _text(text: str) -> str:
    return os.fsencode(text).decode("utf-8", errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
