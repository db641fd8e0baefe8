"""The page `/docs`: the API told from its OpenAPI document.

Our own, for FastAPI's loads scripts from another host: it would be blank without a network.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ui.theme import style_html

Spec = dict[str, Any]  # an OpenAPI document or a part of it: JSON has no closer type


def docs_html(spec: Spec) -> str:
    """Render every operation with its parameters, its body and the types it returns."""
    operations = [
        _operation_html(method, path, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [_schema_html(name, schema) for name, schema in spec.get("components", {}).get("schemas", {}).items()]
    info = spec["info"]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{_text(info['title'])} API</title>{style_html()}</head>"
        f'<body class="pm-docs"><h1>{_text(info["title"])} API {_text(info["version"])}</h1>'
        f"<p>{_text(info.get('description', ''))}</p>"
        '<p>Machine-readable: <a href="openapi.json">openapi.json</a>. Errors are problem documents (RFC 9457).</p>'
        "<pre>curl -s localhost:7860/api/answers -H 'content-type: application/json' "
        '-d \'{"question": "What did the council decide in June?"}\'</pre>'
        f"{''.join(operations)}<h2>Types</h2>{''.join(schemas)}</body></html>"
    )


def _operation_html(method: str, path: str, operation: Spec) -> str:
    rows = [
        (f"{item['name']} ({item['in']})", item["schema"] | {"description": item.get("description", "")})
        for item in operation.get("parameters", [])
    ]
    body = next((form["schema"] for form in operation.get("requestBody", {}).get("content", {}).values()), None)
    good = next(told for status, told in operation["responses"].items() if status.startswith("2"))
    answered = good.get("content", {}).get("application/json", {}).get("schema")
    return (
        f"<section><h2><code>{method.upper()} {_text(path)}</code></h2>"
        f"<p>{_text(operation.get('description') or operation.get('summary', ''))}</p>{_table(rows)}"
        + (f"<p>Body: {_type(body)}</p>" if body else "")
        + (f"<p>Returns: {_type(answered)}</p>" if answered else "")
        + "</section>"
    )


def _schema_html(name: str, schema: Spec) -> str:
    rows = list(schema.get("properties", {}).items())
    description = f'<p class="pm-about">{_text(schema.get("description", ""))}</p>'
    return f'<section id="{_text(name)}"><h3>{_text(name)}</h3>{description}{_table(rows)}</section>'


def _table(rows: list[tuple[str, Spec]]) -> str:
    cells = "".join(
        f"<tr><td><code>{_text(name)}</code></td><td>{_type(schema)}</td>"
        f"<td>{_text(schema.get('description', ''))}</td></tr>"
        for name, schema in rows
    )
    return f"<table>{cells}</table>" if cells else ""


def _type(schema: Spec) -> str:
    """Name a type, with a link to one of ours."""
    if "$ref" in schema:
        name = _text(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(_text(str(value)) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return _text(schema.get("format") or schema.get("type", "any"))


def _text(value: str) -> str:
    return escape(value, quote=True)
