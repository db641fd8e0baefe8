"""Train the answer head: which tokens of a passage look like the answer, on frozen embeddings.

    python -m training.fit_answer_head --squad FILE.json [FILE.json ...] [--halve FILE.json ...] --write

The head is a small network over the token vectors that the embedding model gives anyway, so reading
costs no second model. It learns from questions in SQuAD format: a softmax over all tokens of the gold
paragraph, of other paragraphs of the same document, and one null option, which is right for
questions without an answer. Of files after --halve every other document is left out, for
`training.fit_reader` to calibrate on. Writes rag/data/answer_head.safetensors.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from rag.answer_head import SCALARS, SCALE, scalar_features, wording_vector
from rag.embeddings import SentenceEmbeddings, TokenVectors
from rag.settings import load_settings

OUTPUT = Path(__file__).parent.parent / "rag" / "data" / "answer_head.safetensors"
SEED = 7
HIDDEN = 64
EPOCHS = 3
BATCH = 16
NEGATIVES = 1
RATE = 2e-3


@dataclass(frozen=True, slots=True)
class Question:
    """A question on paragraph `home`; answer offsets in the encoded text, or None if it has no answer."""

    text: str
    home: int
    answer: tuple[int, int] | None


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--squad", type=Path, nargs="+", required=True)
    parser.add_argument("--halve", type=Path, nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    embeddings = SentenceEmbeddings.from_settings(load_settings())
    texts: list[str] = []
    documents: list[list[int]] = []
    questions: list[Question] = []
    for path in options.squad:
        _read(path, texts, documents, questions, step=1)
    for path in options.halve:
        _read(path, texts, documents, questions, step=2)
    began = time.monotonic()
    encoded = [_half(item) for item in embeddings.embed_tokens(texts)]
    asked = [_half(item) for item in embeddings.embed_tokens([question.text for question in questions])]
    siblings = {paragraph: document for document in documents for paragraph in document}
    print(
        f"{len(texts)} paragraphs, {len(questions)} questions encoded in {time.monotonic() - began:.0f} s", flush=True
    )
    order = rng.permutation(len(questions))
    held, train = order[:1000], order[1000:]
    head = _Head(embeddings.dimension)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.01)
    steps = EPOCHS * (len(train) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        losses = []
        shuffled = rng.permutation(train)
        for start in range(0, len(shuffled), BATCH):
            batch = shuffled[start : start + BATCH]
            loss = torch.stack([_loss(head, i, questions, asked, encoded, siblings, rng) for i in batch]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's stub
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        with torch.inference_mode():
            check = np.random.default_rng(1)
            held_loss = np.mean([float(_loss(head, i, questions, asked, encoded, siblings, check)) for i in held])
        spent = time.monotonic() - began
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, held out {held_loss:.3f}, {spent:.0f} s", flush=True)
    if options.write:
        save_file({name: value.to(torch.float16).contiguous() for name, value in head.state_dict().items()}, OUTPUT)
        print(f"wrote {OUTPUT.name}")


class _Head(torch.nn.Module):
    """Two layers; tokens and question meet as a product in the small space, which keeps training to minutes."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.token = torch.nn.Linear(dimension, 2 * HIDDEN)
        self.question = torch.nn.Linear(dimension, 2 * HIDDEN, bias=False)
        self.wording = torch.nn.Linear(dimension, HIDDEN, bias=False)
        self.scalars = torch.nn.Linear(SCALARS, HIDDEN, bias=False)
        self.middle = torch.nn.Linear(HIDDEN, HIDDEN)
        self.out = torch.nn.Linear(HIDDEN, 1)
        self.null = torch.nn.Parameter(torch.zeros(1))
        self.dropout = torch.nn.Dropout(0.1)

    def forward(
        self, tokens: torch.Tensor, question: torch.Tensor, wording: torch.Tensor, scalars: torch.Tensor
    ) -> torch.Tensor:
        """Return a score for each token, shape (n,)."""
        # Unit vectors have entries near 0.05: scaled so that the first layer starts in a useful range.
        alone, meeting = self.token(tokens * SCALE).split(HIDDEN, dim=1)
        asked, probe = self.question(question * SCALE).split(HIDDEN)
        hidden = torch.relu(alone + meeting * probe + asked + self.wording(wording * SCALE) + self.scalars(scalars))
        hidden = torch.relu(self.middle(self.dropout(hidden)))
        scores: torch.Tensor = self.out(hidden)
        return scores[:, 0]


def _loss(
    head: _Head,
    index: int,
    questions: Sequence[Question],
    asked: Sequence[TokenVectors],
    encoded: Sequence[TokenVectors],
    siblings: dict[int, list[int]],
    rng: np.random.Generator,
) -> torch.Tensor:
    question = questions[index]
    others = [paragraph for paragraph in siblings[question.home] if paragraph != question.home]
    pages = [question.home, *(int(i) for i in rng.permutation(others)[:NEGATIVES])]
    # One question in six is asked of the wrong paragraphs: the null option must be learnt on easy ones too.
    hidden = bool(others) and rng.random() < 1 / 6
    if hidden:
        pages = pages[1:]
    question_tokens = _single(asked[index])
    vector = question_tokens.vectors.mean(axis=0)
    vector = torch.from_numpy(vector / np.linalg.norm(vector))
    wording = torch.from_numpy(wording_vector(question_tokens))
    scores, gold = [], []
    for page in pages:
        tokens = _single(encoded[page])
        scalars = torch.from_numpy(scalar_features(question_tokens, tokens))
        scores.append(head(torch.from_numpy(tokens.vectors), vector, wording, scalars))
        inside = np.zeros(len(tokens.starts), dtype=bool)
        if page == question.home and question.answer and not hidden:
            start, end = question.answer
            inside = (tokens.starts < end) & (tokens.ends > start)
        gold.append(torch.from_numpy(inside))
    every = torch.cat([*scores, head.null])
    right = torch.cat([*gold, torch.zeros(1, dtype=torch.bool)])
    if not right.any():
        right[-1] = True
    return torch.logsumexp(every, 0) - torch.logsumexp(every[right], 0)


def _read(path: Path, texts: list[str], documents: list[list[int]], questions: list[Question], *, step: int) -> None:
    for document in json.loads(path.read_text(encoding="utf-8"))["data"][::step]:
        title = document["title"].replace("_", " ")
        paragraphs = []
        for paragraph in document["paragraphs"]:
            shift = len(title) + 1
            paragraphs.append(len(texts))
            for qa in paragraph["qas"]:
                answer = None
                if qa["answers"]:
                    start = int(qa["answers"][0]["answer_start"]) + shift
                    answer = (start, start + len(qa["answers"][0]["text"]))
                questions.append(Question(qa["question"].strip(), len(texts), answer))
            texts.append(f"{title}\n{paragraph['context']}")
        documents.append(paragraphs)


def _half(item: TokenVectors) -> TokenVectors:
    return TokenVectors(item.vectors.astype(np.float16), item.starts, item.ends)


def _single(item: TokenVectors) -> TokenVectors:
    return TokenVectors(item.vectors.astype(np.float32), item.starts, item.ends)


if __name__ == "__main__":
    main()
