"""Articles that come through the server: uploads, pasted text, addresses; read one after another in the background."""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import re
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.loaders import known_endings
from ingest.run import ingest
from ingest.sources import is_address, is_known
from rag.errors import BusyError, NotAllowedError, PressmarkError, SourceError
from rag.ingests import IngestRecord
from rag.store import home_id
from ui.problems import reason

if TYPE_CHECKING:
    from ingest.report import IngestReport, Progress
    from rag.archive import Archive
    from rag.settings import Settings
    from rag.store import Store

_WAITING = 100  # ingests asked for and not begun
_FIRST = 200  # looked through after a start for those that a stop cut off
_NAME_BYTES = 180  # file systems take 255, ending and mark of an unfinished file included
_UNFIT = re.compile(r"[^\w. -]+")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pasted:
    """A text that somebody pasted; without title, outlet, address and date it may be a page of several articles."""

    text: str
    title: str = ""
    source: str = ""
    url: str = ""
    published_at: datetime | None = None


class IngestDesk:
    """Takes what is to be ingested and reads it in one thread of its own.

    Uploads and pasted texts are kept under `home/uploads`, each in a folder named after its content: two files of one
    name do not take each other's articles, and the same file sent twice is known.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._folder = settings.folder / "uploads"
        self._queue: queue.Queue[tuple[IngestRecord, list[str | Path]] | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._home = home_id(settings.folder)

    @property
    def _archive(self) -> Archive:
        return self._store.archive

    def settle(self) -> None:
        """Mark what an earlier server of this home did not finish: nobody is reading it now."""
        for record in self._archive.ingests.latest(_FIRST):
            if record.state in ("waiting", "running") and record.home in ("", self._home):
                self._archive.ingests.put(
                    replace(record, state="interrupted", report="The server stopped before the end; send it again.")
                )

    def take_files(self, files: Sequence[tuple[str, bytes]]) -> IngestRecord:
        """Keep uploaded files and read them.

        Args:
            files: Name and content of each; of the name only the last part counts.

        Raises:
            SourceError: There is none, or one is empty or of no known kind.
            BusyError: Too many ingests wait.
        """
        if not files:
            raise SourceError("There is no file: choose or send at least one.")
        for name, content in files:
            if not content:
                raise SourceError(f"{_plain_name(name)} is empty.")
            if not is_known(Path(_plain_name(name))):
                raise SourceError(f"{_plain_name(name)} is of no kind that can be read ({known_endings()}).")
        paths = [self._kept(_plain_name(name), content) for name, content in files]
        return self._take(", ".join(path.name for path in paths), list(paths))

    def take_text(self, pasted: Pasted) -> IngestRecord:
        """Keep a pasted text and read it.

        Raises:
            SourceError: It is empty.
            BusyError: Too many ingests wait.
        """
        if not pasted.text.strip():
            raise SourceError("The text is empty.")
        described = pasted.title or pasted.source or pasted.url or pasted.published_at
        if not described:
            path = self._kept("pasted.txt", pasted.text.encode("utf-8", "replace"))
            return self._take("pasted text", [path])
        row = {"title": pasted.title, "text": pasted.text, "source": pasted.source, "url": pasted.url}
        if pasted.published_at:
            row["published_at"] = pasted.published_at.isoformat()
        record = {name: value for name, value in row.items() if value}
        path = self._kept("pasted.json", json.dumps([record], ensure_ascii=False).encode("utf-8", "replace"))
        return self._take(pasted.title or "pasted text", [path])

    def take_address(self, url: str) -> IngestRecord:
        """Fetch a page or feed; only from public addresses, as far as its robots.txt allows.

        Raises:
            SourceError: It is no web address.
            BusyError: Too many ingests wait.
        """
        if not is_address(url):
            raise SourceError(f"{url[:200]!r} is no web address: it begins with http:// or https://.")
        return self._take(url, [url])

    def close(self) -> None:
        """End the thread after what it is reading; what waits is marked as interrupted."""
        with self._lock:
            thread = self._thread
        if thread is None:
            return
        while True:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting:
                self._archive.ingests.put(replace(waiting[0], state="interrupted", report="The server stopped."))
        self._queue.put(None)
        thread.join()

    def _take(self, what: str, sources: list[str | Path]) -> IngestRecord:
        if not self._settings.writable:
            raise NotAllowedError("Articles cannot be added here: PRESSMARK_ALLOW_WRITES is off.")
        record = IngestRecord(uuid.uuid4().hex[:16], what[:300], "waiting", datetime.now(UTC), home=self._home)
        self._archive.ingests.put(record)
        try:
            self._queue.put_nowait((record, sources))
        except queue.Full:
            self._archive.ingests.put(replace(record, state="failed", report="Too many waited."))
            raise BusyError(f"{_WAITING} ingests wait already: try again when some are done.") from None
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ingest", daemon=True)
                self._thread.start()
        return record

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            record, sources = item
            try:
                record = self._read(record, sources)
            except PressmarkError as error:
                record = replace(record, state="failed", report=reason(error))
            except Exception:
                # The thread serves the next one; whoever asked gets no internals.
                _log.exception("An ingest failed")
                record = replace(record, state="failed", report="Something went wrong on the server; see its log.")
            self._archive.ingests.put(record)

    def _read(self, record: IngestRecord, sources: list[str | Path]) -> IngestRecord:
        record = replace(record, state="running")
        self._archive.ingests.put(record)

        def tell(progress: Progress) -> None:
            self._archive.ingests.put(replace(record, done=progress.done, articles=progress.articles))

        report = ingest(sources, self._store, passage_tokens=self._settings.passage_tokens, progress=tell)
        return _ended(record, report)

    def _kept(self, name: str, content: bytes) -> Path:
        folder = self._folder / hashlib.sha256(content).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")  # the same file may come twice at once
        part.write_bytes(content)
        part.replace(path)
        return path


def _ended(record: IngestRecord, report: IngestReport) -> IngestRecord:
    nothing = not (report.added or report.updated or report.unchanged)
    return replace(
        record,
        state="failed" if nothing and report.rejected else "done",
        done=1.0,
        articles=report.added + report.updated + report.unchanged,
        added=report.added,
        updated=report.updated,
        unchanged=report.unchanged,
        report=report.to_text(),
        problems=tuple(problem.to_text() for problem in report.problems),
    )


def _plain_name(name: str) -> str:
    """Return the last part of a path in letters, digits, dot, blank and hyphen; never empty, hidden or a folder."""
    last = _UNFIT.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    stem, dot, ending = last.rpartition(".")
    return f"{_cut(stem)}{dot}{_cut(ending, 20)}" if dot else (_cut(last) or "upload")


def _cut(text: str, size: int = _NAME_BYTES) -> str:
    """Cut a text to so many bytes of UTF-8: file systems count those."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
