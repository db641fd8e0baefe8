"""Follow-up question and history to a standalone question, by a chat model or by rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.prompts import standalone_prompt
from rag.schema import Turn
from rag.words import MONTHS, STOP_WORDS, WEEKDAYS, content_stems, names, tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_ELLIPSIS = re.compile(
    r"^\s*(?:(?:and|but|so|or|also|then)\b|(?:what|how) about\b|what of\b|(?:who|what|where) else\b"
    r"|(?:why(?: not)?|who|when|where|how|how so|how come|since when|by whom|how many|how much)\s*\?*\s*$)",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"^\s*(?:(?:and|but|so)\b)?[\s,]*(?:what|how)\s+(?:about|of)\s+(?P<rest>.+?)[\s?]*$", re.IGNORECASE)
# "What about the ferry Solenne, when was she built?", "And the dyke at Tanner's Meadow: was it badgers?"
_ABOUT_ITSELF = re.compile(
    r"^\s*(?:(?:and|but|so|then|now|also)\b)?[\s,]*(?:what about\s+|as for\s+)?(?P<rest>[^,:–—?]+)"
    r"[,:–—]\s*(?:who|what|where|when|why|how|which|did|does|do|is|are|was|were|has|have|had|will)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"(?:by |to |in |at |on |of |from )?(?:who|whom|whose|what|where|when|why|how|which|did|does|do|is|are|was|were"
    r"|has|have|had|will|can|could|would|should)\b",
    re.IGNORECASE,
)
# "When the prime minister came to Brackwater, how much did she promise?"
_FRONTED = re.compile(r"^\s*(?:when|after|before|while|if|as|once|because|since|although)\b[^,]*,", re.IGNORECASE)
_POINTING = re.compile(r"\b(?:it|this|these)\b", re.IGNORECASE)
_CLEFT = re.compile(r"\b(?:is|was) it (?:that|who|which|true)\b", re.IGNORECASE)
_LEADING = re.compile(r"^\s*(?:and|but|so|or|also|then)\b[\s,]*", re.IGNORECASE)
# These point back unless a name stands before them in the same question.
_PERSONAL = frozenset("he she him her hers his they them their theirs its itself himself herself themselves".split())
_POSSESSIVE = frozenset("his her its their".split())
# "How many of its guns has Aldria sold?"
_NAME_FOLLOWS = re.compile(r"\b(?:has|have|had|did|does|do|is|are|was|were|will) (?:the )?[A-Z]")
# "It" and "there" point at nothing in "is it true", "does it take", "was there".
_EXPLETIVE_IT = frozenset("true that take takes took cost costs mean means rain rained snow likely possible".split())
_FORMS_OF_BE = frozenset("is are was were be been will has have had".split())
# "This" and "these" point back unless they mean the present time ("this year").
_TIMES = frozenset(
    "year month week weekend morning evening quarter summer spring autumn winter season day days".split()
)
_TIMES |= frozenset([*WEEKDAYS, *MONTHS])
_DEFINITE = re.compile(r"\bthe [a-z]+", re.IGNORECASE)
_BACK_WORDS = re.compile(r"\bthe (?:former|latter|other one|others)\b", re.IGNORECASE)
WHOLE_QUESTION_STEMS = 4
SHORT_QUESTION_STEMS = 3  # "How many were hurt?" has two: too little to search with
LONGEST_REPLY = 400  # characters; a longer one is no question
ANSWER_READ = 300  # characters of an answer in which the person it is about is named
LONGEST_TOPIC = 300  # characters put after the question: the search model reads no more


def is_follow_up(question: str) -> bool:
    """Tell whether a question leans on what was said before it.

    It does if it opens with an ellipsis ("and…", "what about…") or is only a question word, if a
    pronoun in it has nothing before it in the same question that it can mean, or if it is too short to
    name its topic. A whole question that opens with "and" is judged without it.
    """
    question = question.replace("’", "'")
    about = _ABOUT_ITSELF.match(question)
    if about and _is_topic(about["rest"]):
        return False
    bare = _LEADING.sub("", question)
    pointing = _POINTING.search(bare) and not (_FRONTED.match(bare) or _CLEFT.search(bare))
    if bare != question and _WHOLE.match(bare) and not pointing and len(content_stems(bare)) >= WHOLE_QUESTION_STEMS:
        question = bare  # "And what did the divers find in the wreck?" leans on nothing for its "and"
    if _ELLIPSIS.search(question) or _BACK_WORDS.search(question):
        return True
    named = _topics(question)
    first_name = min((question.find(name) for name in named), default=len(question))
    if any(_points_back(question, match, first_name) for match in re.finditer(r"\w+", question)):
        return True
    if named or re.search(r"\d", question):
        return False
    count = len(content_stems(question))
    return count < SHORT_QUESTION_STEMS or (count == SHORT_QUESTION_STEMS and bool(_DEFINITE.search(question)))


def _is_topic(words: str) -> bool:
    """Tell whether the words before a comma name what the question is about: a name, or two words of content."""
    said = tokens(words)
    if not said or said[-1] in ("one", "ones") or set(said) & _PERSONAL:
        return False
    if _WHOLE.match(words) or _FRONTED.match(f"{words},"):
        return False
    return bool(names(words[:1].lower() + words[1:])) or len(content_stems(words)) >= SHORT_QUESTION_STEMS - 1


def standalone_question(question: str, turns: Sequence[Turn], model: BaseChatModel | None = None) -> str:
    """Return the question with what it leans on put in; unchanged if it stands alone.

    Without a model the last question that names its topic is appended in brackets, with the person its
    answer named if a pronoun may mean them: what the search needs, and a reader can check it at a
    glance. The rules are also used if the model's reply is no single question; errors of the model are
    raised as they come.
    """
    if not turns or not is_follow_up(question):
        return question
    if model is not None:
        reply = str(model.invoke(standalone_prompt(question, turns)).text).strip().strip('"“”').strip()
        if reply and len(reply) < LONGEST_REPLY and "\n" not in reply:
            return reply
    return _by_rules(question, turns)


def _by_rules(question: str, turns: Sequence[Turn]) -> str:
    topic = _topic(turns, told=bool(set(tokens(question)) & _PERSONAL))
    if not topic:
        return question
    about = _ABOUT.match(question)
    if about:
        rest = about["rest"]
        return f"{topic}? ({rest})" if names(rest) else f"{question} ({topic})"
    bare = _LEADING.sub("", question).strip()
    return f"{bare[:1].upper()}{bare[1:]} ({topic})" if bare else f"{topic}?"


def _topic(turns: Sequence[Turn], *, told: bool) -> str:
    """Return the last question that names its topic, else the first one that says anything.

    If the answer `told` whom "he" means, its first name that the question lacks goes along.
    """
    asked = [(turn.question.strip().rstrip("? ").strip(), turn.answer) for turn in turns]
    alone = [pair for pair in asked if pair[0] and not is_follow_up(pair[0])]
    topic, answer = alone[-1] if alone else next((pair for pair in asked if pair[0]), ("", ""))
    if len(topic) > LONGEST_TOPIC:
        topic = topic[:LONGEST_TOPIC].rsplit(" ", 1)[0]
    named = [name for name in names(answer[:ANSWER_READ]) if name not in topic] if told else []
    return f"{topic}: {named[0]}" if named else topic


def _topics(question: str) -> list[str]:
    """Return the names in the question; a word of its own grammar at its beginning is none."""
    return [name for name in names(question) if not (question.startswith(name) and name.lower() in _GRAMMAR)]


def _points_back(question: str, match: re.Match[str], first_name: int) -> bool:
    word = match.group().lower()
    before, after = tokens(question[: match.start()]), tokens(question[match.end() :])
    last, following = (before or [""])[-1], (after or [""])[0].removesuffix("'s")
    named = match.start() >= first_name
    fronted = _FRONTED.match(question)
    if fronted and match.start() >= fronted.end() and len(content_stems(fronted.group())) >= SHORT_QUESTION_STEMS - 1:
        return False
    if word in _PERSONAL:
        owned = word in _POSSESSIVE and following not in STOP_WORDS | {""} and _owner(before)
        return not (named or owned or (word in ("its", "their") and _NAME_FOLLOWS.search(question[match.end() :])))
    if word == "it":
        cleft = _CLEFT.search(question)
        return not (named or cleft or following in _EXPLETIVE_IT or _owner(before))
    if word in ("this", "these", "those"):
        # "those who stayed" explains itself
        return following not in _TIMES and following not in ("who", "whose", "that", "which", "affected", "of", "in")
    if word == "that":
        # "the firm that bought…" is a relative clause; "Who said that?" and "Was that legal?" point back
        return not after or last in _FORMS_OF_BE | {"did", "does", "would", "could"}
    if word == "there":
        return not (named or last in _FORMS_OF_BE or following in _FORMS_OF_BE)
    if word in ("one", "ones"):
        return before == ["which"] and len(after) < SHORT_QUESTION_STEMS
    return False


def _owner(before: Sequence[str]) -> bool:
    """Tell whether the words before a pronoun hold what it means: "How many children with diabetes lost their…"."""
    who = before[:1] == ["who"] and len(before) > 2 and before[1] not in _FORMS_OF_BE | {"did", "does"}
    return who or len(content_stems(" ".join(before))) >= SHORT_QUESTION_STEMS - 1


_GRAMMAR = frozenset("which what who whom whose when where why how did does do is are was were has have had".split())
