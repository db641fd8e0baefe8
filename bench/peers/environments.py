"""A virtual environment for each peer, as their versions conflict with ours: made once, used again while it fits."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent
_NOTE = "installed.sha256"


def interpreter(name: str, folder: Path) -> Path:
    """Return the interpreter of a peer's environment, after making it or bringing it to the pinned versions.

    Raises:
        RuntimeError: pip failed; the end of what it wrote is told.
    """
    home = folder / name
    python = home / "bin" / "python"
    requirements = REQUIREMENTS / f"{name}.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    note = home / _NOTE
    if note.exists() and note.read_text(encoding="utf-8") == wanted:
        return python
    print(f"installing {name} into {home}", flush=True)
    if not python.exists():
        _done([sys.executable, "-m", "venv", str(home)])
    _done([str(python), "-m", "pip", "install", "--quiet", "--upgrade", "pip"])
    _done([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)])
    note.write_text(wanted, encoding="utf-8")
    return python


def _done(command: list[str]) -> None:
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{process.stdout[-2000:]}")
