"""The archive's table of rates as a store of the library `limits`: several servers count together."""

from __future__ import annotations

import time

from limits.storage import MovingWindowSupport, Storage

from rag.errors import StoreError
from rag.rates import Rates


class SharedStorage(Storage, MovingWindowSupport):
    """Counts in the archive."""

    STORAGE_SCHEME = None  # it is made here, from no address

    def __init__(self, rates: Rates) -> None:
        super().__init__()
        self._rates = rates

    @property
    def base_exceptions(self) -> type[Exception]:
        """What it raises if the archive cannot be reached."""
        return StoreError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count, unless there were too many in the last `expiry` seconds; return whether it was counted."""
        now = time.time()
        return self._rates.hit(key, at=now, since=now - expiry, most=limit, times=amount)

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the first of the last `expiry` seconds was counted, and how many were."""
        return self._rates.since(key, time.time() - expiry)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and return how often it was in the last `expiry` seconds."""
        self.acquire_entry(key, 1 << 30, expiry, amount)
        return self.get_moving_window(key, 0, expiry)[1]

    def get(self, key: str) -> int:
        """Return how often it was counted, as far as it is known."""
        return self._rates.since(key, 0.0)[1]

    def get_expiry(self, key: str) -> float:
        """Return the moment it was first counted: a moving window has no end of its own."""
        return self._rates.since(key, 0.0)[0]

    def check(self) -> bool:
        """Tell whether the archive answers."""
        try:
            self._rates.since("", 0.0)
        except StoreError:
            return False
        return True

    def reset(self) -> int | None:
        """Forget everything."""
        self._rates.forget()
        return None

    def clear(self, key: str) -> None:
        """Forget one name."""
        self._rates.forget(key)
