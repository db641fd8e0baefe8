"""One server: the chat window at `/`, the API under `/api`, and what keeps both safe."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match

from rag.errors import SettingsError
from ui.access import BodyLimit, Guard, Keys, named_origins
from ui.api import build_api
from ui.desk import Desk
from ui.evals import EvalDesk
from ui.ingests import IngestDesk
from ui.logs import set_up_logs, set_up_tracing
from ui.metrics import CountedRequests
from ui.theme import head_html, page_theme

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.chain import AnswerChain
    from rag.settings import Settings

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_GRACE_S = 3  # an open page keeps a connection for events; without a limit Ctrl-C would wait for it
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Gradio's page needs inline scripts and styles; but nothing from elsewhere, and no foreign frame.
    "Content-Security-Policy": "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
}


def build_server(chain: AnswerChain, settings: Settings, sample_questions: Sequence[str] = ()) -> FastAPI:
    """Build the application: API routes first, then the page for all other paths.

    Raises:
        SettingsError: Other machines could reach it and nobody would need a key, or the keys cannot be read.
    """
    # Gradio reads it when it is imported: a reader's questions are nobody's statistics.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    from ui.app import build_page

    keys = Keys.of(settings)
    desk = Desk(chain, settings)
    ingests = IngestDesk(chain.store, settings)
    evals = EvalDesk(desk)
    app = build_api(desk, ingests)
    _refuse_unknown_api_paths(app)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Guard, settings=settings, keys=keys, archive=chain.store.archive)
    app.add_middleware(CountedRequests, metrics=desk.metrics)
    # Always: without one Gradio adds its own, which lets any site use a reader's login.
    app.add_middleware(
        CORSMiddleware, allow_origins=sorted(named_origins(settings)), allow_methods=["*"], allow_headers=["*"]
    )
    app.add_middleware(SecurityHeaders)
    gr.mount_gradio_app(
        app,
        build_page(desk, ingests, evals, keys, sample_questions),
        path="/",
        auth=keys.login if keys else None,
        auth_message="The name of your key, and the key.",
        footer_links=[],
        run_history=False,  # questions to an archive stay out of the browser's storage
        show_error=False,
        # Gradio's upload route is there even if nothing may be added.
        max_file_size=f"{settings.upload_mb}mb" if settings.writable else "1kb",
        enable_monitoring=False,
        theme=page_theme(),
        head=head_html(),
    )
    return app


def _refuse_unknown_api_paths(app: FastAPI) -> None:
    """Keep the doors' paths from falling through to the page, whose errors are no problem documents."""

    def unknown(request: Request) -> None:
        path = request.url.path
        for route in app.router.routes:
            if route.matches(request.scope)[0] is Match.PARTIAL:
                raise HTTPException(405, f"{request.method} is not allowed for {path}.")
        raise HTTPException(404, f"There is nothing at {path}; /docs lists the API.")

    for path in (
        "/api/{rest:path}",
        "/v1/{rest:path}",
        "/mcp",
        "/health",
        "/ready",
        "/metrics",
        "/openapi.json",
        "/docs",
    ):
        app.add_api_route(path, unknown, methods=_METHODS, include_in_schema=False)


class SecurityHeaders:
    """ASGI middleware that adds headers; not Starlette's base class, which would buffer streams."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with our headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


# -- serving -------------------------------------------------------------------------------------


class _AnnouncingServer(uvicorn.Server):
    """Says that it is ready when it is: uvicorn's own line comes with log noise."""

    address = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            sys.stdout.write(f"Pressmark is ready: {self.address}\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # An open page's event stream is cut off now; uvicorn would log a traceback for each.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets=sockets)


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until interrupted.

    Raises:
        SettingsError: Host or port cannot be bound.
    """
    set_up_logs()
    set_up_tracing(settings)
    bound = _listen(settings)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_S)
    server = _AnnouncingServer(config)
    server.address = page_address(settings)
    try:
        server.run(sockets=[bound])
    except KeyboardInterrupt:
        sys.stdout.write("Pressmark has stopped.\n")
    finally:
        bound.close()


def page_address(settings: Settings) -> str:
    """Return the address a reader opens; a server on all interfaces is at home on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(settings.host, settings.host)  # noqa: S104
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{settings.port}"


def _listen(settings: Settings) -> socket.socket:
    """Bind before anything is announced: uvicorn would exit the process on its own."""
    host = settings.host.strip("[]")
    try:
        family = socket.getaddrinfo(host or None, settings.port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise SettingsError(
            f"Host {settings.host!r} is no address of this machine ({error}): "
            "choose another with --host or PRESSMARK_HOST."
        ) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, settings.port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror or error}). If another program has the "
            "port, choose another with --port or PRESSMARK_PORT; else check PRESSMARK_HOST."
        ) from error
    return bound
