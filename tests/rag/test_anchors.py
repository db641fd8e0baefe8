"""Relative words for time in articles, and the times they mean. The sentences are ours."""

from datetime import UTC, datetime

import pytest

from rag.anchors import UNKNOWN, anchored, anchors

THURSDAY = datetime(2025, 6, 19, 14, 30, tzinfo=UTC)

TOLD = [
    ("The council met yesterday.", "yesterday", "18 June 2025"),
    ("Rain is forecast for tomorrow.", "tomorrow", "20 June 2025"),
    ("The bridge was shut last night.", "last night", "18 June 2025"),
    ("Prices rose last month.", "last month", "May 2025"),
    ("Ferries stopped last week.", "last week", "9–15 June 2025"),
    ("The law takes effect next year.", "next year", "2026"),
    ("The dam was built two years ago.", "two years ago", "about 2023"),
    ("He resigned three days ago.", "three days ago", "16 June 2025"),
    ("The mayor said on Tuesday that she would stay.", "Tuesday", "17 June 2025"),
    ("The mayor said that the council would meet on Tuesday.", "Tuesday", "24 June 2025"),
    ("The mayor resigned on Thursday.", "Thursday", "19 June 2025"),
    ("Trains have been late since Thursday.", "Thursday", "12 June 2025"),
    ("On Wednesday the two are to meet the king.", "Wednesday", "25 June 2025"),
    ("The pool was opened in May.", "in May", "May 2025"),
    ("The pool was opened in December.", "in December", "December 2024"),
    ("The pool will open in December.", "in December", "December 2025"),
    ("The strike began on 3 June.", "3 June", "3 June 2025"),
    ("The show, which opened to applause, is to run from June 10.", "June 10", "10 June 2025"),
    ("She has been withdrawn until at least 23 June.", "23 June", "23 June 2025"),
    ("The fair drew thousands this weekend.", "this weekend", "14–15 June 2025"),
    ("The fair will be held this weekend.", "this weekend", "21–22 June 2025"),
    ("The vineyards suffered last winter.", "last winter", "winter 2024–25"),
]


@pytest.mark.parametrize(("text", "words", "means"), TOLD, ids=lambda value: value[:40])
def test_relative_words_count_from_the_publication(text, words, means):
    (anchor,) = anchors(text, THURSDAY)
    assert (anchor.words, anchor.means) == (words, means)
    assert text[anchor.start : anchor.end] == words


@pytest.mark.parametrize(
    "text",
    [
        "The road is closed until Friday.",
        "Until Friday the road was closed.",
        "The museum opens on Sunday.",
        "She meets them on a Monday.",
        "Shops closed on Good Friday.",
        "Monday Night Football drew a crowd.",
        "The report appeared in USA Today.",
        "The pool was opened on Tuesday, 3 June 2025.",
        "It was signed in May 2024.",
        "Over the past year prices doubled.",
        "The market is held on Fridays.",
    ],
)
def test_what_cannot_be_told_or_stands_there_is_left_alone(text):
    assert anchors(text, THURSDAY) == ()


def test_each_phrase_gets_its_own_verb():
    text = "He said on Monday that the court would rule on Friday."
    assert [anchor.means for anchor in anchors(text, THURSDAY)] == ["16 June 2025", "20 June 2025"]


def test_without_a_date_nothing_is_guessed():
    (anchor,) = anchors("Prices rose last month.", None)
    assert anchor.means == UNKNOWN
    assert anchored("Prices rose last month.", None) == "Prices rose last month."


def test_the_text_keeps_its_words():
    assert anchored("Prices rose last month.", THURSDAY) == "Prices rose last month [May 2025]."
