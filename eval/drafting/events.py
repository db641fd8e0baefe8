"""Rules for questions about what happened: how many, how much, when, where, who; pure. Part of `drafting.rules`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from eval.drafting.clauses import Clause, is_person, is_proper, taken_apart
from eval.drafting.sentences import Candidate, Sentence
from eval.drafting.words import (
    AUXILIARY,
    BASE_OF,
    BOUND,
    CAP,
    COUNT,
    DATE,
    FINITE,
    INTRANSITIVE,
    MONEY,
    NAME,
    NUMBER,
    ONE_DID,
    PARTICIPLES,
    PERCENT,
    PERSON,
    PLURAL,
    STANDS,
    TIME_NOUN,
    WITHOUT_PURPOSE,
    clause,
    count_aliases,
    date_aliases,
    inside,
    longer,
    money_aliases,
    name_aliases,
    percent_aliases,
    untitled,
)
from rag.timewords import YEAR
from rag.words import STOP_WORDS, content_stems

_TELLING = 5  # stems: "How many victims were from Scotland?" could be asked of any event

# -- about what was counted ----------------------------------------------------------------------


def counts(of: Sentence) -> Iterator[Candidate]:
    """Ask for a number that opens a sentence: "How many prisms were recast by ...?"."""
    found = re.match(rf"(?:{BOUND})(?P<n>{COUNT}) (?P<o>[a-z][^“”\"]*)", of.text, re.IGNORECASE)
    if not found or not found["o"][0].islower() or TIME_NOUN.match(found["o"]):
        return
    said = clause(re.sub(r", aged [^,]+,", "", found["o"]))
    verb = FINITE.search(said)
    if not verb:
        return
    who, did = said[: verb.start()], said[verb.start() :]
    if not re.match(rf"(?:[a-z-]+ ){{0,2}}{PLURAL}(?: (?:in|of|from|at|on|with) .*)? $", who) or " and " in who:
        return
    if re.search(rf"\band (?:{NUMBER}|\d)", did):
        return
    did = re.sub(r"^(?:have|are)\b", lambda now: {"have": "had", "are": "were"}[now[0]], did)
    core = f"How many {who}{did}"
    timeless = re.search(YEAR, core) or verb[0] in STANDS
    if len(content_stems(core)) >= _TELLING:
        yield of.candidate("how many", core, *count_aliases(found["n"]), pin=of.source, pinned=not timeless)


def shares(of: Sentence) -> Iterator[Candidate]:
    """Ask for a percentage that opens a sentence: "What percentage of voters in ...?"."""
    found = re.match(rf"{BOUND}(?P<n>{PERCENT}) of (?P<o>[^“”\"]*)", of.text, re.IGNORECASE)
    if found:
        core = f"What percentage of {clause(found['o'])}"
        yield _figure(of, "how many", core, found["n"], *percent_aliases(found["n"]))


def amounts(of: Sentence) -> Iterator[Candidate]:
    """Ask for what a verb counts: "How much did X pay for ...?", "How many ... did X send?"."""
    said = taken_apart(of.text, of)
    if not said:
        return
    whom = re.match(rf" (?:the \w+|[A-Z][\w’-]+)(?= {BOUND}{MONEY})", said.rest)
    to_whom = whom.group() if whom else ""
    rest = said.rest[len(to_whom) :]
    money = re.match(rf" {BOUND}(?P<n>{MONEY})(?P<o>[^“”\"]*)", rest)
    if money:
        after = clause(money["o"])
        if re.match(r" (?:more|less|a|an|per|each|in|at)\b", after):
            return
        if to_whom or said.verb in WITHOUT_PURPOSE or re.search(r"\b(?:for|to|towards) ", after):
            yield _figure(of, "how much", f"How much {said.asked}{to_whom}{after}", *money_aliases(money["n"]))
        return
    count = re.match(rf" {BOUND}(?P<n>{COUNT}) (?P<o>[a-z][^“”\"]*)", rest)
    things, after = _things(clause(count["o"])) if count else ("", "")
    if count and things and not TIME_NOUN.search(things):
        yield _figure(of, "how many", f"How many {things} {said.asked}{after}", *count_aliases(count["n"]))
    change = re.match(rf" by (?P<n>{PERCENT})(?P<o>[^“”\"]*)", rest)
    if change:
        core = f"By what percentage {said.asked}{clause(change['o'])}"
        yield _figure(of, "how much", core, change["n"], *percent_aliases(change["n"]))


def measures(of: Sentence) -> Iterator[Candidate]:
    """Ask for votes and the like, or for a size: "With how many votes was X elected?", "How long is X?"."""
    said = taken_apart(of.text, of)
    what = rf" (?P<p>with|by) {BOUND}(?P<n>{COUNT}) (?P<t>votes|points|seats|goals|runs)(?=[,.])"
    found = re.match(rf"(?P<o>[^,;:“”\"]*?){what}", said.rest) if said else None
    if said and found and not re.search(YEAR, found["o"]):
        core = f"{found['p'].capitalize()} how many {found['t']} {said.asked}{found['o']}"
        yield _figure(of, "how many", core, *count_aliases(found["n"]))
    size = rf"(?P<n>{COUNT} [a-z]+) (?P<a>long|high|tall|deep|wide|old)(?=[,. ])"
    found = re.match(rf"(?P<s>(?:The )?{NAME}) (?P<v>is|was) {BOUND}{size}", of.text)
    if found and is_proper(found["s"], of):
        yield of.candidate("how much", f"How {found['a']} {found['v']} {inside(found['s'])}", found["n"])


def _figure(of: Sentence, kind: str, core: str, *answers: str) -> Candidate:
    """Return a question for a figure; without a year in it, it is asked of one outlet's report."""
    return of.candidate(kind, core, *answers, pin=of.source, pinned=not re.search(YEAR, core))


