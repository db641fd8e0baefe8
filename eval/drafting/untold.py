"""Questions in the form of those that have answers, about people and bodies of whom no article tells it.

An answerable question among them would punish the system that finds the answer. So the net is wide: each article that
may speak of the name is read to its end, and any word that might belong to an answer, of whomever it is said, rules the
question out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eval.drafting.sentences import Candidate
from eval.drafting.words import CAP, NO_PERSON, OPENER, PERSON, QUOTED, ROLE, untitled
from rag.archive import Archive
from rag.schema import Article

_KNOWN_BY = 300  # passages; what more of them name is not asked of


@dataclass(frozen=True, slots=True)
class Untold:
    """A question that might have no answer.

    Attributes:
        form: What is asked: "age", "founding".
        name: Of whom or what.
        told: Finds what might be the answer or part of it.
    """

    form: str
    name: str
    told: re.Pattern[str]
    candidate: Candidate


def _signs(words: str) -> re.Pattern[str]:
    """Compile beginnings of words; one that ends in "." is a whole word."""
    parts = (rf"\b{word[:-1]}\b" if word.endswith(".") else rf"\b{word}" for word in words.split())
    return re.compile("|".join(part.replace("_", " ") for part in parts), re.IGNORECASE)


_OF_PEOPLE = {
    "age": (
        "how old",
        "How old was {name} in {month}",
        re.compile(
            r"-year-old|\baged?\b|\byears? old\b|\bborn\b|\bbirthday|[,(] ?\d{1,3}[,.;)]|\bturn(?:s|ed|ing) \d"
            r"|\b(?:of|at) \d\d\b|\bin (?:his|her|their) (?:early |mid-|late )?(?:teens|\w+ties)\b|\b\d{4}[-–]\d{4}\b",
            re.IGNORECASE,
        ),
    ),
    "birth": (
        "where",
        "Where was {name} born",
        _signs("born. birth native gr[eo]w_up. grew. raised. home_?town hails? childhood com(?:es?|ing)_from."
               " came_from. originally. origin. roots. (?:son|daughter)_of. from_here. village."),
    ),
    "study": (
        "what",
        "At which university did {name} study",
        _signs("universit college stud(?:y|ie|ent) graduat degree doctor dr. prof academ alumn school phd educat mit."
               " oxford cambridge harvard yale scientist research law(?:yer|_school) engineer"),
    ),
    "marriage": (
        "who",
        "To whom was {name} married in {month}",
        _signs("marri wife. wives husband spouse partner widow divorc wedding fianc famil couple son. sons. daughter"
               " father mother parent first_lady single. girlfriend boyfriend"),
    ),
    "children": (
        "how many",
        "How many children did {name} have in {month}",
        _signs("child kid. kids. son. sons. daughter father mother mum. dad. parent famil grand twin bab(?:y|ies)"
               " offspring"),
    ),
    "salary": (
        "how much",
        "How much did {name} earn a year in {month}",
        _signs("salar earn wage pay paid. income fee. fees. bonus contract. remunerat compensat crowns. dollars? euros?"
               " pounds? million. \\$ € £ money"),
    ),
}  # fmt: skip
_OF_BODIES = {
    "founding": (
        "when",
        "When was the {name} founded",
        _signs("found establish set_up. creat launch form(?:ed|ation) beg[au]n start open(?:ed|ing) since. anniversar"
               " centur histor years? dat(?:es?|ed|ing). (?:1[5-9]|20)\\d\\d. new. old"),
    ),
    "director": (
        "who",
        "Who was the director of the {name} in {month}",
        _signs("director chief. head l[ae]+d(?:s|er|ers|ing)?. president chair manage executive boss owner runs?. ceo."
               " governor principal. in_charge. curator"),
    ),
    "staff": (
        "how many",
        "How many people did the {name} employ in {month}",
        _signs("employ staff work jobs? people. strong. personnel colleague doctors nurses scientists researchers"),
    ),
}  # fmt: skip
_BODY = re.compile(
    rf"\b(?:the|The|at) ((?:{CAP} )+(?:Institute|Museum|Observatory|Hospital|Foundation|Bureau|Trust|Laboratory))\b"
)
_SPEAKER = re.compile(
    rf"(?:said|says|added) (?P<a>{PERSON})(?=, (?:who|an?|the|of|chief|head)\b)"
    rf"|(?<!\bof )(?<!\bthe )(?<!\bfor )(?P<b>{PERSON}), (?:who|the (?:[a-z]+ )?{ROLE})\b"
    rf"|\b(?:Mr|Mrs|Ms|Dr|Judge|Captain|Mayor|Senator|Professor|Minister) (?P<c>{PERSON})"
)
_AGE_OF = re.compile(rf"(?P<n>{PERSON}),(?: aged)? [1-9]\d(?=[,.;])")


def untold(article: Article) -> Iterator[Untold]:
    """Yield what might be asked of people and bodies that a dated article names, whether it is told or not."""
    month = f"{article.published_at:%B %Y}"
    spoken_of = _SPEAKER.finditer(QUOTED.sub("“”", article.text))
    people = dict.fromkeys(untitled(found["a"] or found["b"] or found["c"]) for found in spoken_of)
    bodies = dict.fromkeys(_BODY.findall(article.text))
    for named, forms in ((people, _OF_PEOPLE), (bodies, _OF_BODIES)):
        for name in named:
            if forms is _OF_PEOPLE and (" " not in name or OPENER.match(name) or NO_PERSON.search(name)):
                continue
            for form, (kind, core, told) in forms.items():
                asked = Candidate(kind, core.format(name=name, month=month), (), article, "")
                yield Untold(form, name, told, asked)


def is_untold(archive: Archive, item: Untold) -> bool:
    """Tell whether no article that may speak of the name holds a sign of an answer; False if they are too many.

    May speak of it: any that holds the first or last word of the name. The ages of others, after their names, are no
    sign.
    """
    parts = item.name.split()
    ids: set[str] = set()
    for word in {parts[0], parts[-1]}:
        hits = archive.full_text.search(word, limit=_KNOWN_BY)
        if len(hits) == _KNOWN_BY:
            return False
        ids |= {passage.article_id for passage in archive.passages([id_ for id_, _ in hits]).values()}
    for article in map(archive.article, sorted(ids)):
        text = f"{article.title}\n{article.text}\n{article.correction or ''}"
        bare = _AGE_OF.sub(lambda found: found[0] if parts[-1] in found["n"] else found["n"], text)
        if any(part in text for part in (parts[0], parts[-1])) and item.told.search(bare):
            return False
    return bool(ids)
