"""A PostgreSQL server of the tests' own: on a free port of this machine, in a temporary folder, gone at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

PASSWORD = "seven-herons"  # the server asks for none; it may stand in no message all the same
_FAST = (
    "fsync=off",
    "full_page_writes=off",
    "unix_socket_directories=",
    "shared_buffers=32MB",
)


def binaries() -> Path | None:
    """Return the folder of the newest server that is installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class PostgresServer:
    """Starts it; root may not run it, so that it is the user postgres who does then."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="pressmark-postgres-"))
        if self._user:
            shutil.chown(self._folder, "postgres", "postgres")
        initdb = ["initdb", "-D", "data", "-A", "trust", "-U", "press", "-E", "UTF8", "--locale", "C", "--no-sync"]
        self._run(*initdb)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._numbers = count()
        self.start()

    def start(self) -> None:
        """Start the server on the data that is there, and wait until it answers."""
        options = [part for option in _FAST for part in ("-c", option)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", "data", "-h", "127.0.0.1", "-p", str(self.port), *options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                **self._user,
            )
        deadline = time.monotonic() + 30
        ready = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.02)

    def kill(self) -> None:
        """End it and the processes it has for its connections without a warning, as a power cut would."""
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for process in (parent, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it and remove its data."""
        self._process.send_signal(signal.SIGINT)  # without waiting for connections
        self._process.wait()
        shutil.rmtree(self._folder)

    def address(self) -> str:
        """Return the address of an empty schema of its own."""
        schema = f"test{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {schema}")
        return f"postgresql+psycopg://press:{PASSWORD}@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{schema}"

    def run(self, statement: str) -> None:
        """Run a statement as the server's owner."""
        import psycopg

        with psycopg.connect(f"host=127.0.0.1 port={self.port} user=press dbname=postgres", autocommit=True) as server:
            server.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, **self._user)
