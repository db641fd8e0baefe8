from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from rag.links import safe_url
from rag.schema import ArchiveStatus, Article, Claim, Conflict, Position, ShortAnswer, Stage, TimeWindow
from tests.ui.conftest import ARTICLE, NOW, QUOTE, answer_of, citation_of, passage_of
from ui.render import answer_html, failure_html, stage_html, turn_html
from ui.render_archive import freshness_html
from ui.render_sources import sources_html
from ui.surroundings import surroundings
from ui.wording import plain_text, window_text

SCRIPT = "<script>alert(1)</script>"
ARTICLES = {("a1", "v1"): ARTICLE}
JUNE = TimeWindow(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))


def marked(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL)]


def test_script_in_article_question_and_claim_is_inert() -> None:
    evil = replace(
        ARTICLE, title=SCRIPT, source=SCRIPT, section=SCRIPT, url=f"https://x.example/{SCRIPT}",
        text=f"{SCRIPT} {QUOTE}", correction=SCRIPT,
    )  # fmt: skip
    answer = answer_of(
        evil, question=SCRIPT, search_query=SCRIPT * 2, notes=(SCRIPT,), model=SCRIPT,
        claims=(Claim(SCRIPT, (1,), "partly", 0.5, (SCRIPT,)),),
        conflicts=(Conflict((Position(SCRIPT, 1, SCRIPT, None),)),),
        window=replace(JUNE, inferred_from=SCRIPT),
    )  # fmt: skip
    page = turn_html(answer, {("a1", "v1"): evil}, stage=Stage(SCRIPT, SCRIPT)) + turn_html(answer, {})
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in failure_html(SCRIPT, SCRIPT) + stage_html(Stage("searching", SCRIPT))


def test_attribute_cannot_be_left() -> None:
    page = turn_html(answer_of(replace(ARTICLE, title='" onmouseover="x', source='"><b>')), {})
    assert 'onmouseover="x' not in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "//x.example", "https://", "", "http://[",
            "https://x.example/a b", "java\nscript:alert(1)", "file:///etc/passwd"],
)  # fmt: skip
def test_only_web_addresses_become_links(url: str) -> None:
    assert safe_url(url) == ""
    assert "href" not in sources_html(answer_of(replace(ARTICLE, url=url)), ARTICLES)


def test_web_address_becomes_a_link_that_tells_nothing_of_us() -> None:
    html = sources_html(answer_of(), ARTICLES)
    assert 'href="https://courier.example/bridge" target="_blank" rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    ("before", "quote", "after"),
    [
        ("", "All of it.", ""),
        ("Said <b>he</b> & she: ", 'He said "5 < 6" & it\'s so.', " The end."),
        ("word " * 200, "Short quote.", " word" * 200),
        ("長" * 500, "橋が閉鎖された。", "長" * 500),
        ("قبل ", "سيغلق الجسر.", " بعد"),
        ("One.\r\n", "Two\r\nlines.", "\n"),
    ],
)
def test_mark_is_exactly_the_quote_in_its_surroundings(before: str, quote: str, after: str) -> None:
    article = replace(ARTICLE, text=before + quote + after)
    html = sources_html(answer_of(article, quote), {("a1", "v1"): article})
    assert marked(html) == [quote]
    shown_before, shown_after = surroundings(citation_of(article, quote), article, passage_of(article))
    assert before.endswith(shown_before.removeprefix("… "))
    assert after.startswith(shown_after.removesuffix(" …"))
    assert len(shown_before) <= 302
    assert len(shown_after) <= 302


def test_quote_stands_alone_if_the_text_is_gone_or_another() -> None:
    for articles in ({}, {("a1", "v1"): replace(ARTICLE, text="Something else.")}):
        html = sources_html(answer_of(), articles)
        assert marked(html) == [QUOTE]
        assert "Harbour Street will be quiet" not in html


def test_surroundings_stay_inside_the_passage() -> None:
    found = passage_of()
    narrow = replace(found, passage=replace(found.passage, start=ARTICLE.text.index(QUOTE)))
    assert surroundings(citation_of(), ARTICLE, narrow) == ("… ", " Work begins in August.")


def test_markers_lead_to_their_cards() -> None:
    page = turn_html(answer_of(), ARTICLES)
    assert 'href="#source-f00d-1"' in page
    assert 'id="source-f00d-1"' in page
    assert 'aria-label="Source 1: The Courier, 3 July 2025"' in page


def test_marker_without_a_source_is_dropped() -> None:
    assert "#source" not in answer_html(answer_of(claims=(Claim("Text.", (7,), "supported", 1.0),)))


@pytest.mark.parametrize(
    ("verdict", "symbol", "words"),
    [("supported", "✓", "Supported"), ("partly", "◐", "Partly"), ("unsupported", "✕", "Not supported")],
)
def test_verdict_is_told_by_sign_and_words(verdict: str, symbol: str, words: str) -> None:
    html = answer_html(answer_of(claims=(Claim("Text.", (1,), verdict, 0.5, ("the passage says 300",)),)))
    assert f">{symbol}</span>" in html
    assert f'aria-label="{words}' in html
    assert '<details class="pm-reasons"><summary>' in html
    assert '<li dir="auto">the passage says 300</li>' in html


def test_a_claim_without_remarks_has_nothing_to_unfold() -> None:
    assert "<details" not in answer_html(answer_of())


