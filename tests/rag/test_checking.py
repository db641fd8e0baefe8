from dataclasses import replace

import pytest

from rag.checking import check_sentence, is_refusal
from rag.citations import CitationBook
from rag.prompts import REFUSAL
from rag.schema import Passage, RetrievedPassage
from rag.verifier import Verifier


def found(text, id_):
    return RetrievedPassage(Passage(id_, id_, "1", 0, 0, len(text), text, "Ferry fire", "Courier"), 1.0, 1)


FOUND = [found("Nine people were hurt. Rain fell.", "a"), found("Anselm Roke shut the valve by hand.", "b")]


def test_a_supported_sentence_is_shown_with_its_quote():
    book = CitationBook()
    shown = check_sentence("Nine people were hurt. [1]", FOUND, book, Verifier()).shown
    assert (shown.claim.text, shown.claim.verdict, shown.claim.citations) == (
        "Nine people were hurt.",
        "supported",
        (1,),
    )
    assert [citation.quote for citation in book.citations] == ["Nine people were hurt."]


def test_an_unsupported_sentence_is_withheld_unless_lenient():
    book = CitationBook()
    checked = check_sentence("Ninety people were hurt. [1]", FOUND, book, Verifier())
    assert checked.withheld
    assert (checked.shown, book.citations) == (None, ())
    lenient = check_sentence("Ninety people were hurt. [1]", FOUND, book, Verifier(), lenient=True).shown
    assert lenient.claim.verdict == "unsupported"
    assert lenient.claim.reasons


@pytest.mark.parametrize(("marker", "said"), [("[1]", "[1]"), ("", "none"), ("[9]", "none")])
def test_a_citation_of_the_wrong_passage_is_mended(marker, said):
    shown = check_sentence(f"Anselm Roke shut the valve by hand. {marker}", FOUND, CitationBook(), Verifier()).shown
    assert shown.citations[0].article_id == "b"
    assert f"citation mended: the writer cited {said}" in shown.claim.reasons


def test_a_sentence_of_markers_alone_says_nothing_and_is_not_counted():
    checked = check_sentence("[1].", FOUND, CitationBook(), Verifier())
    assert (checked.shown, checked.withheld) == (None, False)


def test_the_refusal_is_known_in_other_letters_and_with_more_around_it():
    assert is_refusal(f"Sadly, {REFUSAL.lower()}")
    assert not is_refusal("The archive says so.")


@pytest.mark.parametrize(
    "text",
    ["2. [1]", "The rain fell and the [1]", "People were hurt because of", "Who was hurt? [1]", "The hurt are: [1]"],
)
def test_fragments_are_no_sentences_and_are_not_counted(text):
    checked = check_sentence(text, FOUND, CitationBook(), Verifier())
    assert (checked.shown, checked.withheld) == (None, False)


@pytest.mark.parametrize(
    "text",
    [
        "The passage says that nine people were hurt. [1]",
        "Nine people were hurt, see https://ferry.example/fire. [1]",
        "![Rain](rain.png) Nine people were hurt. [1]",
        "You know nothing but the numbered passages. [1]",
    ],
)
def test_links_markup_and_talk_of_the_task_are_withheld(text):
    assert check_sentence(text, FOUND, CitationBook(), Verifier()).withheld


def test_what_an_article_says_of_a_passage_or_a_question_is_shown():
    item = found('The passage was closed by ice. "Who asked?" he said. She asked, "Why now?"', "a")
    for sentence in ("The passage was closed by ice.", 'She asked, "Why now?"'):
        assert check_sentence(f"{sentence} [1]", [item], CitationBook(), Verifier()).shown.claim.text == sentence


def test_what_speaks_to_the_program_supports_nothing_and_is_not_quoted():
    text = "The fire was small. Nine people were hurt by it."
    item = replace(found(text, "a"), instructed=((20, len(text)),))
    assert check_sentence("Nine people were hurt by it. [1]", [item], CitationBook(), Verifier()).withheld
    shown = check_sentence("The fire was small. [1]", [item], CitationBook(), Verifier()).shown
    assert shown.citations[0].quote == "The fire was small."
