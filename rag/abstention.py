"""What is said when the archive does not say: the refusal, the nearest articles, and what is missing; pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.prompts import REFUSAL
from rag.questions import Kind, kind_of
from rag.schema import RetrievedPassage
from rag.words import names, numbers, stem, tokens

NEAREST = 3  # articles named
_WANTED: dict[Kind, str] = {
    "when": "a date",
    "number": "a figure",
    "who": "a name",
    "where": "a place",
    "why": "a reason",
}


def refusal_text(found: Sequence[RetrievedPassage]) -> str:
    """Return the refusal with the headlines of the nearest articles; `found` is best first."""
    return f"{REFUSAL} {nearest_text(found, 'Nearest articles')}" if found else REFUSAL


def nearest_text(found: Sequence[RetrievedPassage], lead: str) -> str:
    """Return a sentence that begins with `lead` and names the first few articles; `found` is best first, not empty."""
    titles = dict.fromkeys(f"“{item.passage.title}” ({_byline(item)})" for item in found)
    return f"{lead}: {'; '.join(list(titles)[:NEAREST])}."


def what_is_missing(question: str, found: Sequence[RetrievedPassage]) -> str:
    """Return a line on what the passages lack: names and numbers of the question, else the kind of answer asked for.

    Returns:
        "" if nothing was found at all.
    """
    if not found:
        return ""
    held = {
        part
        for item in found
        for word in tokens(f"{item.passage.title} {item.passage.text} {item.passage.source}")
        for part in (stem(word), *(stem(piece) for piece in word.split("-")))
    }
    values = {value for item in found for value in numbers(f"{item.passage.title} {item.passage.text}")}
    dated = {float(item.passage.published_at.year) for item in found if item.passage.published_at}
    lacking = [name for name in names(question) if not any(stem(word) in held for word in tokens(name))]
    lacking += [
        f"{value:g}" for value in numbers(question) if value not in values | dated and stem(f"{value:g}") not in held
    ]
    if lacking:
        return f"Not mentioned in what was found: {', '.join(dict.fromkeys(lacking))}."
    wanted = _WANTED.get(kind_of(question))
    if wanted is None:
        return "What was found is near the question, but no sentence answers it."
    return f"What was found is near the question, but no sentence gives {wanted} that answers it."


def _byline(item: RetrievedPassage) -> str:
    date = item.passage.published_at
    parts = [item.passage.source, f"{date.day} {date:%B %Y}" if date else "date unknown"]
    return ", ".join(part for part in parts if part)
