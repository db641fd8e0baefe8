"""What public metrics get wrong (evaluation anchors, section 8), and that ours do not; one test for each pitfall."""

import math
import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import citations as cite
from eval.metrics import grounding
from eval.metrics.abstention import abstention_recall
from eval.metrics.answers import contains_gold, exact_match, token_f1
from eval.metrics.retrieval import all_evidence_at_k, hit_at_k, ndcg_at_k, recall_at_k
from eval.metrics.statistics import mean
from eval.runner import Options, figures, run
from eval.scoring import score
from rag.checking import check_sentence
from rag.citations import CitationBook, parse_markers
from rag.verifier import Verifier
from rag.writer import cut_sentences

ARTICLES = {1: "gold", 2: "gold", 3: "other"}


def value(tools, name, question, answer):
    return score(question, answer, tools.FakeArchive(), k=8).values[name]


# -- ALCE: citation recall and precision ---------------------------------------------------------


def test_an_invented_number_is_in_the_denominator_of_precision():
    assert cite.citation_precision([[1, 9]], ARTICLES, {"gold"}) == 0.5
    assert cite.invalid_share([[1, 9]], ARTICLES) == 0.5


def test_zero_is_no_passage_and_not_the_last():
    assert parse_markers("Nine died [0].", 3).invalid == (0,)
    assert cite.citation_precision([[0]], ARTICLES, {"gold"}) == 0.0


def test_all_numbers_of_a_marker_count_and_a_year_is_none():
    assert parse_markers("Nine died [1, 2].", 3).numbers == (1, 2)
    assert parse_markers("Nine died in [2024].", 3).numbers == ()


def test_a_marker_after_the_full_stop_stays_with_its_sentence():
    assert list(cut_sentences(["Nine died. [1] It burned. [2]"])) == ["Nine died. [1]", "It burned. [2]"]


def test_what_stands_after_a_line_break_is_scored(tools):
    answer = tools.answered(("The ferry burned.\n\nNine people died.", "wire"))
    assert value(tools, "correct", tools.asked("q", **tools.DEATHS), answer) == 1.0


def test_a_refusal_is_left_out_with_a_count_and_an_uncited_answer_is_not(tools):
    question = tools.asked("q", **tools.DEATHS)
    assert value(tools, "citation_recall", question, tools.abstained()) is None
    assert value(tools, "citation_recall", question, tools.answered(("Nine people died.", None))) == 0.0
    assert mean([None, 0.0, 1.0]).n == 2


def test_greetings_and_questions_are_no_claims(tools):
    for sentence in ("Sure! [1]", "I hope this helps. [1]", "Is there anything else you want to know? [1]"):
        assert check_sentence(sentence, [tools.found("wire", 1)], CitationBook(), Verifier()).shown is None


def test_repeating_a_good_citation_gains_nothing():
    assert cite.citation_precision([[1, 1, 3]], ARTICLES, {"gold"}) == 0.5


def test_partly_supported_is_not_supported():
    assert cite.supported_claims(["supported", "partly"]) == 0.5


def test_copying_a_sentence_scores_full_support_and_no_answer(tools):
    """Support says nothing on right: so it never stands without the figures of answers and the copying system."""
    question, answer = tools.asked("q", **tools.DEATHS), tools.answered(("Rain fell on the coast.", "weather"))
    scores = score(
        question, answer, tools.FakeArchive(), k=8, judge=lambda claim, texts: any(claim in t for t in texts)
    )
    assert scores.values["alce_recall"] == scores.values["alce_precision"] == 1.0
    assert scores.values["correct"] == 0.0
    assert "copy-first" in Options().baselines


# -- RAGAS ---------------------------------------------------------------------------------------


def test_a_wrong_citation_is_seen_though_something_retrieved_supports_the_claim():
    def judge(claim, texts):
        return claim in texts

    found = grounding.judged("Nine died.", [1], {1: "It rained."}, ["It rained.", "Nine died."], judge)
    assert grounding.grounded_in_retrieved([found]) == 1.0
    assert grounding.alce_recall([found]) == 0.0
    assert grounding.miscited([found]) == 1.0


def test_nan_cannot_vanish_from_a_mean():
    with pytest.raises(ValueError, match="NaN"):
        mean([1.0, math.nan])


def test_what_was_not_found_counts():
    """RAGAS' context precision is 1.0 here: one useful chunk at rank 1, the other piece of evidence missed."""
    ranked, gold = ["a", "x", "y", "z"], [{"a"}, {"b"}]
    assert (recall_at_k(ranked, gold, k=4), all_evidence_at_k(ranked, gold, k=4)) == (0.5, 0.0)
    assert ndcg_at_k(ranked, gold, k=4) < 1


def test_a_right_refusal_is_right(tools):
    """RAGAS' answer relevancy gives it 0."""
    assert value(tools, "right_outcome", tools.asked("q"), tools.abstained()) == 1.0
    assert abstention_recall([(False, True)]) == 1.0


# -- RGB -----------------------------------------------------------------------------------------


def test_a_number_inside_another_is_not_the_answer():
    assert contains_gold("170 people died", [["7"]]) is False


