"""The documentation as one page without any script, written from the OpenAPI document."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Schema = Mapping[str, Any]


def plain_page(document: Schema) -> str:
    """The whole document as HTML.

    Args:
        document: OpenAPI 3.1.
    """
    info = document["info"]
    operations = [
        _operation(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join(
        [
            "<!doctype html>",
            "<html lang='en'>",
            "<head><meta charset='utf-8'><meta name='viewport' content='width=device-width, initial-scale=1'>",
            f"<title>{escape(info['title'])}</title>",
            "<link rel='icon' href='data:,'><link rel='stylesheet' href='docs/plain.css'></head>",
            f"<body><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            f"<p>{escape(info.get('summary', ''))}</p>",
            "<p class='note'>This is the plain version: <code>make assets</code> adds Swagger and ReDoc. "
            "How to write a strategy: <a href='docs/strategies'>the reference</a>. "
            "Machine-readable: <a href='openapi.json'>openapi.json</a>. Back to the <a href='.'>studio</a>.</p>",
            *operations,
            "</body></html>",
        ]
    )


def _operation(document: Schema, method: str, path: str, operation: Schema) -> str:
    parts = [
        f"<h2 id='{escape(operation.get('operationId', path))}'><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description', operation.get('summary', '')))}</p>",
    ]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        parts += [_fields(document, content["schema"]), *_examples(path, content.get("examples", {}))]
    parts.append(_answers(operation["responses"]))
    return "\n".join(parts)


def _fields(document: Schema, schema: Schema) -> str:
    model = _resolved(document, schema)
    required = model.get("required", [])
    rows = [
        f"<tr><td><code>{escape(name)}</code>{' (required)' if name in required else ''}</td>"
        f"<td>{escape(field.get('description', ''))}</td><td>{_default(field)}</td></tr>"
        for name, field in model.get("properties", {}).items()
    ]
    return "<table><tr><th>field</th><th>meaning</th><th>default</th></tr>" + "".join(rows) + "</table>"


def _default(field: Schema) -> str:
    return f"<code>{escape(json.dumps(field['default']))}</code>" if "default" in field else ""


def _examples(path: str, examples: Schema) -> Iterator[str]:
    for example in examples.values():
        body = json.dumps(example["value"], indent=1)
        # Within single quotes a shell reads everything as it stands, but for the quote itself.
        quoted = body.replace("'", "'\\''")
        command = f"curl -s http://127.0.0.1:8005{path} -H 'Content-Type: application/json' -d '{quoted}'"
        yield f"<p>{escape(example['summary'])}</p><pre>{escape(command)}</pre>"


def _answers(responses: Schema) -> str:
    rows = [
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(response.get('description', ''))}</td></tr>"
        for status, response in responses.items()
    ]
    return "<table><tr><th>status</th><th>answer</th></tr>" + "".join(rows) + "</table>"


def _resolved(document: Schema, schema: Schema) -> Schema:
    """The model that a schema refers to, itself where it refers to none."""
    reference = schema.get("$ref", "")
    name = reference.rsplit("/", 1)[-1]
    found: Schema = document["components"]["schemas"][name] if reference else schema
    return found
