import pytest

from eval.metrics.retrieval import all_evidence_at_k, gold_ranks, hit_at_k, recall_at_k, reciprocal_rank

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
