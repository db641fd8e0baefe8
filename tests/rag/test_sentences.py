import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import sentence_spans, sentences

PIECES = st.sampled_from(
    ["Mr.", "U.S.", "a.m.", "The", "mayor", "said", ".", "!", "?", "…", "...", "“", "”", '"', "(", ")", "[1]", " ", " ",
     " ", "\n", "\n\n", "\t", "\u00a0", "3.5", "J.", "。", "é", "日本", "sat", "Sat."]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_spans_cover_every_non_space_character_once_and_in_order(text):
    covered = [index for start, end in sentence_spans(text) for index in range(start, end)]
    assert covered == sorted(set(covered))
    assert [i for i in covered if not text[i].isspace()] == [i for i, c in enumerate(text) if not c.isspace()]


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_spans_have_no_outer_white_space_and_are_never_empty(text):
    for start, end in sentence_spans(text):
        assert text[start:end] == text[start:end].strip() != ""


def test_offsets_point_into_the_text():
    assert sentence_spans("  It rained. \n It stopped. ") == [(2, 12), (15, 26)]


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_no_text_has_no_sentences(text):
    assert sentence_spans(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He met Gov. Smith. She left.", ["He met Gov. Smith.", "She left."]),
        ("It rose 3.5 per cent. Then it fell.", ["It rose 3.5 per cent.", "Then it fell."]),
        ("He said: “Stop.” Then he left.", ["He said: “Stop.”", "Then he left."]),
        ("“Why?” she asked. No answer.", ["“Why?” she asked.", "No answer."]),
        ("It rained at 5 p.m. on Tuesday.", ["It rained at 5 p.m. on Tuesday."]),
        ("It stopped at 6 p.m. The sun came.", ["It stopped at 6 p.m.", "The sun came."]),
        ("J. Smith and A. B. Jones met.", ["J. Smith and A. B. Jones met."]),
        ("It was plan B. The mayor agreed.", ["It was plan B.", "The mayor agreed."]),
        ("See No. 5. Then go.", ["See No. 5.", "Then go."]),
        ("He said no. The union agreed.", ["He said no.", "The union agreed."]),
        ("Ten people sat. They stood up.", ["Ten people sat.", "They stood up."]),
        ("They watched the sun. It set.", ["They watched the sun.", "It set."]),
        ("He left on Sat. The rest stayed.", ["He left on Sat.", "The rest stayed."]),
        ("It opens on Sat. 5 July.", ["It opens on Sat. 5 July."]),
        ("First line\nSecond line", ["First line", "Second line"]),
        ("It began in May. In June it ended.", ["It began in May.", "In June it ended."]),
        ("日本語です。次の文。", ["日本語です。", "次の文。"]),
        ("Wait… What?", ["Wait…", "What?"]),
    ],
)
def test_sentences_of_news_prose(text, expected):
    assert sentences(text) == expected
