import os
import subprocess
import sys

import pytest

from rag.errors import StoreLockedError
from rag.store import take_lock


def test_a_second_owner_is_told_who_the_first_one_is(tmp_path):
    lock = take_lock(tmp_path)
    code = f"from pathlib import Path; from rag.store import take_lock; take_lock(Path({str(tmp_path)!r}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lock.release()
    assert run.returncode != 0
    assert "StoreLockedError" in run.stderr
    assert f"process {os.getpid()}" in run.stderr
    assert "--home" in run.stderr


def test_a_lock_is_free_again_after_its_owner_died(tmp_path):
    code = (
        "import os; from pathlib import Path; from rag.store import take_lock\n"
        f"take_lock(Path({str(tmp_path)!r})); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    take_lock(tmp_path).release()


def test_two_stores_in_one_process_are_refused_too(tmp_path):
    lock = take_lock(tmp_path)
    with pytest.raises(StoreLockedError):
        take_lock(tmp_path)
    lock.release()
