"""Questions made of sentences by patterns: one function for each form, safe transformations only; pure.

Each takes a sentence and yields the questions that it surely answers. A pattern that fits otherwise than meant costs a
person's time in review, one that does not fit costs nothing: so they are narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from eval.drafting.events import agents, amounts, counts, measures, places, shares, times
from eval.drafting.people import ages, doers, heads, offices, posts, professions, quotations, superlatives
from eval.drafting.sentences import Candidate, Sentence

Rule = Callable[[Sentence], Iterator[Candidate]]

RULES: Mapping[str, Rule] = {
    "age": ages,
    "profession": professions,
    "post": posts,
    "office": offices,
    "head": heads,
    "doer": doers,
    "quotation": quotations,
    "superlative": superlatives,
    "count": counts,
    "share": shares,
    "amount": amounts,
    "measure": measures,
    "time": times,
    "agent": agents,
    "place": places,
}
