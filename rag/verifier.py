"""Claim and cited passages to verdict: the rules first, then a model for what rules cannot see.

What the rules settle stays: a claim that stands there word for word is supported, one with another number, date, name,
speaker or direction is not. Of the rest a model gives the chance that the passages support it. Three models fit
behind `Entailment`: the network in the package, a cross-encoder that the settings name, and the chat model as judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from rag.anchors import anchored
from rag.figures import stamp_of
from rag.rules import Check, check_by_rules

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.settings import Settings

MOST_READ = 4  # passages that a model is asked about for one claim


class Entailment(Protocol):
    """A model that tells how likely texts support claims.

    Attributes:
        name: Of the tier, as in the settings.
        supported: Chance from which a claim counts as supported that the rules find no fault with.
        thin: The same for a claim whose words the passages hold too few of.
        doubted: The same for a claim that the rules doubt.
        partly: Chance from which it counts as partly supported.
    """

    name: str
    supported: float
    thin: float
    doubted: float
    partly: float

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """Return for each (claim, text) the chance in [0, 1]; None where the model gave no usable answer."""
        ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks claims; without a model by the rules alone. Threads may share it."""

    model: Entailment | None = None

    @property
    def name(self) -> str:
        """Of the model, "rules" without one."""
        return self.model.name if self.model else "rules"

    def verify(self, claim: str, passages: Sequence[str]) -> Check:
        """Check one claim against the texts it cites.

        Args:
            claim: One sentence without citation markers.
            passages: What it cites, in any order; none means unsupported. Each is a quote, or a headline, a line with
                outlet and date, and the text.
        """
        found = check_by_rules(claim, passages)
        if found.settled or self.model is None:
            return found
        read = [_dated(passage) for passage in passages[:MOST_READ]]
        texts = [*read, "\n".join(read)] if len(read) > 1 else read
        chances = [chance for chance in self.model.support([(claim, text) for text in texts]) if chance is not None]
        if not chances:
            return replace(found, reasons=(*found.reasons, f"{self.model.name} gave no usable answer"))
        chance = max(chances)
        score = round(chance, 3)
        if chance >= bound_for(found, self.model):
            return Check("supported", score, ())
        reasons = found.reasons or ("the cited passage does not say this",)
        return Check("partly" if chance >= self.model.partly else "unsupported", score, reasons)


def bound_for(found: Check, model: Entailment) -> float:
    """Return the chance from which a claim that the rules left open counts as supported."""
    if found.doubted:
        return model.doubted
    return model.supported if found.verdict == "supported" else model.thin


def _dated(passage: str) -> str:
    """Say what "on Tuesday" means in it: the model has no calendar."""
    stamp = stamp_of(passage)
    if stamp is None:
        return passage
    head, byline, text = (*passage.split("\n", 2), "")[:3]
    return f"{head}\n{byline}\n{anchored(text, datetime(stamp.year, stamp.month, stamp.day, tzinfo=UTC))}"


def verifier_of(settings: Settings, chat: BaseChatModel | None = None) -> Verifier:
    """Return the verifier that the settings name: "builtin", "builtin:balanced", "rules", "nli:NAME" or "llm".

    Raises:
        ModelError: Its model cannot be loaded.
        SettingsError: There is no such verifier, or "llm" is set without a chat model.
    """
    from rag.entailment import ChatEntailment, CrossEntailment, shipped_entailment
    from rag.errors import SettingsError

    kind, _, name = settings.verifier.partition(":")
    if kind == "builtin" and name in ("", "balanced"):
        return Verifier(shipped_entailment(balanced=bool(name), threads=settings.threads))
    if kind == "rules" and not name:
        return Verifier()
    if kind == "nli" and name:
        return Verifier(CrossEntailment.load(name, settings))
    if kind == "llm" and not name:
        if chat is None:
            raise SettingsError("PRESSMARK_VERIFIER=llm needs a chat model: set PRESSMARK_CHAT_MODEL.")
        return Verifier(ChatEntailment(chat))
    raise SettingsError(
        f"There is no check of claims {settings.verifier!r} (PRESSMARK_VERIFIER, or an eval's --judge): write builtin, "
        "builtin:balanced, rules, llm, or nli: with the name or folder of a cross-encoder."
    )
