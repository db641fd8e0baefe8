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
