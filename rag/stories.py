"""The stories of an archive: which articles are copies of one report, and the keys by which copies are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.archive_tables import marks
from rag.database import Database, Row

_BAND_ROWS = 50  # articles looked at for one near-duplicate key
_LIKELY = 8  # articles looked at for one


@dataclass(frozen=True, slots=True)
class StoryCard:
    """What retrieval needs of a passage's article: its story, copies and notes."""

    story_id: str
    section: str
    correction: str | None
    truncated: bool
    leads: bool
    also_in: tuple[str, ...]


class Stories:
    """The tables of stories: a story is what its articles have as `story_id`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add_bands(self, article_id: str, bands: Sequence[str]) -> None:
        """Replace the near-duplicate keys under which `article_id` is found."""
        with self._db.transaction() as db:
            db.execute("DELETE FROM story_bands WHERE article_id = ?", [article_id])
            db.executemany(
                "INSERT INTO story_bands VALUES (?, ?) ON CONFLICT DO NOTHING", [(band, article_id) for band in bands]
            )

    def sharing_bands(self, bands: Sequence[str], *, apart_from: str) -> dict[str, list[str]]:
        """Return articles that share keys, each with all of its own keys: most shared first, then by id.

        Of a key that very many share, as with reports made from a template, only some are looked at.
        """
        shared: Counter[str] = Counter()
        if bands:  # in one question: an article has dozens of keys
            each = (
                "SELECT article_id FROM (SELECT article_id FROM story_bands WHERE band = ? ORDER BY article_id LIMIT ?)"
            )
            asked = " UNION ALL ".join(f"{each} AS of{n}" for n in range(len(bands)))
            rows = self._db.rows(asked, [value for band in bands for value in (band, _BAND_ROWS)])
            shared.update(row["article_id"] for row in rows)
        del shared[apart_from]
        found: dict[str, list[str]] = {id_: [] for id_ in sorted(shared, key=lambda id_: (-shared[id_], id_))[:_LIKELY]}
        for row in self._db.rows(
            f"SELECT article_id, band FROM story_bands WHERE article_id IN ({marks(list(found))})", list(found)
        ):
            found[row["article_id"]].append(row["band"])
        return found

    def texts(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return (text, story id) of those of the articles that are current or pending, in the order of `ids`."""
        rows = self._db.rows(
            f"SELECT id, text, story_id FROM articles WHERE id IN ({marks(ids)}) "
            "AND (+current = 1 OR state || '' = 'pending') "
            "ORDER BY +current DESC",  # of an article that is being replaced the new version counts
            ids,
        )
        found = {row["id"]: (str(row["text"]), str(row["story_id"])) for row in rows}
        return [found[id_] for id_ in ids if id_ in found]

    def cards(self, article_ids: Sequence[str]) -> dict[str, StoryCard]:
        """Return what retrieval needs to know of each article's story.

        The lead of a story is the copy published first (unknown dates last, then by id).
        """
        rows = self._db.rows(
            "SELECT id, source, section, correction, truncated, story_id FROM articles WHERE current = 1 "
            f"AND story_id IN (SELECT story_id FROM articles WHERE +current = 1 AND id IN ({marks(article_ids)})) "
            "ORDER BY story_id, published_at IS NULL, published_at, id",
            article_ids,
        )
        stories: dict[str, list[Row]] = {}
        for row in rows:
            stories.setdefault(row["story_id"], []).append(row)
        cards = {}
        for story_id, members in stories.items():
            for row in members:
                others = dict.fromkeys(m["source"] for m in members if m["source"] and m["source"] != row["source"])
                cards[row["id"]] = StoryCard(
                    story_id=story_id,
                    section=row["section"],
                    correction=row["correction"],
                    truncated=bool(row["truncated"]),
                    leads=row is members[0],
                    also_in=tuple(others),
                )
        return cards
