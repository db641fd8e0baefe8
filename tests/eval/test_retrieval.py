import math
import random

import ir_measures
import pytest
from ir_measures import RR, R, Success, nDCG

from eval.metrics.retrieval import (
    all_evidence_at_k,
    gold_ranks,
    hit_at_k,
    ndcg_at_k,
    recall_at_k,
    reciprocal_rank,
)

RANKED = ["x", "copy", "copy", "b"]
GOLD = [{"wire", "copy"}, {"b"}, {"c"}]


def test_any_copy_of_a_story_is_that_story():
    assert gold_ranks(RANKED, GOLD) == [2, 4, None]


def test_by_hand():
    assert hit_at_k(RANKED, GOLD, k=1) == 0.0
    assert hit_at_k(RANKED, GOLD, k=2) == 1.0
    assert recall_at_k(RANKED, GOLD, k=3) == pytest.approx(1 / 3)  # the copy twice counts once
    assert recall_at_k(RANKED, GOLD, k=4) == pytest.approx(2 / 3)
    assert all_evidence_at_k(RANKED, GOLD, k=4) == 0.0  # a hit is not all that is needed
    assert all_evidence_at_k(RANKED, GOLD[:2], k=4) == 1.0
    assert reciprocal_rank(RANKED, GOLD) == 0.5
    assert reciprocal_rank(RANKED, GOLD, k=1) == 0.0


def test_two_pieces_in_one_article_do_not_exceed_one():
    assert recall_at_k(["b"], [{"b"}, {"b"}], k=1) == 1.0


def test_nothing_found_is_zero_and_no_gold_is_none():
    assert hit_at_k([], GOLD, k=8) == recall_at_k([], GOLD, k=8) == reciprocal_rank([], GOLD) == 0.0
    for metric in (hit_at_k, recall_at_k, all_evidence_at_k, reciprocal_rank):
        assert metric(RANKED, [], k=8) is None


@pytest.mark.parametrize("metric", [hit_at_k, recall_at_k, all_evidence_at_k, reciprocal_rank])
def test_k_below_one_is_refused(metric):
    with pytest.raises(ValueError, match="k is 0"):
        metric(RANKED, GOLD, k=0)


def test_ndcg_by_hand():
    gained = 1 / math.log2(3) + 1 / math.log2(5)  # the copy at place 2, "b" at place 4
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg_at_k(RANKED, GOLD, k=4) == pytest.approx(gained / ideal)
    assert ndcg_at_k(["b", "wire", "c"], GOLD, k=3) == pytest.approx(1.0)
    assert ndcg_at_k(RANKED, [], k=4) is None


def test_figures_equal_ir_measures_on_random_rankings():
    drawn = random.Random(5)
    for _ in range(50):
        articles = [f"d{number}" for number in range(12)]
        ranked = drawn.sample(articles, 8)
        gold = drawn.sample(articles, drawn.randint(1, 4))
        qrels = [ir_measures.Qrel("q", article, 1) for article in gold]
        result = [ir_measures.ScoredDoc("q", article, -float(place)) for place, article in enumerate(ranked)]
        theirs = ir_measures.calc_aggregate([nDCG @ 5, RR @ 5, R @ 5, Success @ 5], qrels, result)
        sets = [{article} for article in gold]
        assert ndcg_at_k(ranked, sets, k=5) == pytest.approx(theirs[nDCG @ 5])
        assert reciprocal_rank(ranked, sets, k=5) == pytest.approx(theirs[RR @ 5])
        assert recall_at_k(ranked, sets, k=5) == pytest.approx(theirs[R @ 5])
        assert hit_at_k(ranked, sets, k=5) == pytest.approx(theirs[Success @ 5])
