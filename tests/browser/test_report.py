"""The HTML report of a run, opened from the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from eval.baselines import ask, copy_first_sentence
from eval.datasets import load_questions
from eval.html_report import html_report
from eval.runner import Options, run
from eval.sample import QUESTIONS
from rag.chain import AnswerChain
from rag.settings import Settings
from rag.store import Store


@pytest.fixture(scope="module")
def report(sample_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over eight questions against a run that copies sentences."""
    chain, questions = AnswerChain(sample_store, Settings(_env_file=None)), load_questions(QUESTIONS)[5:150:20]
    made = run(chain, questions, options=Options(baselines={"copy-first": copy_first_sentence}))
    other = run(chain, questions, options=Options(baselines={"ours": ask}))
    path = tmp_path_factory.mktemp("report") / "run.html"
    path.write_text(html_report(made, other=other), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, report: Path, problems: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.on("request", lambda sent: sent.url == report.as_uri() or problems.append(f"request to {sent.url}"))
    context.on("console", lambda said: said.type != "error" or problems.append(f"console: {said.text}"))
    context.on("weberror", lambda error: problems.append(f"page: {error.error}"))
    opened = context.new_page()
    opened.goto(report.as_uri())
    yield opened
    context.close()


def test_figures_are_on_the_first_screen_and_plots_are_drawn(page: Page) -> None:
    expect(page.get_by_text("Right and grounded").first).to_be_in_viewport()
    expect(page.locator(".plot svg.main-svg").first).to_be_visible()
    page.get_by_role("button", name="all", exact=True).click()
    expect(page.locator(".plot svg.main-svg").first).to_be_visible()


def test_the_list_of_questions_can_be_filtered(page: Page) -> None:
    records = page.locator("#records > li:visible")
    expect(records).to_have_count(8)
    page.locator("#words").fill("no such words in any of them")
    expect(records).to_have_count(0)
    page.locator("#reset").click()
    expect(records).to_have_count(8)
