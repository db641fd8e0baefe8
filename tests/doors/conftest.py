"""Real servers in processes of their own, over copies of one home that holds the sample archive."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from eval.sample import ARTICLES
from ingest.run import ingest
from rag.settings import Settings
from rag.store import opened

UP_S = 120  # a start takes seconds; machines are shared
DOWN_S = 20


def plain_environment() -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PRESSMARK_")}


class Server:
    """A process that serves a home; may be killed and started again at the same address."""

    def __init__(self, home: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.home = home
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = home.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = plain_environment() | settings

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def launch(self) -> None:
        command = [sys.executable, "-m", "ui.cli", "--home", self.home, "serve", "--sample", "--port", str(self._port)]
        with self._log.open("ab") as log:
            # Elsewhere than here, where an .env may lie.
            self._process = subprocess.Popen(
                command, env=self._environment, cwd=self.home.parent, stdout=log, stderr=subprocess.STDOUT
            )

    def wait(self) -> None:
        until = time.monotonic() + UP_S
        while not self._ready():
            assert self._process is not None
            assert self._process.poll() is None, self.log
            assert time.monotonic() < until, f"not ready after {UP_S} s\n{self.log}"
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=5).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Let it no time to put anything away."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(DOWN_S)

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(DOWN_S)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture(scope="session")
def new_home(tmp_path_factory) -> Callable[[str], Path]:
    """Returns new homes with the sample: one process owns a home, and to ingest takes longer than to copy."""
    folder = tmp_path_factory.mktemp("doors")
    first = folder / "first"
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - plain_environment().keys():
            patch.delenv(name)
        settings = Settings(_env_file=None, home=first)
    with opened(settings) as store:
        assert not ingest([ARTICLES], store, passage_tokens=settings.passage_tokens).rejected
    return lambda name: Path(shutil.copytree(first, folder / name))


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    server = Server(home)
    server.launch()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def launch(new_home) -> Iterator[Callable[[str], Server]]:
    """Returns servers that are starting, each on a home of its own; all are stopped at the end."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(serving(new_home(name)))


@pytest.fixture(scope="session")
def starting(launch) -> Server:
    """The server of `server`, for what goes on while it starts."""
    return launch("shared")


@pytest.fixture(scope="session")
def server(starting) -> Server:
    """A server that tests only ask."""
    starting.wait()
    return starting
