"""Measure a chat model under control, beside the built-in reader alone, on the questions of the sample archive.

    python -m bench.writers --chat-model gguf:/path/model.gguf [--split dev|test] [--verifier rules] [--out read.txt]

Prints for both the share of answerable questions answered correctly and of the others refused; for the chat model how
many sentences it wrote, how many were withheld and shown, by verdict, and the time until the first sentence is shown.
`--out` writes each shown sentence of the chat model with the question and the passages it cites, for a person to read:
whether it is supported is for people to say, not for the check that let it pass.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eval.datasets import EvalQuestion, load_questions
from eval.sample import ARTICLES, QUESTIONS
from eval.scoring import score
from ingest.run import ingest
from rag.chain import AnswerChain
from rag.providers import chat_model
from rag.schema import Answer, ClaimShown
from rag.settings import load_settings
from rag.store import opened


@dataclass
class _Tally:
    """What one writer did over all questions."""

    right: list[bool] = field(default_factory=list)
    refused: list[bool] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    written: int = 0
    lines: list[str] = field(default_factory=list)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--chat-model", required=True)
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--verifier", default=None, help="as in PRESSMARK_VERIFIER")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    questions = load_questions(QUESTIONS, split=options.split)
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(home=Path(home), chat_model=options.chat_model, verifier=options.verifier)
        with opened(settings) as store:
            ingest([ARTICLES], store, passage_tokens=settings.passage_tokens)
            alone = _asked(AnswerChain(store, settings), questions)
            model = _asked(AnswerChain(store, settings, chat_model(settings)), questions)
    for name, tally in (("built-in reader", alone), (options.chat_model.rsplit("/", 1)[-1], model)):
        print(
            f"{name}: correct {np.mean(tally.right):.3f} of {len(tally.right)}; "
            f"refused {np.mean(tally.refused):.3f} of {len(tally.refused)} unanswerable; "
            f"first sentence after {np.median(tally.first_ms):.0f} ms (p50), "
            f"{np.percentile(tally.first_ms, 95):.0f} ms "
            f"(p95); whole answer {np.median(tally.whole_ms):.0f} ms (p50)"
        )
    shown = model.verdicts.total()
    print(f"{model.written} sentences written, {shown} shown: {dict(model.verdicts)}")
    if options.out:
        options.out.write_text("\n\n".join(model.lines), encoding="utf-8")


def _asked(chain: AnswerChain, questions: list[EvalQuestion]) -> _Tally:
    tally = _Tally()
    for question in questions:
        began = time.perf_counter()
        first = 0.0
        written = []
        answer = None
        adding = False
        for event in chain.stream(question.query):
            if isinstance(event, ClaimShown):
                first = first or 1000 * (time.perf_counter() - began)
                if not adding:
                    written.append(event)
            elif isinstance(event, Answer):
                answer = event
            else:
                adding = event.name == "reading"
        if answer is None:
            raise TypeError("the stream ended without an answer")
        scores = score(question, answer, chain.store.archive, k=8)
        if question.answerable:
            tally.right.append(bool(scores.correct))
        else:
            tally.refused.append(answer.status == "abstained")
        tally.whole_ms.append(1000 * (time.perf_counter() - began))
        tally.first_ms.append(first or tally.whole_ms[-1])
        tally.written += len(written) + answer.withheld
        tally.verdicts.update(event.claim.verdict for event in written)
        tally.lines += [_readable(question, event, answer) for event in written]
    return tally


def _readable(question: EvalQuestion, shown: ClaimShown, answer: Answer) -> str:
    claim = shown.claim
    cited = []
    for citation in shown.citations:
        passages = (
            item.passage.text
            for item in answer.retrieved
            if item.passage.article_id == citation.article_id
            and item.passage.start <= citation.start
            and citation.end <= item.passage.end
        )
        cited.append(f"  {citation.title} ({citation.published_at:%d %B %Y})\n  {next(passages, citation.quote)}")
    head = f"{question.id} {question.question}\n{claim.verdict} {claim.score}: {claim.text}"
    return "\n".join([head, *cited])


if __name__ == "__main__":
    main()
