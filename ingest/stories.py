"""Near-duplicate grouping: copies and light rewrites of one story get one story id, incrementally.

Candidates share a band of their MinHash signatures (locality-sensitive hashing after Broder 1997 and
Leskovec, Rajaraman & Ullman, "Mining of Massive Datasets", 3.4); a candidate joins only if the texts
themselves overlap. Follow-up reports on the same event share names, not runs of words, and stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.archive import Archive
from rag.schema import Article

PERMUTATIONS = 64
BAND_ROWS = 2  # 32 bands of 2: a pair with Jaccard 0.3 is a candidate with probability 0.95
SHINGLE_WORDS = 3
# Share of the shorter text's shingles found in the longer one. In the sample archive the pairs of wire copies share
# 0.75 to 0.94, all other pairs at most 0.08; on edited Wikinews articles 0.3 joined follow-ups that repeat a paragraph,
# 0.4 none, 0.5 missed 9 % of the copies (`python -m bench.stories`).
MIN_CONTAINMENT = 0.4
# Of 64: articles that share a key by chance have two; the texts of the others are compared.
MIN_EQUAL_VALUES = 4
_WORD = re.compile(r"\w+")


def shingles(text: str) -> frozenset[str]:
    """Return the runs of three words of `text`, lower case; a shorter text is one shingle."""
    words = _WORD.findall(text.lower())
    if len(words) < SHINGLE_WORDS:
        return frozenset([" ".join(words)]) if words else frozenset()
    return frozenset(" ".join(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1))


def containment(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the smaller set that is in the larger one, in [0, 1]; 0 if one is empty."""
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


def bands(text_shingles: frozenset[str]) -> list[str]:
    """Return the keys under which a text is found by its near-duplicates."""
    from datasketch import MinHash

    if not text_shingles:
        return []
    signature = MinHash(num_perm=PERMUTATIONS, seed=1)
    signature.update_batch([shingle.encode() for shingle in sorted(text_shingles)])
    values = [int(value) for value in signature.hashvalues]
    return [
        f"{row}:{'-'.join(format(value, 'x') for value in values[row : row + BAND_ROWS])}"
        for row in range(0, PERMUTATIONS, BAND_ROWS)
    ]


def signature_values(keys: Sequence[str]) -> set[tuple[str, int, str]]:
    """Return the values of a signature with their places, given its keys from `bands`.

    The share of the 64 values that two texts have in common estimates the Jaccard similarity of their shingles.
    """
    parts = (key.split(":") for key in keys)
    return {(row, place, value) for row, values in parts for place, value in enumerate(values.split("-"))}


def assign(article: Article, archive: Archive) -> str:
    """Return the story id of `article` and make it findable for later ones.

    The id is that of the story with the largest overlap, else the article's own id. A teaser is
    grouped with what it announces, since its text opens the full one.
    """
    own = shingles(article.text)
    keys = bands(own)
    best, story_id = 0.0, article.id
    values = signature_values(keys)
    sharing = archive.stories.sharing_bands(keys, apart_from=article.id) if keys else {}
    likely = [id_ for id_, theirs in sharing.items() if len(values & signature_values(theirs)) >= MIN_EQUAL_VALUES]
    for text, other_story in archive.stories.texts(likely) if likely else []:
        overlap = containment(own, shingles(text))
        if overlap >= MIN_CONTAINMENT and overlap > best:
            best, story_id = overlap, other_story
    archive.stories.add_bands(article.id, keys)
    return story_id
