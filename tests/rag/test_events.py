"""Windows that count from an event. The passages are ours."""

from datetime import UTC, datetime

import pytest

from rag.events import event_in, window_from
from rag.schema import Passage, RetrievedPassage

PUBLISHED = datetime(2025, 8, 26, tzinfo=UTC)


def found(*texts):
    return [
        RetrievedPassage(Passage(f"p{n}", f"a{n}", "1", n, 0, len(t), t, "Brackwater votes", "", "", PUBLISHED), 1.0, n)
        for n, t in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("question", "side", "words"),
    [
        ("What was said before the by-election in Brackwater?", "before", "the by-election in Brackwater"),
        ("Since the strike began, who has spoken?", "since", "the strike"),
        ("Who resigned after the march?", "since", "the march"),
        ("What did he earn before 2019?", None, ""),
        ("Who spoke after the mayor had left?", None, ""),
    ],
)
def test_the_event_is_read_from_the_question(question, side, words):
    event = event_in(question)
    assert (event and event.side, event.words if event else "") == (side, words)


def test_an_article_that_dates_it_gives_the_window():
    event = event_in("What was said before the by-election in Brackwater?")
    window = window_from(event, found("A vet won Sunday's by-election. Turnout was high."))
    assert (window.since, window.until) == (None, datetime(2025, 8, 24, tzinfo=UTC))
    assert window.inferred_from == "before the by-election in Brackwater: 24 August 2025"


@pytest.mark.parametrize(
    "texts",
    [
        ["The by-election was fierce."],
        ["The by-election on 31 June 2025 was fierce."],
        ["The by-election on 24 August 2025 was fierce.", "The by-election on 2 March 2025 was calm."],
        ["The fair on 24 August 2025 drew a crowd, and so did the long talks about the coming by-election."],
    ],
)
def test_without_one_day_for_it_there_is_no_window(texts):
    assert window_from(event_in("What was said before the by-election in Brackwater?"), found(*texts)) is None
