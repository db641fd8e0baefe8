"""What `/openapi.json` promises, held against the server by requests made from it, the wrong ones included."""

from __future__ import annotations

import pytest
import schemathesis
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

PROMISED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# The same requests in each run.
BOUNDS = {
    "seed": 1,
    "generation": {"max-examples": 10, "deterministic": True, "database": "none", "no-shrink": True},
    "phases": {"coverage": {"enabled": True}},
}


@pytest.fixture(scope="module")
def written(launch):
    """A server of its own: these requests add and delete articles."""
    server = launch("written")
    server.wait()
    return server


@pytest.fixture(scope="module")
def promises(written):
    load_all_checks()
    return schemathesis.openapi.from_url(
        f"{written.url}/openapi.json", config=schemathesis.Config.from_dict(BOUNDS)
    )


@schemathesis.pytest.from_fixture("promises").parametrize()
def test_every_response_is_one_that_is_documented(case):
    case.call_and_validate(checks=PROMISED, timeout=60)
