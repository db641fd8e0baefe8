"""What `/openapi.json` promises, held against a server: by requests as they should be, and by many made at random."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

PROMISES = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 10
PATIENCE_S = 60
MARCH = "How many people marched for the striking dockers in Port Selwyn on 17 May?"
ASKED = {"messages": [{"role": "user", "content": MARCH}]}
DESCRIBED = {
    "title": "The ferry sinks",
    "text": "The ferry sank on Tuesday off Wexcombe.",
    "published_at": "2025-08-30",
}

# One request at least for each operation, with the status it must have; in this order: the last ones delete.
FITTING: list[tuple[str, int, dict[str, Any]]] = [
    ("POST /api/answers", 200, {"body": {"question": MARCH}}),
    ("POST /api/answers", 200, {"body": {"question": MARCH, "stream": True}}),
    ("POST /api/answers", 200, {"body": {"question": "Who won the Eurovision Song Contest in 2025?"}}),
    ("POST /api/answers", 400, {"body": {"question": "?!"}}),
    ("POST /api/answers", 422, {"body": {"question": "who? " * 500}}),
    ("GET /api/answers/{answer_id}", 200, {}),
    ("POST /api/answers/{answer_id}/feedback", 204, {"body": {"rating": "down", "reason": "Too short."}}),
    ("GET /api/search", 200, {"query": {"q": "dockers", "since": "2025-05-01", "source": ["Selwyn Courier"], "k": 3}}),
    ("GET /api/search", 400, {"query": {"q": "dockers", "since": "2025-06-01", "until": "2025-05-01"}}),
    ("GET /api/articles", 200, {"query": {"search": "ferry", "limit": 5}}),
    ("GET /api/articles", 200, {"query": {"status": "retracted"}}),
    ("GET /api/articles/{article_id}", 200, {}),
    ("POST /api/articles", 202, {"body": DESCRIBED}),
    ("GET /api/ingests", 200, {}),
    ("GET /api/ingests/{ingest_id}", 200, {}),
    ("GET /v1/models", 200, {}),
    ("GET /v1/models/{model}", 200, {}),
    ("POST /v1/chat/completions", 200, {"body": ASKED}),
    ("POST /v1/chat/completions", 200, {"body": ASKED | {"stream": True}}),
    ("POST /v1/chat/completions", 400, {"body": {"messages": [{"role": "assistant", "content": "Me."}]}}),
    ("GET /health", 200, {}),
    ("GET /ready", 200, {}),
    ("GET /metrics", 200, {}),
    ("DELETE /api/articles/{article_id}", 204, {}),
    ("GET /api/articles/{article_id}", 404, {}),
]
UPLOAD = "POST /api/articles/upload"  # a file needs a name, which no schema tells
OPERATIONS = [*dict.fromkeys(label for label, _, _ in FITTING), UPLOAD]
# Those whose parameters can be wrong: an id may be any text.
FALLIBLE = [
    "POST /api/answers",
    "POST /api/answers/{answer_id}/feedback",
    "GET /api/search",
    "GET /api/articles",
    "POST /api/articles",
    UPLOAD,
    "GET /api/articles/{article_id}",
    "GET /api/ingests",
    "POST /v1/chat/completions",
]


@pytest.fixture(scope="module")
def written(launch):
    """A server of its own: these requests add and delete articles."""
    server = launch("written")
    server.wait()
    return server


@pytest.fixture(scope="module")
def schema(written):
    load_all_checks()
    return schemathesis.openapi.from_url(f"{written.url}/openapi.json", config=schemathesis.Config())


@pytest.fixture(scope="module")
def ids(written) -> dict[str, str]:
    """What the paths of `FITTING` lead to."""
    answer = httpx.post(f"{written.url}/api/answers", json={"question": MARCH}, timeout=PATIENCE_S).json()
    ingest = httpx.post(f"{written.url}/api/articles", json={"text": "It rained."}, timeout=PATIENCE_S).json()
    article = answer["citations"][0]["article_id"]
    return {"answer_id": answer["id"], "article_id": article, "ingest_id": ingest["id"], "model": "pressmark"}


def operation_of(schema: Any, label: str) -> Any:
    method, path = label.split()
    return schema[path][method]


def test_every_operation_is_tried_here(schema):
    assert sorted(OPERATIONS) == sorted(found.ok().label for found in schema.get_all_operations())


@pytest.mark.parametrize(("label", "status", "request_"), FITTING)
def test_a_response_is_as_documented(schema, ids, label, status, request_):
    path = {name: ids[name] for name in re.findall(r"{(\w+)}", label)}
    case = operation_of(schema, label).Case(path_parameters=path, **request_)
    response = case.call_and_validate(checks=PROMISES, timeout=PATIENCE_S)
    assert response.status_code == status


@pytest.mark.parametrize(("name", "status"), [("news.txt", 202), ("news.exe", 400)])
def test_the_response_to_an_upload_is_as_documented(schema, written, name, status):
    files = {"files": (name, b"The lighthouse of Wexcombe was lit again on Friday, after 31 years.")}
    request = httpx.Request("POST", f"{written.url}/api/articles/upload", files=files)
    request.read()
    with httpx.Client(timeout=PATIENCE_S) as client:
        response = client.send(request)
    operation_of(schema, UPLOAD).Case().validate_response(response, checks=PROMISES)
    assert response.status_code == status
    if status == 202:
        place = f"{written.url}{response.headers['location']}"
        until = time.monotonic() + PATIENCE_S
        while (record := httpx.get(place).json())["state"] in ("waiting", "running"):
            assert time.monotonic() < until, record
            time.sleep(0.02)
        assert (record["state"], record["added"]) == ("done", 1)


@pytest.mark.parametrize(
    ("label", "mode"),
    [(label, schemathesis.GenerationMode.POSITIVE) for label in OPERATIONS]
    + [(label, schemathesis.GenerationMode.NEGATIVE) for label in FALLIBLE],
)
def test_any_request_gets_a_response_that_is_documented(schema, label, mode):
    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.filter_too_much],
    )
    @hypothesis.given(case=operation_of(schema, label).as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(checks=PROMISES, timeout=PATIENCE_S)

    ask()


@pytest.mark.parametrize("label", ["POST /api/answers", "POST /v1/chat/completions"])
@pytest.mark.parametrize("stream", [False, True])
def test_half_a_character_is_a_bad_request(schema, written, label, stream):
    words = r'"Who was hurt \ud800 in the fire?"'  # JSON can say it, and it is no text
    asked = f'"question": {words}' if "answers" in label else f'"messages": [{{"role": "user", "content": {words}}}]'
    response = httpx.post(
        f"{written.url}{label.split()[1]}",
        content=f'{{"stream": {str(stream).lower()}, {asked}}}',
        headers={"Content-Type": "application/json"},
        timeout=PATIENCE_S,
    )
    operation_of(schema, label).Case().validate_response(response, checks=PROMISES)
    assert response.status_code == 422


@pytest.mark.parametrize("label", ["POST /api/answers", "POST /v1/chat/completions", "POST /api/articles"])
def test_a_body_that_is_too_large_is_refused_as_documented(schema, written, label):
    response = httpx.post(f"{written.url}{label.split()[1]}", json={"question": "why " * 600_000}, timeout=PATIENCE_S)
    operation_of(schema, label).Case().validate_response(response, checks=PROMISES)
    assert response.status_code == 413
    assert response.json()["status"] == 413


def test_all_errors_are_documented_as_problems(schema):
    for found in schema.get_all_operations():
        responses = found.ok().definition.raw["responses"]
        errors = {code: list(response["content"]) for code, response in responses.items() if code >= "400"}
        assert {"404", "413", "422", "500"} <= errors.keys()
        assert set(map(tuple, errors.values())) == {("application/problem+json",)}, found.ok().label
        for code in errors:
            (content,) = responses[code]["content"].values()
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("path", sorted({label.split()[1] for label in OPERATIONS}))
def test_a_method_that_is_documented_nowhere_is_a_problem(written, ids, path):
    response = httpx.put(f"{written.url}{path.format(**ids)}")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"


def test_nothing_of_this_broke_the_server(written):
    assert "Traceback" not in written.log
    answer = httpx.post(f"{written.url}/api/answers", json={"question": "Who conducts the Port Selwyn Philharmonic?"})
    assert answer.json()["short"]["text"] == "Zdeněk Kovářík"
