from datetime import UTC, datetime

import pytest

from rag.abstention import refusal_text, what_is_missing
from rag.prompts import REFUSAL
from rag.schema import Passage, RetrievedPassage


def found(text, title="Ferry fire", source="Courier", rank=1):
    date = datetime(2025, 7, 3, tzinfo=UTC)
    return RetrievedPassage(Passage("p", "a", "1", 0, 0, len(text), text, title, source, "", date), 1.0, rank)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Who captained the Solenne in Bergen?", "Not mentioned in what was found: Bergen."),
        ("Did 300 people leave the Solenne?", "Not mentioned in what was found: 300."),
        (
            "When was the Solenne built?",
            "What was found is near the question, but no sentence gives a date that answers it.",
        ),
        (
            "Why did Anselm Roke resign?",
            "What was found is near the question, but no sentence gives a reason that answers it.",
        ),
        ("Did Roke resign in 2025?", "What was found is near the question, but no sentence answers it."),
    ],
)
def test_what_is_missing_is_named(question, line):
    assert what_is_missing(question, [found("The Solenne burned. Anselm Roke shut the valve.")]) == line


def test_nothing_is_missing_from_nothing():
    assert what_is_missing("Who?", []) == ""
    assert refusal_text([]) == REFUSAL


def test_each_nearest_article_is_named_once_with_outlet_and_date():
    passages = [found("a"), found("b"), found("c", "Strike"), found("d", "March"), found("e", "Flood")]
    assert refusal_text(passages) == (
        f"{REFUSAL} Nearest articles: “Ferry fire” (Courier, 3 July 2025); “Strike” (Courier, 3 July 2025); "
        "“March” (Courier, 3 July 2025)."
    )
