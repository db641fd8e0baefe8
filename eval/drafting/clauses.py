"""A sentence taken apart into subject, verb and the rest; only where both are surely known. Pure, English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eval.drafting.sentences import Sentence
from eval.drafting.words import (
    AUXILIARY,
    BASE_OF,
    BASES,
    CAP,
    NAME,
    NO_PERSON,
    OF_PEOPLE,
    OPENER,
    PARTICIPLES,
    inside,
    longer,
)
from rag.words import STOP_WORDS

_NO_NOUNS = STOP_WORDS - set("of in at on between from the and".split())
_VERB = (
    r"(?:, [^,“”\"]{3,80},)? (?:(?P<a>has been|have been|had been|has|have|had|will be|will|was|were|is to be|are to be"
    r"|is to|are to) )?(?:also |now )?(?P<v>[a-z]+)(?= )"
)
_SUBJECTS = (
    rf"(?:The )?(?!The\b|An?\b){NAME}",  # the Bank of Aldria
    rf"The (?:{CAP} )?(?:[a-z-]+ ){{1,2}}{NAME}",  # the Velmark group Norrgate Marine
    rf"The (?:{CAP} ){{1,3}}[a-z]+(?: [a-z]+)?",  # the Hong Kong legislative election
    rf"(?:The|A|An) (?:{CAP} )*(?:[a-z’'-]+ ){{1,3}}(?:of|in|at|on|between|from) (?:the )?{NAME}(?: and {NAME})?",
)
_SUBJECT_VERB = tuple(re.compile(rf"(?P<s>{subject}){_VERB}") for subject in _SUBJECTS)


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence as subject, verb and the rest; the subject as it stands inside a sentence."""

    subject: str
    auxiliary: str
    verb: str
    rest: str

    @property
    def asked(self) -> str:
        """Subject and verb as they follow a question word: "did Velmark send"."""
        if self.auxiliary in ("", "had"):
            return f"did {self.subject} {BASE_OF[self.verb]}"
        first, _, second = self.auxiliary.partition(" ")
        return " ".join(part for part in (first, self.subject, second, self.verb) if part)

    @property
    def active(self) -> bool:
        """Whether the subject does it."""
        return self.auxiliary in ("", "has", "have", "had", "will", "is to", "are to")


def taken_apart(text: str, of: Sentence) -> Clause | None:
    """Take a sentence apart; None where subject or verb is not surely known."""
    for pattern in _SUBJECT_VERB:
        found = pattern.match(text)
        said = _clause_of(found, of) if found else None
        if said:
            return said
    return None


def _clause_of(found: re.Match[str], of: Sentence) -> Clause | None:
    subject, auxiliary, verb = found["s"], found["a"] or "", found["v"]
    if auxiliary in ("will", "is to", "are to"):
        known = verb in BASES
    else:
        known = verb in BASE_OF or (auxiliary not in ("", "had") and verb in PARTICIPLES)
    plain = [word for word in subject.split()[1:] if word.islower()]
    if not known or set(plain) & (AUXILIARY | BASE_OF.keys() | _NO_NOUNS) or not (plain or is_proper(subject, of)):
        return None
    whole = longer(subject, of.article)
    surname = " " not in whole.removeprefix("The ") and verb in OF_PEOPLE
    return Clause(inside(whole), auxiliary, verb, found.string[found.end() :]) if whole and not surname else None


def is_proper(name: str, of: Sentence) -> bool:
    """Tell whether words that open a sentence are a name."""
    bare = name.removeprefix("The ")
    if OPENER.match(bare) or bare.lower() in STOP_WORDS:
        return False
    return " " in bare or of.is_name(bare)


def is_person(name: str) -> bool:
    """Tell whether capitalised words may be somebody's full name."""
    return " " in name and not (OPENER.match(name) or NO_PERSON.search(name) or re.search(r"[’']s\b", name))


def all_matches(patterns: tuple[str, ...], text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of each pattern in turn."""
    for pattern in patterns:
        yield from re.finditer(pattern, text)
