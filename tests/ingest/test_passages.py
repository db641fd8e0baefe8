from hypothesis import given
from hypothesis import strategies as st

from ingest.passages import embedded_text, split
from rag.schema import Article


def words(text):
    return len(text.split())


def article(text):
    return Article(id="a", version="1", title="Title", text=text)


@given(st.text(alphabet="abc ÄB.!?\n“”", max_size=300))
def test_offsets_are_exact_and_no_sentence_is_lost(text):
    whole = article(text)
    passages = split(whole, max_tokens=5, count_tokens=words)
    covered = set()
    for index, passage in enumerate(passages):
        assert whole.text[passage.start : passage.end] == passage.text
        assert (passage.index, words(passage.text) <= 5) == (index, True)
        covered.update(range(passage.start, passage.end))
    assert all(text[place].isspace() or place in covered for place in range(len(text)))


def test_the_last_sentence_opens_the_next_passage():
    passages = split(article("One one. Two two. Three three. Four four."), max_tokens=4, count_tokens=words)
    assert [passage.text for passage in passages] == [
        "One one. Two two.",
        "Two two. Three three.",
        "Three three. Four four.",
    ]


def test_a_sentence_over_the_limit_is_cut_between_words():
    passages = split(article("a b c d e f g"), max_tokens=4, count_tokens=words)
    assert all(words(passage.text) <= 4 for passage in passages)
    assert " ".join(passage.text for passage in passages).split() == list("abcdefg")


def test_text_without_spaces_is_cut_too():
    passages = split(article("林" * 50), max_tokens=20, count_tokens=len)
    assert "".join(passage.text for passage in passages) == "林" * 50


def test_a_passage_holds_the_turn_of_one_speaker():
    turns = ["BRANDT: No deal. None at all.", "Ola Rask: Not yet.", "BRANDT: We said no."]
    passages = split(article("\n\n".join(turns)), max_tokens=50, count_tokens=words)
    assert [passage.text for passage in passages] == turns


def test_a_question_stays_with_its_answer():
    turns = ["Q: Is it true?", "A: It is.", "Q: Since when?", "A: Since May. I was there."]
    passages = split(article("\n\n".join(turns)), max_tokens=50, count_tokens=words)
    assert [passage.text for passage in passages] == ["\n\n".join(turns[:2]), "\n\n".join(turns[2:])]


def test_labels_that_do_not_recur_are_no_speakers():
    text = "Place: Skarn.\n\nTime: noon.\n\nEntry: free."
    assert [passage.text for passage in split(article(text), max_tokens=50, count_tokens=words)] == [text]


def test_an_empty_text_has_no_passages():
    assert split(article(" \n "), max_tokens=5, count_tokens=words) == []


def test_headline_and_date_are_embedded_with_the_text():
    from datetime import UTC, datetime

    whole = Article(id="a", version="1", title="Rain", text="It rained.", published_at=datetime(2025, 7, 3, tzinfo=UTC))
    (passage,) = split(whole, max_tokens=9, count_tokens=words)
    assert embedded_text(passage) == "Rain (03 July 2025)\nIt rained."
    assert passage.text == "It rained."
