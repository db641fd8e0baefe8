import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import CitationBook, cite_best, cite_span, parse_markers, with_markers
from rag.schema import Passage, RetrievedPassage

TEXT = "It rained in Karsk. The dyke broke on Tuesday. Nobody was hurt."


def found(text=TEXT, start=100):
    passage = Passage("p1", "a1", "v1", 0, start, start + len(text), text, "Floods", "Courier")
    return RetrievedPassage(passage, 1.0, 1)


@given(st.text(alphabet="[]0123456789, .ab\n", max_size=40), st.integers(0, 12))
def test_markers_never_name_a_passage_that_was_not_shown(sentence, n_passages):
    marked = parse_markers(sentence, n_passages)
    assert all(1 <= number <= n_passages for number in marked.numbers)
    assert not any(1 <= number <= n_passages for number in marked.invalid)
    assert len(set(marked.numbers)) == len(marked.numbers)


@pytest.mark.parametrize(
    ("sentence", "text", "numbers", "invalid"),
    [
        ("It rained. [1]", "It rained.", (1,), ()),
        ("It rained [2][1].", "It rained.", (2, 1), ()),
        ("It rained [1, 3].", "It rained.", (1, 3), ()),
        ("It rained [1][1].", "It rained.", (1,), ()),
        ("It rained [0][4].", "It rained.", (), (0, 4)),
        ("It [sic] rained.", "It [sic] rained.", (), ()),
        ("It rained in [2025].", "It rained in [2025].", (), ()),
        ("[1]", "", (1,), ()),
        ("", "", (), ()),
    ],
)
def test_markers_are_taken_out_of_the_text(sentence, text, numbers, invalid):
    marked = parse_markers(sentence, 3)
    assert (marked.text, marked.numbers, marked.invalid) == (text, numbers, invalid)


def test_a_citation_quotes_the_text_at_its_offsets():
    citation = cite_span(found(), 100, 119)
    assert citation.quote == "It rained in Karsk."


@pytest.mark.parametrize(("start", "end"), [(99, 110), (100, 164), (110, 110)])
def test_a_span_outside_the_passage_is_refused(start, end):
    with pytest.raises(ValueError, match="outside passage"):
        cite_span(found(), start, end)


def test_the_best_sentence_is_cited():
    assert cite_best(found(), "The dyke broke.").quote == "The dyke broke on Tuesday."


def test_a_neighbour_joins_if_it_brings_words_of_the_claim():
    citation = cite_best(found(), "The dyke broke on Tuesday and nobody was hurt.")
    assert citation.quote == "The dyke broke on Tuesday. Nobody was hurt."


def test_a_claim_without_common_words_cites_the_first_sentence():
    assert cite_best(found(), "???").quote == "It rained in Karsk."


def test_the_same_span_keeps_its_number():
    book = CitationBook()
    one, two, again = (book.add(cite_span(found(), *span)) for span in ((100, 119), (120, 146), (100, 119)))
    assert (one.number, two.number, again.number) == (1, 2, 1)
    assert [citation.number for citation in book.citations] == [1, 2]


def test_markers_follow_the_sentence():
    assert with_markers("It rained.", (1, 2)) == "It rained. [1][2]"
    assert with_markers("It rained.", ()) == "It rained."