def test_card_tells_date_unknown_copies_correction_and_truncation() -> None:
    article = replace(ARTICLE, published_at=None, correction="Retracted: not so.", truncated=True, source="")
    answer = answer_of(article)
    answer = replace(answer, citations=(replace(answer.citations[0], also_in=("Evening Post",)),))
    html = sources_html(answer, {("a1", "v1"): article})
    for words in ("date unknown", "Retracted: not so.", "only the beginning", "Also in Evening Post", "Outlet unknown"):
        assert words in html


def test_text_of_any_direction_finds_its_own() -> None:
    article = replace(ARTICLE, title="المجلس يغلق الجسر", source="صحيفة الميناء")
    html = turn_html(answer_of(article, question="متى؟"), {})
    assert '<h2 class="pm-question" dir="auto">متى؟</h2>' in html
    assert '<a dir="auto" href' in html


def test_conflict_shows_outlet_and_date_of_each_value() -> None:
    conflict = Conflict((Position("9 to 4", 1, "The Courier", NOW), Position("8 to 5", 2, "Harbour Times", None)))
    html = answer_html(answer_of(conflicts=(conflict,)))
    for words in ("The sources differ", "9 to 4", "8 to 5", "4 July 2025", "Harbour Times", "date unknown"):
        assert words in html


def test_abstention_names_the_nearest_articles_once() -> None:
    text = "The archive does not say. Nearest articles: “Council closes the bridge” (The Courier, 3 July 2025)."
    answer = answer_of(
        status="abstained", claims=(), citations=(), text=text, retrieved=(passage_of(), passage_of())
    )  # fmt: skip
    html = answer_html(replace(answer))
    assert '<p class="pm-abstained" dir="auto">The archive does not say.</p>' in html
    assert html.count('class="pm-near-title"') == 1
    assert sources_html(answer, {}) == ""


def test_scope_is_shown_where_it_differs_from_the_question() -> None:
    html = answer_html(answer_of(search_query="Who opposed the bridge?", window=replace(JUNE, inferred_from="in June")))
    assert "Who opposed the bridge?" in html
    assert "1 June to 30 June 2025 (from “in June”)" in html
    assert "Searched for" not in answer_html(answer_of())


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2025-06-01", "2025-07-01", "1 June to 30 June 2025"),
        ("2024-12-01", "2025-02-01", "1 December 2024 to 31 January 2025"),
        ("2025-06-01", "2025-06-02", "1 June 2025"),
        ("2025-06-01", None, "since 1 June 2025"),
        (None, "2025-07-01", "until 30 June 2025"),
        (None, None, ""),
    ],
)
def test_window_names_its_last_day(since: str | None, until: str | None, words: str) -> None:
    days = [datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None for day in (since, until)]
    assert window_text(TimeWindow(*days)) == words


def test_no_window_is_no_words() -> None:
    assert window_text(None) == ""


def test_freshness_tells_count_newest_and_last_ingest() -> None:
    status = ArchiveStatus(1200, 3000, 900, 0, ("A", "B"), NOW, f"Title {SCRIPT}", datetime(2025, 7, 4, 10, tzinfo=UTC))
    html = freshness_html(status, NOW)
    assert "<strong>1,200</strong> articles from <strong>2</strong> outlets" in html
    assert "4 July 2025" in html
    assert "last ingest 2 hours ago" in html
    assert "<script" not in html


def test_empty_archive_says_how_to_fill_it() -> None:
    assert "pressmark serve --ingest" in freshness_html(ArchiveStatus(0, 0, 0, 0, (), None, "", None), NOW)


def test_plain_text_has_sentences_then_sources() -> None:
    answer = answer_of(notes=("One sentence was withheld.",))
    assert plain_text(answer) == (
        f"{QUOTE} [1]\n\nNote: One sentence was withheld.\n\n"
        '[1] The Courier, 3 July 2025: "Council closes the bridge"\n    https://courier.example/bridge'
    )


def test_plain_text_tells_doubt_and_conflict() -> None:
    conflict = Conflict((Position("9 to 4", 1, "The Courier", NOW),))
    answer = answer_of(claims=(Claim("Nine voted.", (1,), "partly", 0.5, ("no number",)),), conflicts=(conflict,))
    assert "Nine voted. [1] (partly supported by the cited passage; no number)" in plain_text(answer)
    assert "The sources differ:\n  9 to 4 — The Courier, 4 July 2025 [1]" in plain_text(answer)


def test_plain_text_cannot_steer_a_terminal() -> None:
    article: Article = replace(ARTICLE, title="\x1b[2JGone\x07\x9b")
    assert '"[2JGone"' in plain_text(answer_of(article))


def test_the_short_answer_stands_before_its_evidence_with_its_source() -> None:
    start = ARTICLE.text.index("9 to 4")
    answer = answer_of(short=ShortAnswer("9 to 4", 1, start, start + 6))
    page = answer_html(answer)
    assert page.index('<p class="pm-short" dir="auto">9 to 4<sup>') < page.index("pm-sentence")
    assert plain_text(answer).startswith("9 to 4 [1]\n\n")
    assert "pm-short" not in answer_html(answer_of())


def test_a_short_answer_is_escaped_and_needs_its_source() -> None:
    assert SCRIPT not in answer_html(answer_of(short=ShortAnswer(SCRIPT, 1, 0, 5)))
    assert "pm-short" not in answer_html(answer_of(short=ShortAnswer("9 to 4", 7, 0, 5)))
