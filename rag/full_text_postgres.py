"""Full text of the passages in PostgreSQL: which hold the words asked for, and how common words are."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate

from rag.archive_tables import filters
from rag.database import Database
from rag.schema import Passage, TimeWindow
from rag.words import STOP_WORDS

_ASKED = re.compile(r'"(?P<phrase>[^"]*)"|(?P<word>[^\W_]+)(?P<prefix>\*)?')
_WORD = re.compile(r"[^\W_]+")
_QUERY = "to_tsquery('pressmark', ?)"
_WEIGHTS = "{0, 0, 0.5, 1}"  # of the labels D, C, B (text) and A (title)
# Once a question's rarer words find so many passages, its commoner ones order these and find none themselves.
_ENOUGH = 10_000
# Words are counted in a part of the table, some 10,000 passages of it, which stays the same while the table does; words
# met there less often than this, in all of it.
_SAMPLE_BYTES = 16 << 20
_SAMPLE_TRUSTED = 50
_COUNTED = 200  # words that are counted at once; of a question that has more, a pasted text, the rest is left out
_SCORED = 32  # the rarest of them


class PostgresFullText:
    """The index of words over the current passages.

    Words are folded here, so that neither the server's language nor an extension matters: no diacritics, no capitals,
    nothing between words but spaces. The server stems them as English and keeps them as a `tsvector`.

    A passage's score is the sum over the words of the question of BM25's weight for rare words, ln(1 + (N - n + 0.5) /
    (n + 0.5)) for a word in n of N passages, times PostgreSQL's `ts_rank` for this one word: 0.3 for the word once in
    the text, 0.6 in the title, growing to at most 1 with more of them, as BM25's own share of a word does. It has no
    term for length: passages have about the same. Scores have no common scale with those of SQLite; their order counts.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def search(
        self, query: str, *, limit: int, window: TimeWindow | None = None, sources: Sequence[str] = ()
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (passage id, score), best (highest) first, ties by id.

        Any word of `query` may match; a match in the title counts twice. `"several words"` match as they stand, `word*`
        whatever begins so.
        """
        terms = _terms(query)[:_COUNTED]
        found, total = self._frequencies(terms)
        terms = sorted((term for term in terms if found[term]), key=lambda term: (found[term], term))[:_SCORED]
        if not terms:
            return []
        weights = {term: math.log(1 + (total - found[term] + 0.5) / (found[term] + 0.5)) for term in terms}
        wanted = terms[: _rare_enough([found[term] for term in terms])]
        best = self._matching(wanted, weights, window, sources, limit)
        if len(best) < limit and len(wanted) < len(terms):  # window and outlets left few of them
            best = self._matching(terms, weights, window, sources, limit)
        return best

    def _matching(
        self,
        wanted: Sequence[str],
        weights: dict[str, float],
        window: TimeWindow | None,
        sources: Sequence[str],
        limit: int,
    ) -> list[tuple[str, float]]:
        """Return passages in which one of `wanted` stands, scored by all terms that have a weight."""
        condition, values = filters(window, sources)
        joined = (
            " JOIN passages p ON p.id = t.passage_id JOIN articles a ON a.id = p.article_id AND a.version = p.version"
        )
        queries = "".join(f", {_QUERY} AS term{n}" for n in range(len(weights)))
        score = " + ".join(  # a phrase's words are ranked wherever they stand, so it is looked for first
            f"CASE WHEN t.words @@ term{n} THEN ?::float8 * ts_rank('{_WEIGHTS}', t.words, term{n}) ELSE 0 END"
            for n in range(len(weights))
        )
        rows = self._db.rows(
            f"WITH asked AS MATERIALIZED (SELECT {_QUERY} AS wanted{queries}) "
            f"SELECT t.passage_id, {score} AS score FROM asked CROSS JOIN passages_text t{joined if condition else ''} "
            f"WHERE t.words @@ wanted{condition} ORDER BY score DESC, t.passage_id LIMIT ?",
            [" | ".join(f"({term})" for term in wanted), *weights, *weights.values(), *values, limit],
        )
        return [(row["passage_id"], float(row["score"])) for row in rows]

    def add(self, passages: Sequence[Passage]) -> None:
        """Take in passages that the open transaction stored; those that it deletes leave by themselves."""
        self._db.executemany(
            "INSERT INTO passages_text (passage_id, words) VALUES (?, setweight(to_tsvector('pressmark', ?), 'A') || "
            "setweight(to_tsvector('pressmark', ?), 'B'))",
            [(passage.id, folded(passage.title), folded(passage.text)) for passage in passages],
        )

    def refresh(self) -> None:
        """Do nothing: what a transaction stored is found after it."""

    def close(self) -> None:
        """Do nothing: the connections are the archive's."""

    def document_frequencies(self, words: Sequence[str]) -> tuple[dict[str, int], int]:
        """Return in how many passages each word (or a form of it) occurs, and the number of passages.

        In an archive of more than some 10,000 passages the number of all and that of a common word are estimates.
        """
        terms = {word: _phrase(word) for word in words}
        found: dict[str, int] = {}
        for start in range(0, max(1, len(words)), _COUNTED):
            counted, total = self._frequencies([terms[word] for word in words[start : start + _COUNTED] if terms[word]])
            found |= counted
        return {word: found.get(term, 0) for word, term in terms.items()}, total

    def _frequencies(self, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """Return the same for operands; to count a common word in the whole of a large archive takes a second."""
        size = self._db.rows("SELECT pg_relation_size('passages_text') AS bytes")[0]["bytes"]
        share = min(1.0, _SAMPLE_BYTES / max(1, size))
        counts, total = self._counted(terms, f"passages_text TABLESAMPLE SYSTEM ({100 * share}) REPEATABLE (1)")
        if share == 1:
            return counts, total
        rare = [term for term in terms if counts[term] < _SAMPLE_TRUSTED]
        estimates = {term: round(count / share) for term, count in counts.items()}
        return estimates | {term: self._count(term) for term in rare}, round(total / share)

    def _counted(self, terms: Sequence[str], passages: str) -> tuple[dict[str, int], int]:
        queries = "".join(f", {_QUERY} AS term{n}" for n in range(len(terms)))
        counts = "".join(f", count(*) FILTER (WHERE words @@ term{n}) AS found{n}" for n in range(len(terms)))
        row = self._db.rows(
            f"WITH asked AS MATERIALIZED (SELECT 1{queries}) SELECT count(*) AS total{counts} "
            f"FROM asked CROSS JOIN {passages}",
            terms,
        )[0]
        return {term: row[f"found{n}"] for n, term in enumerate(terms)}, row["total"]

    def _count(self, term: str) -> int:
        rows = self._db.rows(f"SELECT count(*) AS n FROM passages_text WHERE words @@ (SELECT {_QUERY})", [term])
        return int(rows[0]["n"])


def _terms(query: str) -> list[str]:
    """Return what a question asks for, as operands of `to_tsquery`, each once."""
    asked = list(_ASKED.finditer(_plain(query)))
    telling = [found for found in asked if found["word"] not in STOP_WORDS or found["prefix"]] or asked
    terms = [
        _phrase(found["phrase"]) if found["word"] is None else found["word"] + ":*" * bool(found["prefix"])
        for found in telling
    ]
    if any(found["word"] and not found["prefix"] for found in telling):
        # A question that quotes: the words count too, in case that they stand otherwise.
        quoted = " ".join(found["phrase"] or "" for found in telling)
        terms += [word for word in folded(quoted).split() if word not in STOP_WORDS]
    return list(dict.fromkeys(term for term in terms if term))


def _phrase(words: str) -> str:
    """Return the operand for words that stand one after another; "" if there are none."""
    return " <-> ".join(folded(words).split())


def _rare_enough(frequencies: Sequence[int]) -> int:
    """Return how many of the words, the rarest first, find enough passages."""
    sums = accumulate(frequencies)
    return next((n for n, found in enumerate(sums, start=1) if found >= _ENOUGH), len(frequencies))


def folded(text: str) -> str:
    """Return the words of a text without capitals and diacritics, a space between them."""
    return " ".join(_WORD.findall(_plain(text)))


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).lower()