def _things(said: str) -> tuple[str, str]:
    """Split "rescue workers from Karsk" before its preposition; ("", "") if something else follows the noun."""
    rest = r"(?P<of> of [a-z-]+)?(?P<o>$| (?:in|on|at|from|to|for|with|of|by|after|under) .+| and .+)"
    found = re.match(rf"((?:[a-z-]+ )??(?:[a-z-]+ )??{PLURAL}){rest}", said)
    if not found or set(found[1].split()) & (AUXILIARY | STOP_WORDS):
        return "", ""
    return found[1] + (found["of"] or ""), "" if found["o"].startswith(" and ") else found["o"]


# -- when, where and by whom ---------------------------------------------------------------------


_CLOCK_OR_ADVERB = re.compile(
    r" (?:at|shortly (?:before|after))(?: about)? [\d.:]+(?: ?[ap]\.?m\.?)?|(?: back| early| with effect| \w+ly)*$"
)


def times(of: Sentence) -> Iterator[Candidate]:
    """Ask for the day, month or year: "When did X close ...?", "When was X built?"."""
    begins = re.match(rf"(?:On|In) (?P<d>{DATE}),? (?=[A-Z]|the )", of.text)
    text = of.text[begins.end() :] if begins else of.text
    said = taken_apart(text[0].upper() + text[1:], of)
    if not said:
        return
    if begins:
        date, rest = begins["d"], clause(said.rest)
    else:
        found = re.match(rf"(?P<o>[^,;:“”\"]*?),? (?:on|in|from) (?P<d>{DATE})(?P<t>[^“”\"]*)", said.rest)
        tail = clause(found["t"]) if found else ""
        if not found or re.match(r" (?:to|that|whether|if|how|why)\b|[^ ]", tail):
            return
        date, rest = (
            found["d"],
            found["o"] + (tail if re.match(r" (?:for the first time|in the|at the)\b", tail) else ""),
        )
    rest = _CLOCK_OR_ADVERB.sub("", rest)
    if _is_whole(said, rest) and not re.search(YEAR, rest):
        yield of.candidate("when", f"When {said.asked}{rest}", *date_aliases(date, of.dates))


def _is_whole(said: Clause, rest: str) -> bool:
    """Tell whether "When did X announce ..." has all that its verb needs, and no second verb."""
    words = rest.split()
    if said.active and not words and said.verb not in INTRANSITIVE:
        return False
    if re.search(MONEY, rest) and " for " not in rest:
        return False
    second = any(word in BASE_OF for first, word in pairwise(words) if first == "and")
    broken = bool(words) and words[-1] in BASE_OF.keys() | PARTICIPLES | STOP_WORDS
    return not (second or broken or rest.startswith(" and "))


def agents(of: Sentence) -> Iterator[Candidate]:
    """Ask who made something: "Who was X painted by?"."""
    said = taken_apart(of.text, of)
    by = rf" by (?:the )?(?:[a-z]+ ){{0,2}}?(?P<n>{PERSON})(?=[,.]| (?:in|on|at|after|for)\b)"
    found = re.match(rf"(?P<o>[^,;:“”\"]*?){by}", said.rest) if said else None
    once = said is not None and (said.verb in ONE_DID or said.verb == "written")
    if said and found and once and said.auxiliary in ("was", "were", "has been", "have been"):
        yield of.candidate("who", f"Who {said.asked}{found['o']} by", *name_aliases(found["n"], of.article))


def places(of: Sentence) -> Iterator[Candidate]:
    """Ask where somebody was born or something was held: "Where was X born?"."""
    who = rf"(?P<n>{PERSON}|(?<!, ){CAP})(?:, who)? was born in (?P<p>[^,.;“”\"]*?(?P<c>{NAME}))"
    found = re.search(rf"{who}(?=[,.;]| (?:and|but|in)\b)", of.text)
    whole = longer(found["n"], of.article) if found else ""
    if found and is_person(untitled(whole)):
        yield of.candidate("where", f"Where was {untitled(whole)} born", found["p"], found["c"])
    said = taken_apart(of.text, of)
    held = re.match(rf" (?:in|at) (?P<p>(?:the )?{NAME}(?: in {NAME})?)(?=[,.])", said.rest) if said else None
    if said and held and said.verb in ("held", "built", "found"):
        yield of.candidate("where", f"Where {said.asked}", held["p"], held["p"].split(" in ")[0].removeprefix("the "))
