"""Rules for questions about people: how old, what they do, head, said; pure. Part of `eval.drafting.rules`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eval.drafting.clauses import all_matches, is_person, is_proper
from eval.drafting.sentences import Candidate, Sentence
from eval.drafting.words import (
    DEATHS,
    LEADS,
    MINISTRY,
    NAME,
    OF,
    ONE_DID,
    ONE_DID_THEN,
    OPENER,
    PERSON,
    PROFESSION,
    ROLE,
    SAID,
    clause,
    inside,
    longer,
    name_aliases,
    untitled,
)
from rag.timewords import YEAR
from rag.words import content_stems

_AIMLESS = re.compile(r"(?:for|about|to|with|on|in|that)\b")  # "wrote for", "built on"
_KIN = re.compile(
    r"\b(?:sons?|daughter|brother|sister|child|man|woman|boy|girl|player|member|candidate|leader|person)\b"
)
_QUOTE_WORDS = range(7, 33)
_QUOTE_STEMS = 4
# Before an office: it is another one, or was held at another time.
_NOT_THE = re.compile(
    r"\b(?:former|then|late|ex|future|next|first|deputy|vice|shadow|associate|assistant|junior)\b(?: \w+){0,2}[ -]$",
    re.IGNORECASE,
)


def ages(of: Sentence) -> Iterator[Candidate]:
    """Ask for an age given after a name or before it: "How old was X in May 2025?"."""
    patterns = (
        rf"(?P<n>{PERSON}), (?:aged )?(?P<a>[1-9]\d)(?=[,;.])",
        rf"(?P<n>{PERSON}), an? (?P<a>[1-9]\d)-year-old\b",
        rf"(?P<a>[1-9]\d)-year-old (?P<n>{PERSON})(?=[,.;]| (?:of|from|was|is|has|had|who|said|told|and|in|at|to)\b)",
    )
    if DEATHS.search(of.text) or not of.present:
        return
    for found in all_matches(patterns, of.text):
        name = untitled(found["n"])
        if is_person(name) and not of.text[: found.start()].endswith("the "):
            yield of.candidate("how old", f"How old was {name}", found["a"], pin=f" in {of.month}", pinned=True)


def professions(of: Sentence) -> Iterator[Candidate]:
    """Ask what somebody does: "What is the profession of X?"."""
    patterns = (
        rf"(?P<n>{PERSON}),(?: \d\d,)? an? (?:\d\d-year-old )?(?P<p>(?:[a-z]+ )??(?:{PROFESSION}))"
        r"(?=[,.]| (?:of|at|in|from|who|whose)\b)",
        rf"\b[Tt]he (?P<p>(?:{PROFESSION})) (?P<n>{PERSON})",
    )
    if DEATHS.search(of.text) or not of.present:
        return
    for found in all_matches(patterns, of.text):
        if is_person(untitled(found["n"])) and not re.match(r"(?:retired|former|young|leading|local)\b", found["p"]):
            core = f"What is the profession of {untitled(found['n'])}"
            yield of.candidate("what", core, found["p"], found["p"].split()[-1])


def posts(of: Sentence) -> Iterator[Candidate]:
    """Ask which minister somebody is: "What office did X hold in May 2025?"."""
    patterns = (
        rf"\b(?P<p>(?i:{MINISTRY}) (?i:minister)) (?P<n>{PERSON})",
        rf"(?P<n>{PERSON}), the (?P<p>(?:{MINISTRY}) minister)(?=[,.])",
        rf"\b[Tt]he (?P<p>(?:{MINISTRY}) minister), (?P<n>{PERSON})(?=[,.])",
    )
    for found in all_matches(patterns, of.text):
        held = not (_NOT_THE.search(of.text[: found.start()]) or DEATHS.search(of.text))
        if of.present and held and is_person(untitled(found["n"])):
            core = f"What office did {untitled(found['n'])} hold"
            yield of.candidate("what", core, found["p"], pin=f" in {of.month}", pinned=True)


def offices(of: Sentence) -> Iterator[Candidate]:
    """Ask who holds an office: "Who was the mayor of X in May 2025?"."""
    patterns = (
        rf"(?P<n>{PERSON}),(?: \d\d,)? (?:the )?(?P<r>{ROLE} {OF})(?=[,.;])",
        rf"\b[Tt]he (?P<r>{ROLE} {OF}), (?P<n>{PERSON})(?=[,.;])",
        rf"(?P<o>(?:[Tt]he )?{NAME})[’']s (?P<r>{ROLE}),? (?P<n>{PERSON})",
    )
    for found in all_matches(patterns, of.text):
        owner = found.groupdict().get("o")
        whose = longer(owner, of.article) if owner else ""
        if not is_person(untitled(found["n"])) or (
            owner and (not whose or OPENER.match(re.sub("^[Tt]he ", "", whose)))
        ):
            continue
        role = f"{inside(whose)}’s {found['r']}" if whose else f"the {found['r']}"
        lasting = re.search(r"\b(?:author|founder|architect)\b", found["r"]) is not None
        if lasting or of.present:
            core, pin = f"Who {'is' if lasting else 'was'} {role}", "" if lasting else f" in {of.month}"
            yield of.candidate("who", core, *name_aliases(found["n"], of.article), pin=pin, pinned=True)


def heads(of: Sentence) -> Iterator[Candidate]:
    """Ask who leads or made something: "Who leads the inquiry for X?"."""
    for found in re.finditer(rf"(?P<n>{PERSON}), who (?P<v>\w+) (?P<o>[^“”\"]+)", of.text):
        if found["v"] in LEADS | ONE_DID and not _AIMLESS.match(found["o"]):
            core = f"Who {found['v']} {clause(found['o'])}"
            yield of.candidate("who", core, *name_aliases(found["n"], of.article))
    named = re.match(rf"(?P<n>{PERSON}) (?P<v>will be|is) the (?:next )?(?P<r>{ROLE} {OF})(?=[,.;])", of.text)
    if named and is_person(untitled(named["n"])):
        yield of.candidate("who", f"Who {named['v']} the {named['r']}", *name_aliases(named["n"], of.article))


def doers(of: Sentence) -> Iterator[Candidate]:
    """Ask who did what one does: "Who won X on 24 May 2025?"."""
    found = re.match(rf"(?P<n>(?:The )?{NAME})(?: has)? (?P<v>\w+) (?P<o>[^“”\"]+)", of.text)
    if found and found["v"] in ONE_DID | ONE_DID_THEN and is_proper(found["n"], of) and not _AIMLESS.match(found["o"]):
        core = f"Who {found['v']} {clause(found['o'])}"
        if found["v"] in ONE_DID or re.search(YEAR, core):
            yield of.candidate("who", core, *name_aliases(found["n"], of.article))


def quotations(of: Sentence) -> Iterator[Candidate]:
    """Ask whose words these are: "Who was quoted by X in May 2025 as saying ...?"."""
    patterns = (
        rf"^[“\"](?P<q>[^“”\"]+)[”\"],? {SAID} (?P<n>{PERSON})(?=[,.]| (?:of|in|on|at|after|told)\b)",
        rf"^[“\"](?P<q>[^“”\"]+)[”\"],? (?P<n>{PERSON}) (?:{SAID}|told)\b",
        rf"(?<!the )(?P<n>{PERSON}),? (?:said|commented|remarked|added|explained)[:,] [“\"](?P<q>[^“”\"]+)[”\"]\.?$",
    )
    for found in all_matches(patterns, of.quote):
        words = found["q"].strip().rstrip(",.")
        sized = len(words.split()) in _QUOTE_WORDS and len(content_stems(words)) >= _QUOTE_STEMS
        leans = re.search(r"^(?:He|She|They|It|That|This|These|Those)\b|[…\[(]", words)
        if sized and not leans and is_person(untitled(found["n"])):
            told = f"was quoted by {of.outlet} in {of.month} as saying" if of.outlet and of.month else "said"
            yield of.candidate("who", f"Who {told} “{words}”", *name_aliases(found["n"], of.article))


def superlatives(of: Sentence) -> Iterator[Candidate]:
    """Ask for the first of its kind: "What is the largest shipbuilder in X?"."""
    most = rf"(?!best|latest|greatest|finest|nearest|closest)\w+est (?:[\w-]+ ){{1,4}}(?:in|of|on) (?:the )?{NAME}"
    found = re.search(rf"(?P<n>{NAME}), the (?P<r>{most})(?=[,.;])", of.text)
    if found and is_proper(found["n"], of):
        person = _KIN.search(found["r"]) or re.search(rf"{re.escape(found['n'])}, (?:\d\d,|who)", of.article.text)
        core = f"{'Who' if person else 'What'} is the {found['r']}"
        yield of.candidate("who" if person else "what", core, found["n"])
