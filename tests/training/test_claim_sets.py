"""Pairs for the verifier's network. The sentences are ours."""

import random

from training.claim_sets import Pair, judged_sentences, own
from training.claims import is_held_out
from training.faults import corrupted, made

PARAGRAPH = (
    "The harbour bridge was opened on Tuesday by mayor Ines Halloran. It cost 40 million crowns, which was more than "
    "expected, and took four years to build. Engineer Tomas Wick said that the ground had been softer than in 2019."
)
ELSEWHERE = "The orchestra from Karsk, led by Vera Holm, will tour in May, after a break of two years."


def test_a_fault_changes_the_claim_and_its_label():
    claim = "It cost 40 million crowns, which was more than expected."
    for seed in range(30):
        wrong, label = corrupted(claim, PARAGRAPH, ELSEWHERE, random.Random(seed))
        assert wrong != claim
        assert wrong not in PARAGRAPH
        assert label in ("contradicted", "neither", "other")


def test_of_each_paragraph_true_and_false_claims_are_made():
    pairs = list(made([("a", PARAGRAPH), ("b", ELSEWHERE + " " + PARAGRAPH)], random.Random(1)))
    assert {pair.label for pair in pairs} >= {"supported", "neither"}
    assert {pair.group for pair in pairs} == {"made:a", "made:b"}


def pair(claim, label):
    return Pair("summedits", "summedits:1", claim, "text", label)


def test_the_wrong_sentence_is_told_where_the_right_ones_are_known():
    right = pair("It rained on Monday. The fair went on.", "supported")
    wrong = pair("It rained on Friday. The fair went on.", "other")
    unclear = pair("It snowed on Friday. The fair ended.", "other")
    found = {item.claim: item.label for item in judged_sentences([right, wrong, unclear])}
    assert found == {
        "It rained on Monday.": "supported",
        "The fair went on.": "supported",
        "It rained on Friday.": "other",
    }


def test_our_own_claims_are_true_and_false_and_no_passage_is_in_both_parts():
    ours = list(own())
    assert {item.label for item in ours} == {"supported", "other"}
    parts = {held: {item.group for item in ours if is_held_out(item) is held} for held in (True, False)}
    assert parts[True]
    assert not parts[True] & parts[False]
