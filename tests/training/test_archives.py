from collections import Counter

import pytest

from eval.datasets import load_questions
from rag.evidence import EvidenceSentence
from rag.schema import Passage, RetrievedPassage
from training.archives import SEED_PAGE_QUESTIONS, WIKINEWS_QUESTIONS, SquadQuestion


def test_the_questions_on_archives_that_are_not_ours_are_well_formed():
    wikinews = load_questions(WIKINEWS_QUESTIONS)
    assert len(wikinews) >= 110
    assert sum(not question.answerable for question in wikinews) >= 25
    dev, test = ({e.article_id for q in wikinews if q.split == split for e in q.evidence} for split in ("dev", "test"))
    assert not dev & test  # the halves share no article
    seed = load_questions(SEED_PAGE_QUESTIONS)
    assert Counter(question.answerable for question in seed) == {True: 20, False: 10}
    longest = max(len(e.quote.split()) for question in [*wikinews, *seed] for e in question.evidence)
    assert longest <= 8  # words that name the place, no sentences of others


@pytest.mark.parametrize(("article", "start", "answered"), [("p1", 10, True), ("p1", 30, False), ("p2", 10, False)])
def test_a_sentence_answers_if_it_is_of_the_paragraph_and_the_answer_begins_in_it(article, start, answered):
    passage = RetrievedPassage(Passage("x", article, "1", 0, 0, 60, "t", "T"), 1.0, 1)
    sentence = EvidenceSentence(passage, start, start + 15, start, start + 15, "t", 0.0)
    assert SquadQuestion("Who?", "p1", frozenset({"p1"}), (12, 18), ("Roke",)).answered_in(sentence) is answered
    assert not SquadQuestion("Who?", "p1", frozenset({"p1"}), None, ()).answered_in(sentence)
