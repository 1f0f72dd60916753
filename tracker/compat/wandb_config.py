"""``wandb.config``: parameters, by attribute and by item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tracker.compat.wandb_errors import ConfigError

__all__ = ["Config", "mapping_of"]


class Config:
    """The parameters of a run. What changes is passed on; a value that is there changes only by
    ``update(..., allow_val_change=True)``.

    Args:
        tell: takes what is new, by name.
    """

    def __init__(self, tell: Callable[[Mapping[str, Any]], None], *, may_change: bool = False) -> None:
        object.__setattr__(self, "_items", {})
        object.__setattr__(self, "_tell", tell)
        object.__setattr__(self, "_may_change", may_change)

    def update(self, d: Any, allow_val_change: bool | None = None) -> None:
        """Sets several values.

        Raises:
            ConfigError: one that is there would change, and `allow_val_change` is not true.
        """
        found = {str(key).strip("-"): value for key, value in mapping_of(d).items()}
        may_change = self._may_change if allow_val_change is None else allow_val_change
        if not may_change:
            self._check(found)
        self._items.update(found)
        if found:
            self._tell(found)

    def setdefaults(self, d: Any) -> None:
        """Sets those of several values that are not there."""
        self.update({key: value for key, value in mapping_of(d).items() if key not in self._items})

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default`."""
        return self._items.get(key, default)

    def keys(self) -> list[str]:
        """The names."""
        return list(self._items)

    def items(self) -> list[tuple[str, Any]]:
        """Names with their values."""
        return list(self._items.items())

    def as_dict(self) -> dict[str, Any]:
        """A copy as a dict."""
        return dict(self._items)

    def _check(self, found: Mapping[str, Any]) -> None:
        for key, value in found.items():
            if key in self._items and not _same(value, self._items[key]):
                raise ConfigError(
                    f'Attempted to change value of key "{key}" from {self._items[key]} to {value}\n'
                    "If you really want to do this, pass allow_val_change=True to config.update()"
                )

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __getattr__(self, key: str) -> Any:
        try:
            return self._items[key]
        except KeyError as error:
            raise AttributeError(f"{type(self)!r} object has no attribute {key!r}") from error

    def __setattr__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __str__(self) -> str:
        return str(self._items)


def mapping_of(given: Any) -> dict[str, Any]:
    """What ``config=`` takes, as a dict: mappings, namespaces, and the path of a YAML or JSON file.

    Files of wandb have each value below ``value``.
    """
    if given is None:
        return {}
    if isinstance(given, str | Path):
        from tracker.run.params import feature_tree  # noqa: PLC0415

        tree = feature_tree(str(given))
        return {key: _value(value) for key, value in tree.items() if key not in ("_wandb", "wandb_version")}
    if isinstance(given, Mapping):
        return dict(given)
    if hasattr(given, "items"):
        return dict(given.items())
    return dict(vars(given))


def _value(value: Any) -> Any:
    return value["value"] if isinstance(value, Mapping) and "value" in value else value


def _same(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:  # arrays have no one answer
        return False
