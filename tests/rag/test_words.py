import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.words import content_stems, names, numbers, stem, tokens


@given(st.text())
def test_no_text_breaks_the_readers(text):
    content_stems(text), names(text), numbers(text)


@pytest.mark.parametrize("words", ["killed kills killing kill", "cities city", "march marched marches marching"])
def test_forms_of_a_word_have_one_stem(words):
    assert len({stem(word) for word in words.split()}) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4.6 million people", [4_600_000]),
        ("12,000 of forty thousand", [12_000, 40_000]),
        ("twenty-five and twenty five", [25, 25]),
        ("two hundred boats", [200]),
        ("no figure", []),
        ("", []),
    ],
)
def test_numbers_in_digits_words_and_scales(text, expected):
    assert numbers(text) == expected


def test_names_keep_their_parts_and_lose_titles_of_grammar():
    text = "According to Ines Halloran, the Bank of Aldria lost. However, Karsk won on Tuesday."
    assert names(text) == ["Ines Halloran", "Bank of Aldria", "Karsk"]


def test_a_name_is_listed_once():
    assert names("In Karsk and in Karsk.") == ["Karsk"]


def test_content_stems_have_no_stop_words_and_no_repeats():
    assert content_stems("Who said that the boats and the boat sank?") == ["boat", "sank"]


def test_tokens_have_straight_apostrophes_and_lower_case():
    assert tokens("Toller’s Ford, 2,300") == ["toller's", "ford", "2,300"]
