"""The API for people: one page without scripts or anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["docs_page"]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --get: #0072b2; --post: #009e73;
  --patch: #b87f00; --delete: #d55e00; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem; text-transform: capitalize }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0 }
summary { padding: .5rem .75rem; cursor: pointer } details[open] > summary { background: var(--soft) }
.inside { padding: 0 1rem 1rem } code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 }
.get { color: var(--get) } .post { color: var(--post) } .patch { color: var(--patch) }
.delete { color: var(--delete) } .what { opacity: .75; float: right }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .5rem;
  border-bottom: 1px solid var(--line); vertical-align: top }
@media (max-width: 40rem) { .what { float: none; display: block } }
"""


def docs_page(document: dict[str, Any]) -> bytes:
    """The HTML page of an OpenAPI document."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = _operation(document, method, path, operation)
            groups.setdefault(operation["tags"][0], []).append(shown)
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(rows)}" for tag, rows in groups.items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])} API</title>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{escape(info['title'])} API</h1><p>Version {escape(info['version'])} · "
        f'<a href="/api/openapi.json">OpenAPI 3.1</a></p><p>{escape(info["description"])}</p>{sections}'
    ).encode()


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    parts = []
    if "parameters" in operation:
        rows = [
            (p["name"], f"{_kind(p['schema'])} ({p['in']})", p["required"]) for p in operation["parameters"]
        ]
        parts.append("<h3>Parameters</h3>" + _table(rows))
    if "requestBody" in operation:
        parts.append("<h3>Body</h3>" + _fields(document, _content(operation["requestBody"])))
    for status, response in operation["responses"].items():
        parts.append(f"<h3>{status}</h3><p>{escape(response['description'])}</p>")
        if status.startswith("2"):
            parts.append(_fields(document, _content(response)))
    return (
        f'<details id="{operation["operationId"]}"><summary>'
        f'<span class="method {method}">{method.upper()}</span>'
        f"<code>{escape(path)}</code> <span class=what>{escape(operation['summary'])}</span></summary>"
        f"<div class=inside>{''.join(parts)}</div></details>"
    )


def _content(part: dict[str, Any]) -> dict[str, Any]:
    media = next(iter(part["content"].values()))  # the first one is JSON where there is JSON
    schema: dict[str, Any] = media["schema"]
    return schema


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> str:
    named = schema.get("items", schema)
    model = _resolved(document, named)
    if "properties" not in model:
        return f"<p><code>{escape(_kind(schema))}</code></p>"
    required = model.get("required", ())
    rows = [(name, _kind(field), name in required) for name, field in model["properties"].items()]
    lead = "<p>A list of:</p>" if "items" in schema else ""
    return lead + _table(rows)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def _table(rows: list[tuple[str, str, bool]]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{'required' if required else ''}"
        for name, kind, required in rows
    )
    return f"<table><tr><th>Name<th>Type<th>{cells}</table>"


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " | ".join(repr(each) for each in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("format") or schema.get("type", "anything"))
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    return f"{kind}, {', '.join(limits)}" if limits else kind


_LIMITS = {
    "minLength": "length ≥",
    "maxLength": "length ≤",
    "minimum": "≥",
    "maximum": "≤",
    "default": "default",
}
