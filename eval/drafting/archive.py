"""What the archive says to a drafted question: where to look next, another answer, further evidence, asked before."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eval.datasets import Evidence
from eval.drafting.sentences import Candidate
from eval.drafting.words import QUOTED
from eval.metrics.answers import contains_gold, normalise
from rag.archive import Archive
from rag.figures import days, figures
from rag.schema import Article, Passage
from rag.sentences import sentence_spans
from rag.timewords import YEAR
from rag.words import content_stems, names, tokens

_PAGE = 500  # articles read at once
_LOOKED_AT = 40  # passages searched for another answer
# Shares of a question's stems. Lower ones drop questions for sentences about something else.
_SAYS_IT = 0.85
_SPEAKS_OF_IT = 0.7
_SAME = 0.5  # of the shorter of two questions with the same answer
_OPINION = re.compile(r"opinion|comment|letter|editorial|column|satire", re.IGNORECASE)


class Drafter:
    """An archive while questions are drafted from it, and what has been asked so far.

    Attributes:
        order: Ids of the articles to draft from, by turns from each outlet and month.
        now: The day after the newest article, midnight UTC; None if no article has a date.
    """

    def __init__(self, archive: Archive, seed: int) -> None:
        newest = archive.status().newest_at
        self.archive = archive
        self.now: datetime | None = None
        if newest:
            self.now = (newest + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.order = _spread(archive, random.Random(seed))
        self._asked: list[_Asked] = []
        self._quotes: set[tuple[str, str]] = set()
        self._names: dict[str, bool] = {}

    def articles(self) -> Iterator[Article]:
        """Yield the articles to draft from: English, the first copy of each report."""
        for id_ in self.order:
            article = self.archive.article(id_)
            card = self.archive.stories.cards([id_]).get(id_)
            if article.language == "en" and (card is None or card.leads):
                yield article

    def story_of(self, article: Article) -> str:
        """Return the id of an article's story."""
        card = self.archive.stories.cards([article.id]).get(article.id)
        return card.story_id if card else article.id

    def is_name(self, word: str) -> bool:
        """Tell whether articles write a word with a capital inside their sentences, and never without."""
        if word not in self._names:
            texts = [passage.text for passage in self._found(word)]
            plain = any(re.search(rf"\b{re.escape(word.lower())}\b", text) for text in texts)
            inside = any(re.search(rf"[\w,’'] [“\"]?{re.escape(word)}\b", text) for text in texts)
            self._names[word] = inside and not plain
        return self._names[word]

    def checked(self, item: Candidate) -> Candidate | None:
        """Return the question with all its evidence; None if it gives its answer away or has another.

        If another article seems to answer otherwise, the question is pinned to the outlet and day of its own.
        """
        if contains_gold(item.question, [item.answers]) or not contains_gold(item.quote, [item.answers]):
            return None
        wanted = set(content_stems(QUOTED.sub("", item.core)) or content_stems(item.core))
        evidence = [Evidence(item.article.id, item.quote)]
        for passage in self._found(item.core):
            for start, end in sentence_spans(passage.text):
                text = passage.text[start:end]
                shared = len(wanted & set(content_stems(text))) / len(wanted)
                if text == item.quote or shared < _SPEAKS_OF_IT:
                    continue
                own = passage.article_id == item.article.id
                if contains_gold(text, [item.answers]):
                    evidence += [Evidence(passage.article_id, text)] if shared >= _SAYS_IT and not own else []
                elif _may_answer(item, text):
                    if own or not item.pin:
                        return None
                    item = replace(item, pinned=True)
        return replace(item, evidence=tuple(dict.fromkeys(evidence)))

    def is_new(self, item: Candidate) -> bool:
        """Tell whether nothing like the question has been asked, and note it as asked."""
        asked = _Asked(
            frozenset(content_stems(item.core)),
            frozenset(word for name in names(item.core) for word in tokens(name)),
            normalise(item.answers[0]) if item.answers else "",
        )
        quote = (item.article.id, item.quote)
        if (item.quote and quote in self._quotes) or any(map(asked.repeats, self._asked)):
            return False
        self._asked.append(asked)
        self._quotes.add(quote)
        return True

    def _found(self, words: str) -> list[Passage]:
        ids = [id_ for id_, _ in self.archive.full_text.search(words, limit=_LOOKED_AT)]
        passages = self.archive.passages(ids)
        return [passages[id_] for id_ in ids if id_ in passages]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What tells a question from others: its stems, the words of its names, and its answer ("" without one)."""

    stems: frozenset[str]
    named: frozenset[str]
    answer: str

    def repeats(self, other: _Asked) -> bool:
        """Tell whether both ask for one fact, perhaps in other words."""
        if self.stems == other.stems:
            return True
        near = len(self.stems & other.stems) >= _SAME * min(len(self.stems), len(other.stems))
        return near and bool(self.answer) and self.answer == other.answer and bool(self.named & other.named)


def _spread(archive: Archive, drawn: random.Random) -> list[str]:
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for offset in range(0, archive.article_count(), _PAGE):
        for article in archive.articles(limit=_PAGE, offset=offset):
            if article.kind != "teaser" and not article.retracted and not _OPINION.search(article.section):
                month = f"{article.published_at:%Y-%m}" if article.published_at else ""
                groups[article.source, month].append(article.id)
    turns = list(groups.values())
    for ids in turns:
        drawn.shuffle(ids)
    drawn.shuffle(turns)
    longest = max(map(len, turns), default=0)
    return [ids[place] for place in range(longest) for ids in turns if place < len(ids)]


def _may_answer(item: Candidate, text: str) -> bool:
    """Tell whether a sentence about the same, without the expected answer, holds something of its kind."""
    if item.kind in ("how many", "how much", "how old"):
        return bool(figures(text))
    if item.kind == "when":
        return bool(days(text)) or re.search(YEAR, text) is not None
    known = set(tokens(item.core))
    return any(set(tokens(name)) - known for name in names(text))
