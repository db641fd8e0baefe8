"""Measure cold starts: `pressmark ask` to its answer, `pressmark serve` until it is ready and answers.

    python -m bench.start [--rounds 7]

A home with the sample archive is made first. Each round starts new processes; the files they read are in the system's
memory after the first round, which is left out. Beside them, `pressmark --help`, and what importing torch and
sentence-transformers alone takes here. Medians, in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np

from eval.sample import ARTICLES

QUESTION = "Who conducts the Port Selwyn Philharmonic?"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        _timed(_command(home, "ingest", str(ARTICLES)))
        parts: dict[str, Callable[[], dict[str, float]]] = {
            "help": lambda: {"pressmark --help": _timed(_command(home, "--help"))},
            "ask": lambda: {"pressmark ask": _timed(_command(home, "ask", QUESTION))},
            "serve": lambda: _served(home),
            "imports": lambda: {"importing sentence-transformers": _timed([sys.executable, "-c", _IMPORTS])},
        }
        took: dict[str, list[float]] = {}
        for number in range(options.rounds + 1):
            for part in parts.values():
                for what, seconds in part().items():
                    if number:
                        took.setdefault(what, []).append(seconds)
    for what, seconds_of in took.items():
        print(f"{what}: {np.median(seconds_of):.2f} s (least {min(seconds_of):.2f}, most {max(seconds_of):.2f})")


_IMPORTS = "import sentence_transformers"


def _command(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "ui.cli", "--home", str(home), *words]


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _served(home: Path) -> dict[str, float]:
    """Return the time until the server says that it is ready, and of its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*_command(home, "serve"), "--port", str(port)]
    began = time.perf_counter()
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "is ready" in line:
                break
        ready = time.perf_counter() - began
        began = time.perf_counter()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/answers",
            data=json.dumps({"question": QUESTION}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as reply:  # noqa: S310
            assert json.load(reply)["claims"], "no answer"
        answered = time.perf_counter() - began
        process.terminate()
    return {"pressmark serve, ready": ready, "its first answer": answered}


if __name__ == "__main__":
    main()
