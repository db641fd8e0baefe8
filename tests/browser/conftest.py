"""A real server and a real browser.

They last for one module: while Playwright's loop runs, `asyncio.run` fails in whatever test comes after.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from eval.sample import ARTICLES, QUESTIONS

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
READY_S = 120
PATIENCE_MS = 20_000  # machines are shared; what is there in time is not waited for

# As `python -m ui.cli`, but nothing follows a sentence of an answer before the file named first is there.
SLOW_SERVER = """
import sys
import time
from pathlib import Path

from rag.chain import AnswerChain
from rag.schema import ClaimShown
from ui.cli import main

gate = Path(sys.argv.pop(1))
at_once = AnswerChain.stream


def slowly(self, *args, **kwargs):
    for event in at_once(self, *args, **kwargs):
        yield event
        while isinstance(event, ClaimShown) and not gate.exists():
            time.sleep(0.02)


AnswerChain.stream = slowly
main()
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server; `gate` is the file that a slow one waits for."""

    address: str
    home: Path
    gate: Path | None = None

    def json(self, path: str) -> dict[str, Any]:
        return httpx.get(self.address + path).raise_for_status().json()


@contextmanager
def serving(command: Sequence[str | Path], home: Path, *more: str | Path) -> Iterator[str]:
    """Serve a home in a process of its own; yield the address once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("PRESSMARK_")}
    told = home / "server.log"
    with told.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--home", home, "serve", "--port", str(port), *more],
            env=env,
            cwd=home,  # a .env of whoever runs the tests is not read
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + READY_S
        while not _ready(address):
            assert process.poll() is None, f"the server ended:\n{told.read_text()}"
            assert time.monotonic() < deadline, f"the server is not ready after {READY_S} s:\n{told.read_text()}"
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    reason = f"no browser ({', '.join(BROWSERS)}) on the path: install chromium, on Debian `apt-get install chromium`"
    if os.environ.get("PRESSMARK_BROWSER_TESTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample archive as `pressmark serve --sample` serves it, with a question file of the reader's own."""
    home = tmp_path_factory.mktemp("served")
    questions = home / "evals" / "questions" / "tiny.jsonl"
    questions.parent.mkdir(parents=True)
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    # Two that are answered rightly, and one that cannot be: it expects what is nowhere in the archive.
    wrong = json.loads(lines[0]) | {"id": "wrong", "answers": [["a gardener from Wexcombe"]]}
    questions.write_text("\n".join([*lines[:2], json.dumps(wrong)]), encoding="utf-8")
    with serving(["-m", "ui.cli"], home, "--sample") as address:
        yield Served(address, home)


@pytest.fixture(scope="module")
def slow_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that stops after each sentence until the gate is there; with few articles, to be ready soon."""
    home = tmp_path_factory.mktemp("slow")
    script, articles, gate = home / "slow_server.py", home / "articles.jsonl", home / "gate"
    script.write_text(SLOW_SERVER, encoding="utf-8")
    lines = ARTICLES.read_text(encoding="utf-8").splitlines(keepends=True)
    articles.write_text("".join(line for line in lines if "Solenne" in line), encoding="utf-8")
    with serving([script, gate], home, "--ingest", articles) as address:
        yield Served(address, home, gate)
        gate.touch()  # or the thread that answers would keep the process


@pytest.fixture(autouse=True)
def problems() -> Iterator[list[str]]:
    """What no page may do, whatever is tested: log errors, throw, reach for another machine."""
    found: list[str] = []
    yield found
    assert found == []


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, server: Served, problems: list[str]) -> Iterator[Visit]:
    """Return a function that opens the page in a context (a reader's browser) of its own."""
    contexts = []

    def opened(path: str = "/", *, at: Served = server, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)

        def sent(request: Request) -> None:
            if not request.url.startswith((at.address, "data:", "blob:")):
                problems.append(f"request to {request.url}")

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                problems.append(f"console: {message.text} ({message.location.get('url')})")

        context.on("request", sent)
        context.on("console", said)
        context.on("weberror", lambda error: problems.append(f"page: {error.error}"))
        page = context.new_page()
        arrive(page, at.address + path)
        return page

    yield opened
    for context in contexts:
        context.close()


def arrive(page: Page, address: str) -> None:
    """Open the page and wait until the server has filled it."""
    page.goto(address)
    expect(page.locator(".pm-freshness")).to_be_visible()


def come_back(page: Page, problems: list[str]) -> None:
    """Leave the page and open it again in the same browser."""
    address, before = page.url, len(problems)
    page.goto("about:blank")
    del problems[before:]  # Gradio complains when it is left while the server speaks; nobody is there to read it
    arrive(page, address)
