"""The shipped sample archive and its questions; both written for this project, about an invented country."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest.loaders import load
from ingest.loaders.source import Source
from ingest.report import Problem
from rag.schema import Article

FOLDER = Path(__file__).parent / "data" / "sample"
ARTICLES = FOLDER / "articles.jsonl"
QUESTIONS = FOLDER / "questions.jsonl"
DESCRIPTIVE = FOLDER / "descriptive.jsonl"  # questions that describe instead of naming


def sample_articles() -> Iterator[Article | Problem]:
    """Yield the sample articles as any ingest reads them."""
    return load(Source(ARTICLES, ARTICLES.name))
