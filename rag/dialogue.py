"""Follow-up question and history to a standalone question, by a chat model or by rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.prompts import standalone_prompt
from rag.schema import Turn
from rag.words import content_stems, names, tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_PRONOUNS = frozenset(
    "he she it they him her them his hers its their theirs this that these those there one ones same former latter".split()
)
_ELLIPSIS = re.compile(r"^\s*(?:and|but|so|or|also|then|what about|how about|what of|why|who else|what else)\b", re.I)
_ABOUT = re.compile(r"^\s*(?:and|but|so)?[\s,]*(?:what|how)\s+(?:about|of)\s+(?P<rest>.+?)\s*\??\s*$", re.I)
_LEADING = re.compile(r"^\s*(?:and|but|so|or|also|then)\b[\s,]*", re.I)
SHORT_QUESTION_STEMS = 3  # "How many were hurt?" has two: too little to search with


def is_follow_up(question: str) -> bool:
    """Tell whether a question leans on what was said before it.

    It does if it opens with an ellipsis ("and…", "what about…"), if a pronoun in it has no name
    before it in the same question, or if it is too short to name its topic.
    """
    if _ELLIPSIS.search(question):
        return True
    named = names(question)
    first_name = min((question.find(name) for name in named), default=len(question))
    for match in re.finditer(r"[\w’']+", question):
        word = match.group().lower()
        if word in _PRONOUNS and match.start() < first_name and not _expletive(question, match):
            return True
    return not named and len(content_stems(question)) < SHORT_QUESTION_STEMS


def standalone_question(question: str, turns: Sequence[Turn], model: BaseChatModel | None = None) -> str:
    """Return the question with what it leans on put in; unchanged if it stands alone.

    Without a model the last turn's question (and the names in its answer) are appended in brackets,
    which is what the search needs and a reader can check at a glance. The rules are also used if the
    model's reply is no single question; errors of the model are raised as they come.
    """
    if not turns or not is_follow_up(question):
        return question
    if model is not None:
        reply = str(model.invoke(standalone_prompt(question, turns)).text).strip()
        if reply and len(reply) < 400 and "\n" not in reply:
            return reply
    return _by_rules(question, turns)


def _by_rules(question: str, turns: Sequence[Turn]) -> str:
    topic = _topic(turns)
    about = _ABOUT.match(question)
    if about:
        return (
            f"{_with_mark(topic.split(' (')[0])} ({about['rest']})" if names(about["rest"]) else f"{question} ({topic})"
        )
    bare = _LEADING.sub("", question).strip()
    return f"{bare[:1].upper()}{bare[1:]} ({topic})"


def _topic(turns: Sequence[Turn]) -> str:
    """Return the last question that names its topic, with the questions that lean on it left out."""
    for turn in reversed(turns):
        if not is_follow_up(turn.question):
            return turn.question.strip().rstrip("?").strip()
    return turns[0].question.strip().rstrip("?").strip()


def _with_mark(text: str) -> str:
    return text if text.endswith("?") else f"{text}?"


def _expletive(question: str, match: re.Match[str]) -> bool:
    """Pass over "is it true", "was there", "that" before a clause: they point at nothing."""
    word = match.group().lower()
    after = tokens(question[match.end() :])[:1]
    if word == "there":
        before = tokens(question[: match.start()])[-1:]
        return before in (["is"], ["are"], ["was"], ["were"], ["will"], ["has"], ["have"]) or after in (
            ["is"],
            ["are"],
            ["was"],
            ["were"],
        )
    if word == "it":
        return after in (["true"], ["that"], ["take"], ["cost"], ["mean"])
    if word == "that":
        # "the firm that bought…" is a relative clause; "Who said that?" points back.
        return bool(after)
    if word in ("this", "these", "those", "same", "one", "ones", "former", "latter"):
        return (
            bool(after)
            and word in ("this", "one", "former", "same")
            and after[0]
            in (
                "year",
                "month",
                "week",
                "summer",
                "spring",
                "autumn",
                "winter",
                "day",
                "of",
            )
        ) or word in ("one", "former", "same")
    return False
