"""A starting dataset from the user's own archive (`pressmark eval draft`), for a person to review.

Without a chat model questions are made of sentences by patterns. Where a pattern does not surely fit there is no
question: better few than clumsy ones. What a question asks is looked for in the whole archive, so that it has one
answer, or none where it is to have none.

The built-in reader has no say in what is asked: a set of what a system can answer measures nothing of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from eval.datasets import Evidence, Split
from eval.drafting.archive import Drafter
from eval.drafting.model import asked_by
from eval.drafting.rules import RULES
from eval.drafting.sentences import Candidate, readable, stands_alone
from eval.drafting.untold import is_untold, untold
from rag.archive import Archive
from rag.schema import Article

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_UNANSWERABLE = 5  # one question in so many


@dataclass(frozen=True, slots=True)
class DraftedQuestion:
    """One line of a dataset in the form of `eval.datasets`; answerable if it has answers.

    Attributes:
        answers: Aliases of the one answer, the article's own words first; empty if no article answers.
        evidence: The sentences that answer, from each article where one was found; the article drafted from first.
        now: The day after the newest article; None if no article has a date.
        tags: The kind, "drafted", "by-rule" or the chat model's name, and "close-miss" if no article answers.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    now: datetime | None
    tags: tuple[str, ...]
    split: Split

    @property
    def line(self) -> dict[str, Any]:  # one JSON object
        """The line as `json.dumps` takes it."""
        return {
            "id": self.id,
            "question": self.question,
            "now": self.now.date().isoformat() if self.now else None,
            "answerable": bool(self.answers),
            "answers": [list(self.answers)] if self.answers else [],
            "evidence": [{"article_id": item.article_id, "quote": item.quote} for item in self.evidence],
            "tags": list(self.tags),
            "split": self.split,
        }


def draft(
    archive: Archive,
    *,
    count: int,
    seed: int = 0,
    model: BaseChatModel | None = None,
    dropped: Counter[str] | None = None,
) -> list[DraftedQuestion]:
    """Draft questions from the archive, spread over outlets, months and articles; the same for the same seed.

    One in five has no answer in the archive, or fewer if there are not so many of which that is sure. These are made by
    rule, with a chat model too: that nothing answers has to be looked up, not believed. dev and test share no story.

    Args:
        archive: Retracted articles, teasers, opinion and articles in other languages than English are passed over.
        count: Questions wanted; there are fewer if the archive yields no more.
        seed: Decides where drafting begins.
        model: Asked for questions about parts of articles; without one they are made by patterns.
        dropped: Takes up how many replies and questions of the model were dropped, by reason.

    Raises:
        ValueError: `count` is below 1.
        ChatModelError: The model failed three times in a row before it gave a question.
    """
    if count < 1:
        raise ValueError(f"count is {count}: draft one question or more.")
    drafter = Drafter(archive, seed)
    source = _by_model(drafter, model, Counter() if dropped is None else dropped) if model else _by_rule(drafter)
    found = list(islice(source, count - count // _UNANSWERABLE))
    found += islice(_close_misses(drafter), count // _UNANSWERABLE)
    return found + list(islice(source, count - len(found)))


def _by_rule(drafter: Drafter) -> Iterator[DraftedQuestion]:
    """Yield a question from each article, then a second from each; the rule least used so far goes first."""
    used: Counter[str] = Counter()
    waiting: Iterator[tuple[Article, list[tuple[str, Candidate]]]]
    waiting = ((article, _suggested(article, drafter)) for article in drafter.articles())
    while True:
        left = []
        for article, found in waiting:
            while found:
                rule, item = min(found, key=lambda pair: used[pair[0]])
                found.remove((rule, item))
                checked = drafter.checked(item)
                if checked and drafter.is_new(checked):
                    used[rule] += 1
                    yield _question(checked, drafter, ("by-rule",))
                    break
            if found:
                left.append((article, found))
        if not left:
            return
        waiting = iter(left)


def _suggested(article: Article, drafter: Drafter) -> list[tuple[str, Candidate]]:
    return [
        (name, item)
        for sentence in readable(article, drafter.is_name)
        for name, rule in RULES.items()
        for item in rule(sentence)
        if stands_alone(item.core, plural=item.kind == "how many")
    ]


def _by_model(drafter: Drafter, model: BaseChatModel, dropped: Counter[str]) -> Iterator[DraftedQuestion]:
    for item in asked_by(drafter, model, dropped):
        if drafter.is_new(item):
            yield _question(item, drafter, (_name_of(model),))
        else:
            dropped["it was asked already"] += 1


def _close_misses(drafter: Drafter) -> Iterator[DraftedQuestion]:
    """Yield at most one unanswerable question from each article; the form least used so far goes first."""
    used: Counter[str] = Counter()
    for article in drafter.articles():
        if not article.published_at:
            continue
        for item in sorted(untold(article), key=lambda item: used[item.form]):
            if is_untold(drafter.archive, item) and drafter.is_new(item.candidate):
                used[item.form] += 1
                yield _question(item.candidate, drafter, ("by-rule", "close-miss"))
                break


def _question(item: Candidate, drafter: Drafter, tags: Sequence[str]) -> DraftedQuestion:
    story = hashlib.sha256(drafter.story_of(item.article).encode()).digest()
    source = f"{item.article.id}\n{item.question}"
    return DraftedQuestion(
        id=f"draft-{hashlib.sha256(source.encode()).hexdigest()[:12]}",
        question=item.question,
        answers=item.answers,
        evidence=item.evidence,
        now=drafter.now,
        tags=(item.kind, "drafted", *tags),
        split="test" if story[0] % 2 else "dev",
    )


def _name_of(model: BaseChatModel) -> str:
    """Return the model's name as its provider has it, else its class."""
    return str(getattr(model, "model_name", "") or getattr(model, "model", "") or type(model).__name__)
