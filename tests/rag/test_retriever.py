from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rag.retriever import HybridRetriever, PassageRetriever, fuse, one_vote_per_story
from rag.schema import Passage, RetrievedPassage, TimeWindow
from rag.stories import StoryCard


def test_fusion_adds_reciprocal_ranks_and_breaks_ties_by_id():
    scores = fuse([["a", "b"], ["b", "c"]])
    assert list(scores) == ["b", "a", "c"]
    assert scores["b"] == pytest.approx(1 / 62 + 1 / 61)
    assert list(fuse([["z"], ["y"]])) == ["y", "z"]


def found(article_id, text, score, story="s"):
    passage = Passage(f"{article_id}#0", article_id, "1", 0, 0, len(text), text, "Title")
    return RetrievedPassage(passage=passage, score=score, rank=0, story_id=story)


def card(story="s", leads=False):
    return StoryCard(story, "", None, False, leads, ())


TEXT = "The ferry burned for two hours off the port on Thursday."


def test_copies_of_one_story_take_one_place_and_the_first_report_keeps_it():
    items = [found("copy", TEXT, 1.0), found("lead", TEXT, 0.97)]
    kept = one_vote_per_story(items, {"copy": card(), "lead": card(leads=True)})
    assert [item.passage.article_id for item in kept] == ["lead"]


def test_a_copy_that_is_clearly_the_better_hit_keeps_its_place():
    items = [found("copy", TEXT + " Pupils of Wexcombe were on board.", 1.0), found("lead", TEXT, 0.5)]
    kept = one_vote_per_story(items, {"copy": card(), "lead": card(leads=True)})
    assert [item.passage.article_id for item in kept] == ["copy"]


def test_what_only_a_copy_says_stays():
    items = [found("lead", TEXT, 1.0), found("copy", "Pupils of Wexcombe school were on board that day.", 0.5)]
    kept = one_vote_per_story(items, {"copy": card(), "lead": card(leads=True)})
    assert len(kept) == 2


def test_alike_passages_of_different_stories_both_stay():
    items = [found("one", TEXT, 1.0, "s1"), found("two", TEXT, 0.9, "s2")]
    assert len(one_vote_per_story(items, {"one": card("s1", True), "two": card("s2", True)})) == 2


@pytest.fixture(scope="module")
def retriever(sample_store):
    return HybridRetriever(sample_store, k=8, candidates=50)


def test_every_passage_of_the_sample_is_an_exact_part_of_its_article(sample_store):
    ids = sample_store.archive.passage_ids()
    assert len(ids) > 100
    for passage in sample_store.archive.passages(ids).values():
        article = sample_store.archive.article(passage.article_id, passage.version)
        assert article.text[passage.start : passage.end] == passage.text


def test_a_wire_story_takes_one_place_and_names_its_other_outlets(retriever):
    results = retriever.retrieve("engine-room fire on the ferry Solenne")
    best = results[0]
    assert best.passage.source == "Aldria Wire"
    assert set(best.also_in) == {"Selwyn Courier", "North Coast Tribune"}
    assert [item.rank for item in results] == list(range(1, 9))


def test_filters_hold_for_both_routes(retriever):
    window = TimeWindow(since=datetime(2025, 7, 1, tzinfo=UTC), until=datetime(2025, 8, 1, tzinfo=UTC))
    results = retriever.retrieve("the mayor of Port Selwyn", window=window, sources=["Selwyn Courier"])
    assert results
    assert {item.passage.source for item in results} == {"Selwyn Courier"}
    assert all(item.passage.published_at.month == 7 for item in results)


def test_nothing_in_the_window_is_an_empty_result(retriever):
    assert retriever.retrieve("ferry", window=TimeWindow(until=datetime(1990, 1, 1, tzinfo=UTC))) == []


def test_it_is_a_langchain_retriever(retriever):
    documents = PassageRetriever(retriever=retriever).invoke("engine-room fire on the ferry Solenne")
    assert documents[0].metadata["source"] == "Aldria Wire"
    assert documents[0].id.startswith(documents[0].metadata["article_id"])


def test_the_same_question_twice_gives_the_same_result(retriever):
    one, two = (retriever.retrieve("volcano on the Isle of Sorrel") for _ in range(2))
    assert [replace(item, similarity=0) for item in one] == [replace(item, similarity=0) for item in two]
