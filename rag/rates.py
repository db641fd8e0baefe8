"""How often somebody has asked, kept where several servers see it."""

from __future__ import annotations

from rag.database import Database


class Rates:
    """The table of what was counted: a name and the moment, in seconds since 1970."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def hit(self, name: str, *, at: float, since: float, most: int, times: int = 1) -> bool:
        """Count `times` more for a name, unless there were more than `most` since then; return whether it was counted.

        Servers that count at the same moment may let one more through each.
        """
        self._db.put("DELETE FROM rates WHERE at <= ?", [since])
        counted = self._db.put(
            "INSERT INTO rates (name, at) SELECT ?, ? FROM (SELECT 1 AS one) AS once "
            "WHERE (SELECT count(*) FROM rates WHERE name = ? AND at > ?) < ?",
            [name, at, name, since, most - times + 1],
        )
        for _ in range(times - 1 if counted else 0):
            self._db.put("INSERT INTO rates (name, at) VALUES (?, ?)", [name, at])
        return counted > 0

    def since(self, name: str, since: float) -> tuple[float, int]:
        """Return the first moment after `since` that a name was counted at, `since` if none, and how often it was."""
        row = self._db.rows(
            "SELECT min(at) AS first, count(*) AS n FROM rates WHERE name = ? AND at > ?", [name, since]
        )
        return (float(row[0]["first"]) if row[0]["n"] else since), int(row[0]["n"])

    def forget(self, name: str | None = None) -> None:
        """Forget what was counted for a name, or for all."""
        if name is None:
            self._db.put("DELETE FROM rates")
        else:
            self._db.put("DELETE FROM rates WHERE name = ?", [name])
