"""What the archive knows of the files its articles came from: read to the end, unchanged, gone, what was wrong.

A file is known by its absolute path, or by its address. It is read in a run; articles found in it are noted with the
run's number. An article is live in a file if it was found there in the file's last whole reading or later; so a run
that was killed takes nothing away, nor does one that did not understand all of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.archive_tables import epoch
from rag.database import Database


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something that could not become an article, or that is doubtful about one.

    Attributes:
        file: The source file, by its absolute path or address.
        place: Where in it: "folder/file.jsonl line 12".
        reason: What is wrong, and the cure.
        lost: No article came of it.
        at: When it was found.
    """

    file: str
    place: str
    reason: str
    lost: bool
    at: datetime


_LIVE_ELSEWHERE = (
    "SELECT 1 FROM origins p LEFT JOIN files g ON g.name = p.file "
    "WHERE p.article_id = o.article_id AND p.run >= coalesce(g.live_since, 0)"
)


class Files:
    """The tables of files, origins and problems. Runs are numbered upwards."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def stamp(self, name: str) -> str:
        """Return the stamp under which the file was last read to its end, "" if it never was."""
        rows = self._db.rows("SELECT stamp FROM files WHERE name = ?", [name])
        return str(rows[0]["stamp"]) if rows else ""

    def found(self, articles: Iterable[tuple[str, str]], *, run: int) -> None:
        """Note (file, article id) pairs."""
        with self._db.transaction() as db:
            db.executemany(
                "INSERT INTO origins VALUES (?, ?, ?) ON CONFLICT (file, article_id) DO UPDATE SET run = excluded.run",
                [(file, id_, run) for file, id_ in articles],
            )

    def add_problems(self, problems: Iterable[FileProblem], *, run: int) -> None:
        """Note problems; the same one in the same place is noted once."""
        with self._db.transaction() as db:
            db.executemany(
                "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (file, place, reason) "
                "DO UPDATE SET lost = excluded.lost, run = excluded.run, at = excluded.at",
                [(p.file, p.place, p.reason, p.lost, run, epoch(p.at)) for p in problems],
            )

    def begin(self, name: str, shown: str) -> str:
        """Note that the file is being read anew: until its end is reached it counts as changed.

        Returns:
            What the ids of its articles are made from, always the same for a file: `shown`, its name from the folder
            that was given on, so that ids do not depend on the machine and outlast a move; or `name` if another file
            that is still there has that name too.
        """
        with self._db.transaction() as db:
            db.execute("INSERT INTO files VALUES (?, '', '', 0, 0, 0) ON CONFLICT DO NOTHING", [name])
            db.execute("UPDATE files SET stamp = '' WHERE name = ?", [name])
            base = str(db.rows("SELECT base FROM files WHERE name = ?", [name])[0]["base"])
            if not base:
                others = [row["name"] for row in db.rows("SELECT name FROM files WHERE base = ?", [shown])]
                base = name if any(map(_is_there, others)) else shown
                db.execute("UPDATE files SET base = '' WHERE base = ?", [base])  # of a file that moved here
                db.execute("UPDATE files SET base = ? WHERE name = ?", [base, name])
        return base

    def finish(self, name: str, stamp: str, *, run: int, whole: bool = True) -> None:
        """Note that the file was read to its end.

        Args:
            name: Absolute path, or address.
            stamp: Changes when the file does.
            run: The present one.
            whole: All that it holds was understood. If not, articles that were found in it before are not gone.
        """
        with self._db.transaction() as db:
            db.execute("INSERT INTO files VALUES (?, '', '', 0, 0, 0) ON CONFLICT DO NOTHING", [name])
            db.execute(
                "UPDATE files SET stamp = ?, live_since = ?, read = ?, checked = ? WHERE name = ?",
                [stamp, run if whole else 0, run, run, name],
            )
            db.execute("DELETE FROM problems WHERE file = ? AND run < ?", [name, run])

    def unchanged(self, name: str, *, run: int) -> list[tuple[str, str]]:
        """Note that the file is as it was; return its articles, as last read, with their versions."""
        with self._db.transaction() as db:
            db.execute("UPDATE files SET checked = ? WHERE name = ?", [run, name])
            rows = db.rows(
                "SELECT a.id, a.version FROM origins o JOIN files f ON f.name = o.file "
                "JOIN articles a ON a.id = o.article_id AND +a.current = 1 WHERE o.file = ? AND o.run = f.read",
                [name],
            )
        return [(row["id"], row["version"]) for row in rows]

    def vanish(self, folder: Path, *, run: int) -> list[str]:
        """Mark the files under `folder` that this run did not meet as gone; return their names."""
        inside = f"{folder.as_posix().rstrip('/')}/"
        with self._db.transaction() as db:
            rows = db.rows(
                "SELECT name FROM files WHERE checked < ? AND substr(name, 1, ?) = ? ORDER BY name",
                [run, len(inside), inside],
            )
            db.executemany(
                "UPDATE files SET stamp = '', live_since = ?, checked = ? WHERE name = ?",
                [(run, run, row["name"]) for row in rows],
            )
        return [row["name"] for row in rows]

    def gone(self, *, run: int) -> list[str]:
        """Return the articles that stood in a file of this run before and stand in no file now, by id."""
        rows = self._db.rows(
            "SELECT DISTINCT o.article_id FROM origins o JOIN files f ON f.name = o.file "
            f"WHERE f.checked = ? AND o.run < f.live_since AND NOT EXISTS ({_LIVE_ELSEWHERE}) ORDER BY o.article_id",
            [run],
        )
        return [row["article_id"] for row in rows]

    def forget_vanished(self, names: Sequence[str]) -> None:
        """Drop files whose articles were deleted."""
        with self._db.transaction() as db:
            for table, column in (("files", "name"), ("origins", "file"), ("problems", "file")):
                db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(name,) for name in names])

    def problems(
        self, *, file: str = "", lost: bool | None = None, limit: int = 1000, offset: int = 0
    ) -> list[FileProblem]:
        """Return the problems of one file or of all, by file and place; `lost` takes one sort only."""
        rows = self._db.rows(
            "SELECT * FROM problems WHERE ? IN ('', file) AND lost = coalesce(?, lost) "
            "ORDER BY file, place, reason LIMIT ? OFFSET ?",
            [file, lost, limit, offset],
        )
        return [
            FileProblem(r["file"], r["place"], r["reason"], bool(r["lost"]), datetime.fromtimestamp(r["at"], UTC))
            for r in rows
        ]

    def problem_count(self, *, file: str = "", lost: bool) -> int:
        """Return how many there are that lost something, or that did not."""
        sql = "SELECT count(*) AS n FROM problems WHERE ? IN ('', file) AND lost = ?"
        return int(self._db.rows(sql, [file, lost])[0]["n"])


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # it may not be looked at: it is there
        return True
