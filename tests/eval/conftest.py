"""A chain without models: answers written out by hand, over an archive in a dict."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from eval.datasets import EvalQuestion, Evidence
from rag.errors import NotFoundError
from rag.schema import Answer, Article, Citation, Claim, Passage, RetrievedPassage

NOW = datetime(2025, 9, 1, tzinfo=UTC)

# "wire" and "copy" carry one story.
TEXTS = {
    "wire": "Nine people died. The ferry burned for hours.",
    "copy": "Nine people died. The ferry burned for hours.",
    "march": "About 12,000 people marched.",
    "weather": "Rain fell on the coast. It was cold.",
}
STORIES = {"wire": "s1", "copy": "s1", "march": "s2", "weather": "s3"}


class FakeStories:
    def cards(self, article_ids):
        return {i: SimpleNamespace(story_id=STORIES[i]) for i in article_ids if i in STORIES}


class FakeArchive:
    stories = FakeStories()

    def article(self, article_id, version=None):
        if article_id not in TEXTS:
            raise NotFoundError(f"No article has the id {article_id!r}.")
        return Article(id=article_id, version="v1", title=article_id, text=TEXTS[article_id])


class FakeChain:
    """Gives the answer written for a question; an exception is raised. Keeps what it was asked."""

    def __init__(self, answers):
        self.store = SimpleNamespace(archive=FakeArchive())
        self.asked = []
        self._answers = answers

    def invoke(self, query):
        self.asked.append(query)
        answer = self._answers[query.question]
        if isinstance(answer, Exception):
            raise answer
        return answer


def found(article_id, rank):
    text = TEXTS[article_id]
    passage = Passage(f"{article_id}:0", article_id, "v1", 0, 0, len(text), text, article_id)
    return RetrievedPassage(passage, score=1 / rank, rank=rank, story_id=STORIES[article_id])


def cited(number, article_id, quote=None):
    text = TEXTS[article_id]
    quote = quote or text.split(". ")[0].rstrip(".") + "."
    start = text.index(quote)
    return Citation(number, article_id, "v1", start, start + len(quote), quote, article_id)


def answered(*said, retrieved=("copy", "weather"), window=None, conflicts=()):
    """Each of `said` is (claim text, article id cited or None)."""
    claims, citations = [], []
    for text, article_id in said:
        if article_id:
            citations.append(cited(len(citations) + 1, article_id))
        numbers = (len(citations),) if article_id else ()
        claims.append(Claim(text, numbers, "supported", 1.0))
    text = " ".join(f"{c.text} " + "".join(f"[{n}]" for n in c.citations) for c in claims)
    return made("answered", claims, citations, text, retrieved, window, conflicts)


def abstained(retrieved=("weather",)):
    return made("abstained", [], [], "The archive does not say. Nearest: Nine people died.", retrieved, None, ())


def made(status, claims, citations, text, retrieved, window, conflicts):
    return Answer(
        id="x",
        question="?",
        search_query="?",
        window=window,
        status=status,
        claims=tuple(claims),
        text=text,
        raw_text=text,
        citations=tuple(citations),
        retrieved=tuple(found(article_id, rank) for rank, article_id in enumerate(retrieved, 1)),
        conflicts=tuple(conflicts),
        notes=(),
        confidence=0.5,
        model="builtin",
        timings_ms={},
        created_at=NOW,
    )


def asked(question_id, *, answers=(), evidence=(), window=None, tags=("what",), split="dev", turns=()):
    return EvalQuestion(
        id=question_id,
        question=f"{question_id}?",
        turns=turns,
        now=NOW,
        answerable=bool(answers),
        answers=answers,
        evidence=tuple(Evidence(*item) for item in evidence),
        window=window,
        tags=tags,
        split=split,
    )


DEATHS = {"answers": (("nine", "9"),), "evidence": (("wire", "Nine people died."),)}


@pytest.fixture
def tools():
    """The makers above: test folders are no packages, so they cannot be imported."""
    return SimpleNamespace(
        FakeChain=FakeChain,
        FakeArchive=FakeArchive,
        answered=answered,
        abstained=abstained,
        asked=asked,
        cited=cited,
        found=found,
        DEATHS=DEATHS,
        NOW=NOW,
        TEXTS=TEXTS,
    )
