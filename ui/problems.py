"""Errors of the API as problem details (RFC 9457): what went wrong, no internals."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from rag.errors import (
    AnswerTimeoutError,
    BusyError,
    ChatModelError,
    NotAllowedError,
    NotFoundError,
    PressmarkError,
    SourceError,
    StoreError,
)

_log = logging.getLogger("pressmark")
# The first that fits counts, so a special error stands before the general one.
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NotFoundError, 404),
    (NotAllowedError, 403),
    (BusyError, 503),
    (AnswerTimeoutError, 504),
    (SourceError, 400),
    (StoreError, 503),
    (ChatModelError, 502),
    (PressmarkError, 500),
    (ValueError, 400),
)


class Fault(BaseModel):
    """One value that cannot be used."""

    where: str = Field(description="Place of the value in the request.", examples=["body.question"])
    detail: str


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No answer has the id '123'."])
    errors: list[Fault] = Field(default=[], description="For a request that does not fit: each fault.")


class ClientError(BaseModel):
    """What clients of chat models read of an error."""

    message: str
    type: str
    code: int


class ChatProblem(Problem):
    """A problem under `/v1`: with what clients of chat models look for."""

    error: ClientError


_PROBLEM_SCHEMA = {"schema": {"$ref": "#/components/schemas/Problem"}}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"description": HTTPStatus(code).phrase, "content": {"application/problem+json": _PROBLEM_SCHEMA}}
    for code in (400, 401, 403, 404, 413, 422, 429, 500, 502, 503, 504)
}
_RETRY_AFTER_S = {503: "5"}


def reason(error: Exception) -> str:
    """Return what whoever asked is told of an error we foresaw: of the stores no more than that they fail.

    Their own messages name folders and hosts, and are for the log.
    """
    if isinstance(error, StoreError):
        _log.error("A store failed: %s", error)
        return "The archive or its index cannot be used at the moment; the server's log says why. Try again later."
    return str(error)


def problem_of(error: Exception) -> Problem:
    """Return the problem that tells of `error`; one we did not foresee tells nothing of itself."""
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return _problem(status, reason(error))
    return _problem(500, "Something went wrong on the server; its log has the details.")


def add_problem_handlers(app: FastAPI) -> None:
    """Make `app` answer every error with a problem."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    for kind, _ in _STATUSES:
        app.add_exception_handler(kind, _failed)
    app.add_exception_handler(Exception, _failed)


def _problem(status: int, detail: str, errors: list[Fault] | None = None) -> Problem:
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or [])


def add_problem_schema(spec: dict[str, Any]) -> None:
    """Put the schema that `PROBLEM_RESPONSES` refers to into an OpenAPI document."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    schemas |= schema.pop("$defs", {}) | {"Problem": schema}


def problem_response(path: str, status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Return a problem as a response, for what answers before the routes do."""
    return _response(path, _problem(status, detail), headers)


def _response(path: str, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    if path.startswith("/v1/"):
        told = ClientError(message=problem.detail, type=problem.title, code=problem.status)
        problem = ChatProblem(**problem.model_dump(), error=told)
    return Response(
        problem.model_dump_json(),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )


async def _failed(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    wait = _RETRY_AFTER_S.get(problem.status)
    return _response(request.url.path, problem, {"Retry-After": wait} if wait else None)


async def _refused(request: Request, error: Exception) -> Response:
    refusal = cast("HTTPException", error)  # the only class it is registered for
    problem = _problem(refusal.status_code, str(refusal.detail))
    return _response(request.url.path, problem, dict(refusal.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    # Without the values sent: they may be large, and need not be valid Unicode.
    items = cast("RequestValidationError", error).errors()
    faults = [Fault(where=".".join(str(part) for part in item["loc"]), detail=item["msg"]) for item in items]
    detail = "; ".join(f"{fault.where}: {fault.detail}" for fault in faults[:5])
    return _response(request.url.path, _problem(422, detail, faults))
