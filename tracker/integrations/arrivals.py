"""Tells of modules when they are there: those imported already at once, others once they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

__all__ = ["on_arrival"]

Tell = Callable[[ModuleType], None]


def on_arrival(names: Iterable[str], tell: Tell | None) -> None:
    """Has `tell` called with each module of these names, once each; ``None`` ends that."""
    for finder in [each for each in sys.meta_path if isinstance(each, _Finder)]:
        sys.meta_path.remove(finder)
    if tell is None:
        return
    missing = set()
    for name in names:
        if name in sys.modules:
            tell(sys.modules[name])
        else:
            missing.add(name)
    sys.meta_path.insert(0, _Finder(missing, tell))


class _Finder(MetaPathFinder):
    """Finds nothing itself: it has the others find, and listens to the loading."""

    def __init__(self, names: set[str], tell: Tell) -> None:
        self._names = names
        self._tell = tell

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        self._names.discard(fullname)  # so that the search that follows does not come back here
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._tell)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Loader, tell: Tell) -> None:
        self._loader = loader
        self._tell = tell

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader  # it is asked for sources and resources later on
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._tell(module)
