"""When to read the sources again: files that changed, and addresses now and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from ingest.sources import folder_of, is_address, may_matter

EVERY = 15 * 60  # seconds between two looks at an address
FILES_EVERY = (
    60  # and at folders in which nothing was seen to change: it may have, before the watch began or on a network
)


def changes(sources: Sequence[str | Path], stop: Event | None = None) -> Iterator[None]:
    """Yield each time that something in the sources' folders changed or may have, until `stop` is set.

    Changes that come in one burst are one; addresses are due every `EVERY` seconds, files `FILES_EVERY` at the latest.
    """
    from watchfiles import watch

    named = list(map(str, sources))
    folders = {folder_of(source) for source in named if not is_address(source)}
    some_address = any(map(is_address, named))
    if not folders:
        while not (stop or Event()).wait(EVERY):
            yield
        return
    changed = watch(
        *folders,
        watch_filter=lambda _, path: may_matter(path),
        stop_event=stop,
        yield_on_timeout=True,
        rust_timeout=1000 * (EVERY if some_address else FILES_EVERY),  # milliseconds
    )
    for _ in changed:
        yield
