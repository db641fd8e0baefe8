"""What `/openapi.json` promises, held against a server: by requests as they should be, and by many made at random."""

from __future__ import annotations

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

OPERATIONS = [
    "GET /api/answers/{answer_id}",
    "POST /api/answers",
    "POST /api/answers/{answer_id}/feedback",
    "GET /api/search",
    "GET /api/articles",
    "POST /api/articles",
    "POST /api/articles/upload",
    "GET /api/articles/{article_id}",
    "DELETE /api/articles/{article_id}",
    "GET /api/ingests",
    "GET /api/ingests/{ingest_id}",
    "GET /v1/models",
    "GET /v1/models/{model}",
    "POST /v1/chat/completions",
    "GET /health",
    "GET /ready",
    "GET /metrics",
]
PROMISES = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PATIENCE_S = 60
EXAMPLES = 10


@pytest.fixture(scope="module")
def written(launch):
    """A server of its own: these requests add and delete articles."""
    server = launch("written")
    server.wait()
    return server


@pytest.fixture(scope="module")
def schema(written):
    load_all_checks()
    # Without the settings of whoever runs the tests.
    return schemathesis.openapi.from_url(f"{written.url}/openapi.json", config=schemathesis.Config())


def operation_of(schema, label):
    method, path = label.split()
    return schema[path][method]


def test_every_operation_is_tried_here(schema):
    assert sorted(OPERATIONS) == sorted(found.ok().label for found in schema.get_all_operations())


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("label", OPERATIONS)
def test_any_request_gets_a_response_that_is_documented(schema, label, mode):
    operation = operation_of(schema, label)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        r = (
            case.call_and_validate(timeout=PATIENCE_S)
            if ALL
            else case.call_and_validate(checks=PROMISES, timeout=PATIENCE_S)
        )
        print(label, mode, r.status_code, r.elapsed, r.request.url[20:160], str(r.request.body)[:200])

    ask()


import os

ALL = os.environ.get("ALL")
