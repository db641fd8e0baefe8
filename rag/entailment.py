"""Does a text support a claim? The verifier's network, and the sentences of a long text that it reads."""

from __future__ import annotations

from collections.abc import Sequence

from rag.words import content_stems

SUPPORTED, CONTRADICTED, NEITHER = 0, 1, 2  # logits at [CLS]
CLAIM_TOKENS = 96
READ_WORDS = 150  # of a longer text the sentences that share most words with the claim are read


def best_parts(claim: str, texts: Sequence[str]) -> str:
    """Return the sentences of a text, or of a long one those nearest to the claim, in their order."""
    if sum(len(text.split()) for text in texts) <= READ_WORDS:
        return " ".join(texts)
    wanted = set(content_stems(claim))
    shared = [len(wanted & set(content_stems(text))) / (1 + len(text.split())) ** 0.3 for text in texts]
    chosen: set[int] = set()
    words = 0
    for place in sorted(range(len(texts)), key=lambda index: (-shared[index], index)):
        size = len(texts[place].split())
        if chosen and words + size > READ_WORDS:
            continue
        chosen.add(place)
        words += size
    return " ".join(texts[place] for place in sorted(chosen))
