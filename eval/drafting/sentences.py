"""Sentences that a question may be made of, and what a question must be to be understood without its article."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eval.datasets import Evidence
from eval.drafting.words import DATE, MONTH, QUOTED, outlet
from rag.anchors import anchors
from rag.figures import days
from rag.instructions import instructed_spans, touches
from rag.schema import Article
from rag.sentences import sentence_spans
from rag.timewords import YEAR
from rag.words import names

_LENGTHS = range(25, 451)  # characters; shorter are headings and captions, longer are lists
_NEAR = timedelta(days=60)  # a day without its year and farther off may be of another year
_LONGEST = 32  # words of a question
_UNFIT = re.compile(r"https?:|www\.|\bImage:|\bPhoto|[|{}<>\[\]_#?!]|\bfrom file\b|\b\w+ n[’']t\b| [’'\"“”] |--|\(\(")
_FIRST_PERSON = re.compile(r"\b(?:I|we|my|our|us|you|your)\b", re.IGNORECASE)
_DATELINE = re.compile(r"^(?:[A-Z][A-Z’' ]{2,}(?: \([^)]*\))? [-–—] |[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} )")
# What leans on something that was said before.
_LEANING = re.compile(
    r"\b(?:he|she|it|its|they|their|theirs|them|his|her|hers|him|himself|herself|itself|themselves|this|these|those|we|us"
    r"|our|I|my|me|you|your|here|there|such|latter|former|ones?|same|yesterday|today|tonight|tomorrow|now|currently"
    r"|recently|so far|ago|already|also|too|still|another|others?|later|earlier|then|meanwhile|however|instead|yet"
    r"|nearby|therefore|thus|last|next|past|further|both|either|neither|each|whose|respectively|rest|afterwards"
    r"|that that|more than|morning|afternoon|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)
_NO_YEAR = re.compile(rf"\b{MONTH}\b(?!,? (?:\d{{1,2}},? )?{YEAR})")
# What there is one of, so that "the" needs no name after it.
_SOLE = frozenset(
    "world public police army navy sea coast border frontier government parliament opposition country state internet"
    " press media end beginning start age number time year years summer winter spring autumn weather".split()
)
_NAMED_WITHIN = 6  # words after "the"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that a sentence suggests.

    Attributes:
        kind: Its first tag.
        core: The question without its pin and without the question mark.
        answers: Aliases of the one answer; empty if no article is to answer.
        article: Where it comes from.
        quote: The sentence that answers; "" if none does.
        pin: What ties it to a time or an outlet.
        pinned: Whether it is asked with the pin.
        evidence: The quote, and what other articles say of it; filled as the archive is asked.
    """

    kind: str
    core: str
    answers: tuple[str, ...]
    article: Article
    quote: str
    pin: str = ""
    pinned: bool = False
    evidence: tuple[Evidence, ...] = ()

    @property
    def question(self) -> str:
        """As it is asked."""
        return f"{self.core}{self.pin if self.pinned else ''}?"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that the rules may read.

    Attributes:
        quote: As it stands in the article.
        text: Without dateline, and with dates for the relative words that mean one.
        dates: The article's words for each date that was put in.
        is_name: Tells whether a word that opens the sentence is a name.
    """

    article: Article
    quote: str
    text: str
    dates: Mapping[str, str]
    is_name: Callable[[str], bool]

    @property
    def month(self) -> str:
        """When the article came out, as in "May 2025"; "" if unknown."""
        return f"{self.article.published_at:%B %Y}" if self.article.published_at else ""

    @property
    def present(self) -> bool:
        """Whether it speaks of the time when the article came out: that is known, and no other year is named."""
        return bool(self.month) and all(year == self.month[-4:] for year in re.findall(rf"\b{YEAR}", self.text))

    @property
    def outlet(self) -> str:
        """Who reported it, as inside a sentence; "" if unknown."""
        return outlet(self.article.source)

    @property
    def source(self) -> str:
        """Where and when it was reported, to pin a figure that others give otherwise; "" if nothing is known."""
        when, by = self.article.published_at, self.outlet
        if when:
            day = f"on {when.day} {when:%B %Y}"
            return f", according to {by} {day}" if by else f", as reported {day}"
        return f", according to {by}" if by else ""

    def candidate(self, kind: str, core: str, *answers: str, pin: str = "", pinned: bool = False) -> Candidate:
        """Return a question that this sentence answers."""
        aliases = tuple(dict.fromkeys(answer for answer in answers if answer))
        return Candidate(kind, core, aliases, self.article, self.quote, pin, pinned)


def readable(article: Article, is_name: Callable[[str], bool]) -> Iterator[Sentence]:
    """Yield the sentences that state something in full: no headings, captions, questions, talk or instructions."""
    instructed = instructed_spans(article.text)
    for start, end in sentence_spans(article.text):
        quote = article.text[start:end]
        bare = QUOTED.sub("“”", quote)
        whole = quote[-1] in '.”"' and quote.count('"') % 2 == 0 and quote.count("“") == quote.count("”")
        unfit = _UNFIT.search(bare) or _FIRST_PERSON.search(bare) or touches((start, end), instructed)
        if whole and not unfit and len(quote) in _LENGTHS:
            text, dates = _dated(_DATELINE.sub("", quote), article)
            yield Sentence(article, quote, text, dates, is_name)


def stands_alone(core: str, *, plural: bool = False) -> bool:
    """Tell whether a question can be understood without its article.

    It names somebody or something, holds no pronoun and no time that counts from the article, and after each "the" a
    name follows, as in "the river Kestrel", unless there is one of it. What it quotes may lean.

    Args:
        core: The question without its pin.
        plural: "their" belongs to the people asked about.
    """
    bare = QUOTED.sub("“”", core.replace(" their ", " ") if plural else core)
    if leans(bare) or len(bare.split()) > _LONGEST:
        return False
    for found in re.finditer(r"\b[Tt]he ", bare):
        after = bare[found.end() :].split()[:_NAMED_WITHIN]
        if not any(word[0].isupper() or word[0].isdigit() for word in after) and after[0].strip(",") not in _SOLE:
            return False
    return "“”" in bare or bool(names(bare.partition(" ")[2]))


def leans(question: str) -> bool:
    """Tell whether a question holds, outside quotation marks, a pronoun or a time that counts from some article."""
    bare = QUOTED.sub("“”", question)
    return _LEANING.search(bare) is not None or _NO_YEAR.search(bare) is not None


def _dated(text: str, article: Article) -> tuple[str, dict[str, str]]:
    """Put days, months and years for relative words where they mean one; "last week" stays as it is."""
    dates: dict[str, str] = {}
    for anchor in reversed(anchors(text, article.published_at)):
        before, after, words, means = text[: anchor.start], text[anchor.end :], anchor.words, anchor.means
        first = words.split()[0].lower()
        if not re.fullmatch(DATE, means) or first in ("early", "late", "mid") or re.match(r"[’'-]| of ", after):
            continue
        if re.search(r"\d", words) and _far(means, article):
            continue
        part = re.match(r" (morning|afternoon|evening|night)\b", after)
        if part and not before.endswith("on "):
            continue
        if part:
            after, words, put = after[part.end() :], words + part.group(), f"the {part[1]} of {means}"
        elif first in ("in", "since"):
            put = f"{first} {means}"
        elif re.search(r"\d", words) or re.search(
            r"\b(?:on|in|since|until|by|of|from|before|after|for|to|and) $", before, re.IGNORECASE
        ):
            put = means
        else:
            put = f"{'on' if re.match(r'[0-9]{1,2} ', means) else 'in'} {means}"
        dates[means] = words
        text = before + (put if before else put[0].upper() + put[1:]) + after
    return text, dates


def _far(means: str, article: Article) -> bool:
    """Tell whether a day without its year is so far from the publication that its year was guessed."""
    day = days(means)[0]
    if not (day.day and day.year and article.published_at):
        return True
    return abs(datetime(day.year, day.month, day.day, tzinfo=UTC) - article.published_at) > _NEAR
