"""Hybrid search: vectors and BM25, fused by rank, filtered by time and outlet, one vote per story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.instructions import instructed_spans, spans_in
from rag.schema import Passage, RetrievedPassage, TimeWindow
from rag.sentences import Span
from rag.store import Store
from rag.stories import StoryCard
from rag.words import tokens

# Reciprocal rank fusion (Cormack, Clarke & Büttcher, SIGIR 2009): score = sum of 1 / (60 + rank).
RRF_CONSTANT = 60
# A copy keeps its place over the story's first report only if it is clearly the better hit: ranks 1
# and 4 of one search are within this factor.
LEAD_FACTOR = 0.95
# Two passages of one story say the same if the smaller shares this much of its word pairs.
SAME_TEXT = 0.5


class HybridRetriever:
    """Finds the passages of a store for a question."""

    def __init__(self, store: Store, *, k: int, candidates: int, bm25_weight: float = 1.0) -> None:
        self.store = store
        self._k = k
        self._candidates = candidates
        self._bm25_weight = bm25_weight

    def retrieve(
        self,
        question: str,
        *,
        k: int | None = None,
        window: TimeWindow | None = None,
        sources: Sequence[str] = (),
        also: Sequence[str] = (),
    ) -> list[RetrievedPassage]:
        """Return up to `k` passages, best first, ranks from 1.

        Args:
            question: What is searched by vectors and by words.
            k: None takes the setting.
            window: Only articles published in it; articles of unknown date are in none.
            sources: Only these outlets; empty for all.
            also: Other forms of the same question; each is one more vote in the fusion.
        """
        forms = [form for form in dict.fromkeys([question, *also]) if form.strip()]
        if not forms:
            return []
        vectors = self.store.embeddings.embed(forms, query=True)
        limit = self._candidates
        dense = [self.store.index.search(v, limit=limit, window=window, sources=sources) for v in vectors]
        bm25 = [self.store.archive.full_text.search(f, limit=limit, window=window, sources=sources) for f in forms]
        scores = self._fused(
            [[id_ for id_, _ in route] for route in dense], [[id_ for id_, _ in route] for route in bm25]
        )
        passages = self.store.archive.passages(list(scores))
        cards = self.store.archive.stories.cards(list(dict.fromkeys(p.article_id for p in passages.values())))
        near = {id_: (rank, similarity) for rank, (id_, similarity) in enumerate(dense[0], start=1)}
        worded = {id_: rank for rank, (id_, _) in enumerate(bm25[0], start=1)}
        found = [
            _retrieved(passages[id_], score, near, worded, cards[passages[id_].article_id])
            for id_, score in scores.items()
            if id_ in passages and passages[id_].article_id in cards
        ]
        chosen = one_vote_per_story(found, cards)[: k or self._k]
        return [
            replace(item, rank=rank, instructed=self._instructed(item.passage))
            for rank, item in enumerate(chosen, start=1)
        ]

    def by_route(
        self, question: str, *, window: TimeWindow | None = None, sources: Sequence[str] = ()
    ) -> dict[str, list[str]]:
        """Return the article ids that vectors ("dense"), words ("bm25") and both ("fused") find, best first.

        As places of passages: an article may stand there several times. For measuring; `retrieve` does more.
        """
        limit = self._candidates
        vector = self.store.embeddings.embed([question], query=True)[0]
        dense = [id_ for id_, _ in self.store.index.search(vector, limit=limit, window=window, sources=sources)]
        bm25 = [
            id_ for id_, _ in self.store.archive.full_text.search(question, limit=limit, window=window, sources=sources)
        ]
        scores = self._fused([dense], [bm25])
        known = self.store.archive.passages(list(scores))
        routes = {"dense": dense, "bm25": bm25, "fused": list(scores)}
        return {name: [known[id_].article_id for id_ in ids if id_ in known] for name, ids in routes.items()}

    def _fused(self, dense: Sequence[Sequence[str]], bm25: Sequence[Sequence[str]]) -> dict[str, float]:
        return fuse([*dense, *bm25], [1.0] * len(dense) + [self._bm25_weight] * len(bm25))

    def _instructed(self, passage: Passage) -> tuple[Span, ...]:
        text = self.store.archive.article(passage.article_id, passage.version).text
        return spans_in(instructed_spans(text), passage.start, passage.end)


def fuse(routes: Sequence[Sequence[str]], weights: Sequence[float] | None = None) -> dict[str, float]:
    """Return the fused score of each id, best first, ties by id.

    Args:
        routes: Each is best first.
        weights: What a vote of each route counts, 0 or more; None for 1 each. A route with 0 finds nothing.
    """
    scores: dict[str, float] = {}
    for route, weight in zip(routes, weights or [1.0] * len(routes), strict=True):
        for rank, id_ in enumerate(route if weight else (), start=1):
            scores[id_] = scores.get(id_, 0.0) + weight / (RRF_CONSTANT + rank)
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def one_vote_per_story(found: Sequence[RetrievedPassage], cards: dict[str, StoryCard]) -> list[RetrievedPassage]:
    """Drop passages that repeat, in another outlet's copy, what a passage of the same story says.

    The first report of a story is kept before its copies unless a copy is clearly the better hit;
    what only one copy says stays.

    Args:
        found: Best first.
        cards: By article id.
    """

    def merit(item: RetrievedPassage) -> float:
        return item.score if cards[item.passage.article_id].leads else item.score * LEAD_FACTOR

    kept: list[RetrievedPassage] = []
    for item in sorted(found, key=lambda item: (-merit(item), item.passage.id)):
        rivals = (
            other
            for other in kept
            if other.story_id == item.story_id and other.passage.article_id != item.passage.article_id
        )
        if not any(_repeats(item.passage.text, other.passage.text) for other in rivals):
            kept.append(item)
    return kept


def _repeats(one: str, other: str) -> bool:
    first, second = set(pairwise(tokens(one))), set(pairwise(tokens(other)))
    return len(first & second) >= SAME_TEXT * max(1, min(len(first), len(second)))


def _retrieved(
    passage: Passage,
    score: float,
    near: Mapping[str, tuple[int, float]],
    worded: Mapping[str, int],
    card: StoryCard,
) -> RetrievedPassage:
    dense_rank, similarity = near.get(passage.id, (None, None))
    return RetrievedPassage(
        passage=passage,
        score=score,
        rank=0,
        dense_rank=dense_rank,
        bm25_rank=worded.get(passage.id),
        similarity=similarity,
        story_id=card.story_id,
        also_in=card.also_in,
        section=card.section,
        correction=card.correction,
        truncated=card.truncated,
    )


class PassageRetriever(BaseRetriever):
    """The hybrid search as a LangChain retriever: passages as documents, metadata as in `Passage`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    retriever: HybridRetriever
    window: TimeWindow | None = None
    sources: tuple[str, ...] = ()

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        found = self.retriever.retrieve(query, window=self.window, sources=self.sources)
        return [
            Document(id=item.passage.id, page_content=item.passage.text, metadata=_metadata(item)) for item in found
        ]


def _metadata(item: RetrievedPassage) -> dict[str, Any]:
    passage = item.passage
    return {
        "article_id": passage.article_id,
        "version": passage.version,
        "start": passage.start,
        "end": passage.end,
        "title": passage.title,
        "source": passage.source,
        "url": passage.url,
        "published_at": passage.published_at.isoformat() if passage.published_at else None,
        "score": item.score,
        "rank": item.rank,
        "also_in": list(item.also_in),
    }
