"""One sentence of a writer to a checked claim: its markers resolved, its words verified, a wrong citation mended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.citations import CitationBook, as_of, cite_best, parse_markers
from rag.instructions import instructed_spans, plain, without
from rag.prompts import REFUSAL, quotes_prompt
from rag.rules import Check, check_by_rules
from rag.schema import Claim, ClaimShown, RetrievedPassage
from rag.verifier import Verifier
from rag.words import STOP_WORDS, tokens

# A writer has no business with links, images or markup: the page links articles by what is stored of them.
_UNSAFE = re.compile(r"https?://|www\.|\]\(|!\[|<[a-z/!|]|```|\[/?INST\]", re.IGNORECASE)

# "The passage does not say": what a model says of its task is no news from the archive.
_ABOUT_ITSELF = re.compile(r"\b(?:passages?|provided (?:context|text)|as an ai)\b", re.IGNORECASE)

ITEM_WORDS = 6  # "Henrik Aldous", "12 dead in floods": so few words without a full stop name something and say nothing
MOST_TRIED = 3  # passages that the verifier is asked about for a sentence with a wrong citation


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a sentence: `shown` is None if it says nothing or is `withheld`."""

    shown: ClaimShown | None
    withheld: bool = False


def check_sentence(
    sentence: str, found: Sequence[RetrievedPassage], book: CitationBook, verifier: Verifier, *, lenient: bool = False
) -> Checked:
    """Resolve and verify one written sentence.

    Args:
        sentence: With its citation markers, which count the passages from 1.
        found: The passages the writer was shown.
        book: Takes the citations of a sentence that is shown.
        verifier: Checks it against what it cites.
        lenient: Show unsupported sentences too, marked by their verdict.
    """
    marked = parse_markers(sentence, len(found))
    if not any(character.isalpha() for character in marked.text):  # "2." counts the lines of a list
        return Checked(None)
    if _no_statement(marked.text):
        return Checked(None)
    if _speaks_of_its_task(marked.text, found):
        return Checked(None, withheld=True)
    if _UNSAFE.search(marked.text) or instructed_spans(marked.text) or quotes_prompt(marked.text):
        return Checked(None, withheld=True)
    reasons = [f"[{number}] names no passage" for number in marked.invalid]
    numbers = list(marked.numbers)
    check = verifier.verify(marked.text, [evidence_text(found[number - 1]) for number in numbers])
    if check.verdict != "supported":
        repair = _better_passage(found, marked.text, check, verifier)
        if repair is not None:
            number, check = repair
            said = ", ".join(f"[{number}]" for number in numbers) or "none"
            reasons.append(f"citation mended: the writer cited {said}")
            numbers = [number]
    if not numbers or (check.verdict == "unsupported" and not lenient):
        return Checked(None, withheld=True)
    citations = tuple(book.add(cite_best(found[number - 1], marked.text)) for number in numbers)
    claim = Claim(
        text=marked.text,
        citations=tuple(dict.fromkeys(citation.number for citation in citations)),
        verdict=check.verdict,
        score=check.score,
        reasons=(*reasons, *check.reasons),
        as_of=as_of(citations),
    )
    return Checked(ClaimShown(claim, citations))


def _no_statement(text: str) -> bool:
    """Tell whether it is no statement: a question, a list's head or item, or cut off after a word that leads on."""
    if text.endswith(("?", ":")):
        return True
    words = tokens(text)
    if not text[-1:].isalnum() or not words:
        return False
    return len(words) <= ITEM_WORDS or words[-1] in STOP_WORDS


def _speaks_of_its_task(text: str, found: Sequence[RetrievedPassage]) -> bool:
    """Tell whether it is about "the passage" and the like, and no article is: "the passage was closed by ice"."""
    match = _ABOUT_ITSELF.search(text)
    return match is not None and all(match.group().lower() not in item.passage.text.lower() for item in found)


def is_refusal(sentence: str) -> bool:
    """Tell whether the writer says, in the words it was given, that the passages do not answer."""
    return REFUSAL.removeprefix("The ").rstrip(".").lower() in sentence.lower()


def _better_passage(
    found: Sequence[RetrievedPassage], text: str, check: Check, verifier: Verifier
) -> tuple[int, Check] | None:
    """Return another passage that supports the sentence fully, and its verdict; the rules say which to ask about."""
    ruled = {number: check_by_rules(text, [evidence_text(item)]) for number, item in enumerate(found, start=1)}
    hopeful = [number for number, rule in ruled.items() if rule.verdict != "unsupported" or not rule.settled]
    for number in sorted(hopeful, key=lambda number: -ruled[number].score)[:MOST_TRIED]:
        other = verifier.verify(text, [evidence_text(found[number - 1])])
        if other.verdict == "supported" and other.score > check.score:
            return number, other
    return None


def evidence_text(item: RetrievedPassage) -> str:
    """Return what a claim about a passage may rest on: headline, a line with outlet and date, and its text.

    Outlet and date stand in the prompt, so they count; what speaks to the program does not.
    """
    passage = item.passage
    date = f"{passage.published_at:%d %B %Y}".lstrip("0") if passage.published_at else ""
    return f"{plain(passage.title)}\n{passage.source} {date}\n{without(passage.text, item.instructed)}"
