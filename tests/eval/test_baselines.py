from dataclasses import replace

import pytest

from eval.baselines import BASELINES, always_refuse, constant_yes, copy_first_sentence, random_citation
from rag.schema import ShortAnswer


@pytest.fixture
def question(tools):
    return tools.asked("q", **tools.DEATHS)


@pytest.fixture
def chain(tools):
    return tools.FakeChain({"q?": tools.answered(("Nine people died.", "wire"), retrieved=("weather", "march"))})


def test_copy_first_quotes_the_top_passage_exactly(chain, question, tools):
    answer = copy_first_sentence(chain, question)
    (citation,) = answer.citations
    assert answer.text == "Rain fell on the coast. [1]"
    assert tools.TEXTS["weather"][citation.start : citation.end] == citation.quote == "Rain fell on the coast."


def test_a_short_answer_of_the_chain_is_not_theirs(question, tools):
    said = replace(tools.answered(("Nine people died.", "wire")), short=ShortAnswer("nine", 1, 0, 4))
    chain = tools.FakeChain({"q?": said})
    for system in (copy_first_sentence, always_refuse, constant_yes):
        assert system(chain, question).short is None


def test_copy_first_abstains_with_nothing_found(question, tools):
    chain = tools.FakeChain({"q?": tools.abstained(retrieved=())})
    assert copy_first_sentence(chain, question).status == "abstained"


def test_refuse_and_yes(chain, question):
    assert always_refuse(chain, question).status == "abstained"
    yes = constant_yes(chain, question)
    assert (yes.text, yes.citations, yes.claims[0].verdict) == ("Yes.", (), "unsupported")


def test_random_citation_keeps_the_words_and_is_the_same_every_time(chain, question):
    answer = random_citation(chain, question)
    assert answer == random_citation(chain, question)
    assert answer.claims[0].text == "Nine people died."
    assert answer.claims[0].verdict == "unsupported"
    assert answer.citations[0].article_id in {"weather", "march"}


def test_none_passes_as_the_chain(chain, question):
    assert {system(chain, question).model for system in BASELINES.values()} == {"baseline"}
