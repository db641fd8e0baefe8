import pytest

from rag.questions import KINDS, asks_for_latest, has_candidate, kind_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did the strike end?", "when"),
        ("On what date did it begin?", "when"),
        ("How many people marched?", "number"),
        ("What percentage voted?", "number"),
        ("Why did he resign?", "why"),
        ("What caused the fire?", "why"),
        ("Where did the ferry stop?", "where"),
        ("Who owned the van?", "who"),
        ("Which company won the contract?", "who"),
        ("Did the bank raise its rate?", "yes-no"),
        ("Which three suspects were arrested?", "list"),
        ("What is desalination?", "what"),
        ("", "what"),
    ],
)
def test_the_wording_tells_the_kind(question, kind):
    assert kind_of(question) == kind


def test_the_latest_figure_is_asked_for():
    assert asks_for_latest("How many houses by the figure that now stands?")
    assert not asks_for_latest("How many houses were flooded?")


@pytest.mark.parametrize(
    ("kind", "sentence", "held"),
    [
        ("when", "It ended on Tuesday.", True),
        ("when", "It ended.", False),
        ("number", "It had 300 boats.", True),
        ("number", "It had 12 boats.", False),  # the question names the 12
        ("who", "Ines Halloran spoke.", True),
        ("who", "Karsk spoke.", False),  # the question names Karsk
        ("where", "It sank off Sorrel.", True),
        ("why", "It sank because of ice.", True),
        ("why", "It sank.", False),
        ("what", "It sank.", True),
    ],
)
def test_a_candidate_is_of_the_kind_and_new(kind, sentence, held):
    assert has_candidate(kind, sentence, "Which of the 12 boats of Karsk?") is held


def test_every_kind_can_be_asked_about_an_empty_sentence():
    assert [has_candidate(kind, "", "") for kind in KINDS] == [False] * 6 + [True, True]
