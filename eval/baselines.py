"""Trivial systems: a metric that does not rank them last does not measure grounding.

Each takes the chain and a question and returns an `Answer`. They build on the passages and claims
of the chain's own answer, so that only the trick differs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from eval.datasets import EvalQuestion
from rag.schema import Answer, Article, Citation, Claim, Query, RetrievedPassage
from rag.sentences import sentence_spans


class StoryOf(Protocol):
    """What the archive knows of an article's story."""

    @property
    def story_id(self) -> str:
        """Id of the group of copies the article belongs to."""
        ...


class EvalStories(Protocol):
    """The part of `rag.stories.Stories` that scoring needs."""

    def cards(self, article_ids: Sequence[str], /) -> Mapping[str, StoryOf]:
        """Return the stories of the articles, by article id."""
        ...


class EvalArchive(Protocol):
    """The part of `rag.archive.Archive` that scoring needs."""

    def article(self, article_id: str, version: str | None = None) -> Article:
        """Return an article, or raise `NotFoundError`."""
        ...

    @property
    def stories(self) -> EvalStories:
        """The stories of its articles."""
        ...


class EvalStore(Protocol):
    """The part of `rag.store.Store` that scoring needs."""

    @property
    def archive(self) -> EvalArchive:
        """The open archive."""
        ...


class EvalChain(Protocol):
    """The part of `rag.chain.AnswerChain` that an eval needs."""

    @property
    def store(self) -> EvalStore:
        """The open store."""
        ...

    def invoke(self, query: Query, /) -> Answer:
        """Answer one question."""
        ...


System = Callable[[EvalChain, EvalQuestion], Answer]


def ask(chain: EvalChain, question: EvalQuestion) -> Answer:
    """Answer with the chain itself: the system under test."""
    return chain.invoke(question.query)


def copy_first_sentence(chain: EvalChain, question: EvalQuestion) -> Answer:
    """Answer with the first sentence of the top passage and its citation.

    Scores 1.0 on every figure of support and quoting; only right answers tell it from a good system.
    """
    answer = ask(chain, question)
    if not answer.retrieved:
        return _refused(answer)
    citation = _first_sentence(answer.retrieved[0], 1)
    claim = Claim(citation.quote, (1,), "supported", 1.0, ("a copy of the passage",), as_of=citation.published_at)
    return replace(_said(answer, [claim], [citation]), short=None)


def always_refuse(chain: EvalChain, question: EvalQuestion) -> Answer:
    """Abstain on every question: perfect recall of abstaining, no right answer."""
    return _refused(ask(chain, question))


def constant_yes(chain: EvalChain, question: EvalQuestion) -> Answer:
    """Say "Yes." to every question, without a citation."""
    return replace(_said(ask(chain, question), [Claim("Yes.", (), "unsupported", 0.0)], []), short=None)


def random_citation(chain: EvalChain, question: EvalQuestion) -> Answer:
    """Say what the chain says, each claim cited to a passage drawn from those retrieved.

    The draw depends on the question's id only. The verifier is not asked again: every claim counts
    as unsupported. Where all passages are of one story this is no worse than the chain.
    """
    answer = ask(chain, question)
    if answer.status == "abstained" or not answer.retrieved:
        return _refused(answer)
    drawn = random.Random(question.id)
    claims, citations = [], []
    for number, claim in enumerate(answer.claims, 1):
        citations.append(_first_sentence(drawn.choice(answer.retrieved), number))
        claims.append(replace(claim, citations=(number,), verdict="unsupported", score=0.0, reasons=("not checked",)))
    # The conflicts' values stay in the words: only the citations may make the difference.
    values = [position.value for conflict in answer.conflicts for position in conflict.positions]
    return replace(_said(answer, claims, citations), text="\n".join([answer.text, *values]))


def shuffled_citations(chain: EvalChain, question: EvalQuestion) -> Answer:
    """Say what the chain says, with the citation numbers moved on by one.

    A single citation stays: there is nothing to shuffle it with. The verifier is not asked again.
    """
    answer = ask(chain, question)
    if answer.status == "abstained":
        return _refused(answer)
    numbers = [citation.number for citation in answer.citations]
    moved = dict(zip(numbers, [*numbers[1:], *numbers[:1]], strict=True))
    claims = [
        replace(claim, citations=tuple(moved.get(number, number) for number in claim.citations), verdict="unsupported")
        for claim in answer.claims
    ]
    return replace(_said(answer, claims, answer.citations), conflicts=answer.conflicts)


class UnrelatedArchive:
    """Answers as over an archive of something else: with what the chain found for the question before.

    The first question is refused unless an answer from `before` the run is given. One object serves one run.
    """

    def __init__(self, before: Answer | None = None) -> None:
        self._before = before

    def __call__(self, chain: EvalChain, question: EvalQuestion) -> Answer:
        """Return the answer to the question before."""
        answer, before = ask(chain, question), self._before
        self._before = answer
        return _refused(answer) if before is None else replace(before, id=answer.id, question=answer.question)


BASELINES: Mapping[str, System] = {
    "copy-first": copy_first_sentence,
    "refuse": always_refuse,
    "always-yes": constant_yes,
    "random-cite": random_citation,
    "shuffled": shuffled_citations,
}


def _refused(answer: Answer) -> Answer:
    return replace(
        answer,
        status="abstained",
        claims=(),
        citations=(),
        conflicts=(),
        notes=(),
        text="The archive does not say.",
        raw_text="",
        model="baseline",
        short=None,
    )


def _said(answer: Answer, claims: Sequence[Claim], citations: Sequence[Citation]) -> Answer:
    text = " ".join(" ".join([claim.text, *(f"[{number}]" for number in claim.citations)]) for claim in claims)
    return replace(
        answer,
        status="answered",
        claims=tuple(claims),
        citations=tuple(citations),
        conflicts=(),
        notes=(),
        text=text,
        raw_text=text,
        model="baseline",
    )


def _first_sentence(found: RetrievedPassage, number: int) -> Citation:
    passage = found.passage
    start, end = next(iter(sentence_spans(passage.text)), (0, len(passage.text)))
    return Citation(
        number=number,
        article_id=passage.article_id,
        version=passage.version,
        start=passage.start + start,
        end=passage.start + end,
        quote=passage.text[start:end],
        title=passage.title,
        source=passage.source,
        url=passage.url,
        published_at=passage.published_at,
    )