def test_refusing_is_an_outcome_and_no_phrase(tools):
    """A sentence that holds the words of a refusal is an answer, whatever its case."""
    answer = tools.answered(("Insufficient information. Nine people died.", "wire"))
    assert value(tools, "abstention_recall", tools.asked("q"), answer) == 0.0
    assert value(tools, "over_refusal", tools.asked("q", **tools.DEATHS), answer) == 0.0


def test_a_call_that_failed_is_wrong_and_not_left_out(tools):
    questions = [tools.asked("a", **tools.DEATHS), tools.asked("b", **tools.DEATHS)]
    chain = tools.FakeChain({"a?": tools.answered(("Nine people died.", "wire")), "b?": RuntimeError("timeout")})
    found = {f.name: f for f in figures(run(chain, questions, options=Options(baselines={}))) if f.group == "all"}
    assert (found["correct"].value, found["correct"].n) == (0.5, 2)
    assert found["errors"].value == 0.5


# -- nuggets -------------------------------------------------------------------------------------


def test_naming_everything_costs_words(tools):
    """Recall of parts cannot fall with length: the words stand beside it."""
    question = tools.asked("q", **tools.DEATHS)
    short, long = (
        tools.answered((text, "wire")) for text in ("Nine people died.", "Six, seven, eight or nine people died.")
    )
    assert value(tools, "correct", question, long) == value(tools, "correct", question, short) == 1.0
    assert value(tools, "answer_words", question, long) > value(tools, "answer_words", question, short)


# -- MultiHop-RAG --------------------------------------------------------------------------------


def test_some_evidence_is_not_all_evidence():
    ranked, gold = ["a", "x"], [{"a"}, {"b"}]
    assert hit_at_k(ranked, gold, k=2) == 1.0
    assert all_evidence_at_k(ranked, gold, k=2) == 0.0


def test_two_pieces_found_at_once_are_no_more_than_all():
    """Its "MAP" gives 2 for two facts in one chunk, and 0.75 for a perfect ranking of two."""
    assert ndcg_at_k(["a"], [{"a"}, {"a"}], k=10) <= 1.0
    assert ndcg_at_k(["a", "b"], [{"a"}, {"b"}], k=10) == 1.0


def test_a_word_in_common_is_no_answer():
    assert contains_gold("The company is Acme.", [["The Fed"]]) is False
    assert contains_gold("Yes, it does.", [["yes"]]) is True
    assert contains_gold("An insufficient reply", [["Insufficient information."]]) is False


def test_the_constant_that_beats_gpt_4_there_is_wrong_here(tools):
    """ "Yes no insufficient" is right for 63.6 % of a sample of its questions, by its scorer."""
    said = "Yes no insufficient"
    assert contains_gold(said, [["no"]]) is False
    assert contains_gold(said, [["Sam Bankman-Fried"]]) is False
    assert value(tools, "right_outcome", tools.asked("q"), tools.answered((said, None))) == 0.0


def test_where_passages_are_cut_moves_no_figure():
    """Articles are the unit, at their best passage's place: no fact is lost at a border."""
    assert hit_at_k(["a", "a", "a"], [{"a"}], k=3) == hit_at_k(["a"], [{"a"}], k=3) == 1.0
    assert recall_at_k(["a", "a"], [{"a"}], k=2) == 1.0


# -- SQuAD ---------------------------------------------------------------------------------------


def official(text):
    """The definition of evaluate-v2.0.py: lower case, no ASCII punctuation, no articles, single spaces."""
    bare = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def official_f1(text, gold):
    found, wanted = official(text), official(gold)
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(found), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


WORDS = st.lists(
    st.sampled_from(
        ["the", "a", "An", "Nine", "nine", "9", "ferry", "Ferry,", "(burned)", "died.", "'quoted'", "…", "  "]
    ),
    max_size=6,
).map(" ".join)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_exact_match_and_f1_are_squads_on_plain_text(text, golds):
    text, golds = text.replace("…", ""), [gold.replace("…", "") for gold in golds]
    assert exact_match(text, golds) == float(any(official(text) == official(gold) for gold in golds))
    assert token_f1(text, golds) == pytest.approx(max(official_f1(text, gold) for gold in golds))


@pytest.mark.parametrize(
    ("text", "gold", "ours", "squads"),
    [
        ("$5.4", "54", 0.0, 1.0),
        ("“nine”", "nine", 1.0, 0.0),
        ("12,000", "12000", 1.0, 1.0),
        ("nine – or ten", "nine or ten", 1.0, 0.0),
        ("", "", 1.0, 1.0),
        ("", "nine", 0.0, 0.0),
    ],
)
def test_where_ours_departs_from_squads_it_is_meant(text, gold, ours, squads):
    assert exact_match(text, [gold]) == ours
    assert float(official(text) == official(gold)) == squads


def test_a_right_sentence_is_found_though_it_matches_nothing_exactly():
    said = "Nine people died, police said."
    assert exact_match(said, ["nine"]) == 0.0
    assert token_f1(said, ["nine"]) < 0.5
    assert contains_gold(said, [["nine"]]) is True


def test_a_refusal_is_the_empty_answer(tools):
    assert value(tools, "exact_match", tools.asked("q", **tools.DEATHS), tools.abstained()) == 0.0
