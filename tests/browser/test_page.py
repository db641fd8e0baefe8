"""The page as readers have it: a real browser before a real server with the sample archive."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Served, Visit, come_back

FERRY = "What happened to the ferry Solenne in June?"
CREW = "How many crew were on board the ferry Solenne when it caught fire in June?"
CHILDREN = "And how many schoolchildren from Wexcombe were taken off her?"
CONDUCTOR = "Who conducts the Port Selwyn Philharmonic?"
MARCH = "How many people marched for the striking dockers in Port Selwyn on 17 May?"
ORGAN = "What did the Bishop of Meridian say about the sale of the cathedral organ?"
TABS = ("Ask", "Articles", "Evals")
PHONE = {"width": 390, "height": 844}


def submit(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def ask(page: Page, question: str) -> Locator:
    """Ask and wait for the end of the answer; return the exchange."""
    submit(page, question)
    return answered(page, question)


def answered(page: Page, question: str) -> Locator:
    heading = page.get_by_role("heading", level=2, name=question, exact=True)
    turn = page.locator("#pm-live .pm-turn").filter(has=heading)
    expect(turn.locator(".pm-colophon, .pm-results, .pm-failure")).to_be_visible()
    return turn


def answer_id(turn: Locator) -> str:
    link = turn.get_by_role("link", name="Link to this answer").get_attribute("href") or ""
    return link.removeprefix("?answer=")


def answer_of(turn: Locator, server: Served) -> dict[str, Any]:
    """Return the answer as the API tells it."""
    return server.json(f"/api/answers/{answer_id(turn)}")


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    shown = {"Ask": "#pm-question", "Articles": "#pm-articles .pm-list", "Evals": "#pm-start-eval"}[name]
    expect(page.locator(shown)).to_be_visible()


def open_adding(page: Page, how: str) -> None:
    open_tab(page, "Articles")
    page.get_by_role("button", name="Add articles").click()
    page.get_by_role("tab", name=how, exact=True).click()


def find_article(page: Page, words: str) -> None:
    """Search the list of articles by headline and open the one that is found."""
    page.get_by_label("Words of the headline").fill(words)
    expect(page.locator("#pm-articles .pm-open")).to_have_text([re.compile(re.escape(words))])
    page.locator("#pm-articles .pm-open").click()
    expect(page.locator("#pm-article h2")).to_contain_text(words)


def eventually(look: Callable[[], Any], seconds: float = 10) -> Any:
    """Return what `look` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.05)
    return found


# -- answers and their evidence ------------------------------------------------------------------


def test_an_answer_is_sentences_with_verdicts_and_numbered_citations(visit: Visit) -> None:
    turn = ask(visit(), FERRY)
    claims = turn.locator(".pm-claim")
    expect(claims).not_to_have_count(0)
    for claim in claims.all():
        expect(claim.get_by_role("img", name="Supported by the cited passage")).to_be_visible()
        expect(claim.locator(".pm-cite").first).to_have_text(re.compile(r"\d"))
    expect(turn.locator(".pm-answer")).to_contain_text("fire in the engine room of the passenger ferry Solenne")
    markers = turn.locator(".pm-claim .pm-cite").all_inner_texts()
    assert markers == [str(number) for number in range(1, len(markers) + 1)]
    assert turn.locator(".pm-source .pm-number").all_inner_texts() == markers


def test_a_plain_question_gets_its_few_words_first(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name=CONDUCTOR).click()
    turn = answered(page, CONDUCTOR)
    expect(turn.locator(".pm-short")).to_contain_text("Kovářík")
    expect(page.get_by_role("button", name=CONDUCTOR)).to_be_hidden()


def test_outlets_that_differ_stand_side_by_side(visit: Visit) -> None:
    turn = ask(visit(), MARCH)
    expect(turn.get_by_role("heading", name="The sources differ")).to_be_visible()
    values = turn.locator(".pm-position .pm-value").all_inner_texts()
    assert {re.match(r"[\d,]+", value).group() for value in values} == {"12,000", "7,500"}


def test_what_the_archive_does_not_say_is_said_with_the_nearest_articles(visit: Visit) -> None:
    turn = ask(visit(), ORGAN)
    expect(turn.locator(".pm-abstained")).to_contain_text("archive")
    expect(turn.get_by_role("heading", name="Nearest in the archive")).to_be_visible()
    expect(turn.locator(".pm-claim")).to_have_count(0)


def test_a_citation_opens_the_card_with_the_exact_quote_and_escape_goes_back(visit: Visit, server: Served) -> None:
    page = visit()
    turn = ask(page, FERRY)
    marker = turn.locator(".pm-claim .pm-cite").last
    number = marker.inner_text()
    marker.click()
    card = turn.locator(".pm-source:focus")
    expect(card.locator(".pm-number")).to_have_text(number)
    expect(card).to_be_in_viewport()
    cited = answer_of(turn, server)["citations"][int(number) - 1]
    article = server.json(f"/api/articles/{cited['article_id']}?version={cited['version']}")
    assert card.locator("mark").text_content() == article["text"][cited["start"] : cited["end"]] == cited["quote"]
    page.keyboard.press("Escape")
    expect(marker).to_be_focused()


def test_sources_can_be_sorted_by_day(visit: Visit) -> None:
    page = visit()
    turn = ask(page, MARCH)
    turn.get_by_role("button", name="Newest first").click()
    times = [int(card.get_attribute("data-time")) for card in turn.locator(".pm-source").all()]
    assert times == sorted(times, reverse=True)
    expect(turn.get_by_role("button", name="Newest first")).to_have_attribute("aria-pressed", "true")


# -- what was searched, and changing it ----------------------------------------------------------


def test_a_follow_up_says_what_was_searched_and_finds_it(visit: Visit, server: Served) -> None:
    page = visit()
    ask(page, CREW)
    turn = ask(page, CHILDREN)
    chip = turn.locator(".pm-chip").filter(has_text="Searched for")
    expect(chip).to_contain_text(answer_of(turn, server)["search_query"])
    expect(chip).to_contain_text("Solenne")
    expect(turn.locator(".pm-answer")).to_contain_text("22 pupils")
    expect(page.locator("#pm-past .pm-turn")).to_have_count(1)


def test_without_its_window_a_question_is_answered_again(visit: Visit, server: Served) -> None:
    page = visit()
    turn = ask(page, FERRY)
    first = answer_id(turn)
    expect(turn.locator(".pm-chip")).to_contain_text("1 June to 30 June 2025 (from “in June”)")
    turn.get_by_role("button", name="Search all dates").click()
    again = page.locator("#pm-live .pm-turn:not(:has(.pm-chip))")
    expect(again.locator(".pm-colophon")).to_be_visible()
    assert answer_of(again, server)["window"] is None
    assert answer_id(again) != first
    expect(page.locator(".pm-turn")).to_have_count(1)


def test_the_window_can_be_changed_in_its_form(visit: Visit, server: Served) -> None:
    page = visit()
    turn = ask(page, FERRY)
    turn.locator(".pm-chip summary").click()
    turn.get_by_label("From").fill("2025-06-13")
    turn.get_by_label("to", exact=True).fill("2025-08-31")
    turn.get_by_role("button", name="Search these dates").click()
    expect(page.locator(".pm-chip")).to_contain_text("13 June to 31 August 2025")
    again = answered(page, FERRY)
    days = [passage["passage"]["published_at"] for passage in answer_of(again, server)["retrieved"]]
    assert days
    assert all("2025-06-13" <= day[:10] <= "2025-08-31" for day in days)


def test_a_chosen_outlet_is_the_only_one_cited(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Dates and outlets").click()
    page.locator("#pm-narrow").get_by_role("combobox").click()
    page.get_by_role("option", name="Selwyn Courier").click()
    page.keyboard.press("Escape")
    turn = ask(page, FERRY)
    expect(turn.locator(".pm-source")).not_to_have_count(0)
    assert set(turn.locator(".pm-source .pm-outlet").all_inner_texts()) == {"Selwyn Courier"}


def test_a_day_that_is_none_is_told_and_the_next_question_is_answered(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Dates and outlets").click()
    page.locator("#pm-narrow").get_by_label("Published from").fill("30 June")
    turn = ask(page, CONDUCTOR)
    expect(turn.get_by_role("alert")).to_contain_text("'30 June' is no date: write it as 2025-06-30.")
    page.locator("#pm-narrow").get_by_label("Published from").fill("2025-06-30")
    expect(ask(page, CONDUCTOR).locator(".pm-chip")).to_contain_text("since 30 June 2025")


def test_search_only_shows_passages_and_no_answer(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Search only").check()
    turn = ask(page, "ferry Solenne fire")
    expect(turn.locator(".pm-result").first).to_contain_text("Solenne")
    expect(turn.locator(".pm-claim")).to_have_count(0)
    expect(turn.locator(".pm-sources")).to_have_count(0)


def stop_midway(page: Page, server: Served) -> None:
    """Ask, and stop after the first sentence, while the second is being written."""
    server.gate.unlink(missing_ok=True)
    submit(page, FERRY)
    expect(page.locator("#pm-live .pm-sentence")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#pm-live .pm-notes")).to_have_text("Stopped before the answer was complete.", timeout=2000)


def test_stop_keeps_what_was_shown_and_gives_the_ask_button_back(visit: Visit, slow_server: Served) -> None:
    page = visit(at=slow_server)
    stop_midway(page, slow_server)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible(timeout=2000)
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(page.locator("#pm-live .pm-sentence")).to_have_count(1)
    expect(page.locator("#pm-live .pm-source mark")).to_have_count(1)
    slow_server.gate.touch()


def test_after_stop_the_next_question_does_not_wait_for_the_stopped_one(visit: Visit, slow_server: Served) -> None:
    page = visit(at=slow_server)
    stop_midway(page, slow_server)
    submit(page, CREW)
    expect(page.locator("#pm-live h2")).to_have_text(CREW)
    slow_server.gate.touch()
    expect(answered(page, CREW).locator(".pm-claim")).not_to_have_count(0)
    expect(page.locator("#pm-past .pm-notes")).to_have_text("Stopped before the answer was complete.")
    expect(page.locator("#pm-past .pm-sentence")).to_have_count(1)


# -- what can be done with an answer -------------------------------------------------------------


def test_an_answer_can_be_copied_as_text_and_as_markdown(visit: Visit, server: Served) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    turn = ask(page, MARCH)
    answer = answer_of(turn, server)
    title = answer["citations"][0]["title"]
    for name, begins in (("Copy with sources", ""), ("Copy as Markdown", f"**{MARCH}**")):
        turn.get_by_role("button", name=name).click()
        expect(turn.get_by_role("button", name=name)).to_have_count(0)  # it says "Copied" for a while
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(begins)
        assert "12,000 people marched through Port Selwyn" in copied
        assert title in copied
        assert "[1]" in copied


def test_an_opinion_with_its_reason_lands_in_the_archive(visit: Visit, server: Served) -> None:
    turn = ask(visit(), CONDUCTOR)
    turn.get_by_role("button", name="Not helpful").click()
    turn.get_by_label("What was wrong?").fill("It names the <old> conductor")
    turn.get_by_role("button", name="Send").click()
    expect(turn.get_by_text("Thank you.")).to_be_visible()
    id_ = answer_id(turn)

    def stored() -> list[tuple[str, str]]:
        with closing(sqlite3.connect(f"file:{server.home / 'archive.sqlite'}?mode=ro", uri=True)) as archive:
            return archive.execute("SELECT rating, reason FROM feedback WHERE answer_id = ?", [id_]).fetchall()

    assert eventually(stored) == [("down", "It names the <old> conductor")]


def test_a_link_to_an_answer_shows_it_to_another_reader(visit: Visit) -> None:
    turn = ask(visit(), FERRY)
    other = visit(f"/?answer={answer_id(turn)}")
    same = answered(other, FERRY)
    assert same.locator(".pm-sentence").all_inner_texts() == turn.locator(".pm-sentence").all_inner_texts()
    assert same.locator(".pm-source mark").all_inner_texts() == turn.locator(".pm-source mark").all_inner_texts()
    assert answer_id(same) == answer_id(turn)


def test_a_link_to_an_answer_that_is_gone_says_so(visit: Visit) -> None:
    page = visit("/?answer=nothing")
    expect(page.get_by_role("alert")).to_have_text("The archive does not have this answer any more.")


# -- conversations -------------------------------------------------------------------------------


def test_conversations_stay_in_the_browser_that_had_them(visit: Visit, problems: list[str]) -> None:
    page, other = visit(), visit()
    ask(page, CONDUCTOR)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".pm-turn")).to_have_count(0)
    ask(page, CREW)
    ask(page, CHILDREN)
    page.get_by_role("button", name="Earlier conversations").click()
    titles = page.locator("#pm-kept .pm-open")
    expect(titles).to_have_text([CREW, CONDUCTOR])

    come_back(page, problems)
    page.get_by_role("button", name="Earlier conversations").click()
    expect(titles).to_have_text([CREW, CONDUCTOR])
    titles.first.click()
    expect(page.locator(".pm-turn h2")).to_have_text([CREW, CHILDREN])
    titles.last.click()
    expect(page.locator(".pm-turn h2")).to_have_text([CONDUCTOR])
    page.get_by_role("button", name="Delete this conversation").last.click()
    expect(titles).to_have_text([CREW])
    come_back(page, problems)
    page.get_by_role("button", name="Earlier conversations").click()
    expect(titles).to_have_text([CREW])

    come_back(other, problems)
    other.get_by_role("button", name="Earlier conversations").click()
    expect(other.locator("#pm-kept")).to_contain_text("Conversations you have are listed here.")
    expect(other.locator("#pm-kept .pm-open")).to_have_count(0)


# -- articles ------------------------------------------------------------------------------------


def test_articles_are_listed_found_by_headline_and_read(visit: Visit, server: Served) -> None:
    page = visit()
    open_tab(page, "Articles")
    expect(page.locator("#pm-articles .pm-open")).to_have_count(25)
    newest = page.locator("#pm-articles .pm-open").first.inner_text()
    page.get_by_role("button", name="Older").click()
    expect(page.locator("#pm-articles .pm-label")).to_contain_text("26–50 of")
    expect(page.locator("#pm-articles .pm-open").first).not_to_have_text(newest)
    last = page.locator("#pm-articles .pm-open").last
    title = last.inner_text()
    last.click()
    expect(page.locator("#pm-article h2")).to_have_text(title)
    expect(page.locator("#pm-article h2")).to_be_in_viewport()
    find_article(page, "Sleeper to Karsk")
    expect(page.locator("#pm-article")).to_contain_text("The night train between Meridian and Karsk will run again")
    expect(page.locator("#pm-article .pm-byline").first).to_contain_text("Capital Business Review · 28 August 2025")


def test_a_source_opens_as_the_whole_article_with_the_quote_marked(visit: Visit) -> None:
    page = visit()
    turn = ask(page, FERRY)
    card = turn.locator(".pm-source").last
    quote = card.locator("mark").text_content()
    title = card.locator(".pm-headline").inner_text()
    card.get_by_role("button", name="Read the article").click()
    expect(page.get_by_role("tab", name="Articles")).to_have_attribute("aria-selected", "true")
    article = page.locator("#pm-article")
    expect(article.locator("h2")).to_have_text(title)
    expect(article.locator("mark")).to_be_visible()
    assert article.locator("mark").text_content() == quote
    expect(article.locator("mark")).to_be_in_viewport()


def test_a_pasted_article_is_cited_until_it_is_deleted(visit: Visit) -> None:
    page = visit()
    title, question = "Beavers return to the Fenwater", "Where did the beavers of the Fenwater come from?"
    open_adding(page, "Paste")
    page.get_by_label("Text of an article, or a page of several").fill(
        "The naturalist Ottilie Brandreth released six beavers on the Fenwater on Monday, the first in 140 years. "
        "They came from a park in Velmark.\n\nFarmers had asked for fences along the dykes, and the district paid."
    )
    page.get_by_label("Headline (if it is one article)").fill(title)
    page.get_by_label("Outlet", exact=True).fill("Fenwater Gazette")
    page.get_by_label("Published on").fill("2025-08-20")
    page.get_by_role("button", name="Add this text").click()
    report = page.locator("#pm-adding")
    expect(report).to_contain_text("Done")
    expect(report).to_contain_text("1 added")

    open_tab(page, "Ask")
    card = ask(page, question).locator(".pm-source").first
    expect(card).to_contain_text(title)
    expect(card).to_contain_text("Fenwater Gazette · 20 August 2025")
    expect(card.locator("mark")).to_contain_text("They came from a park in Velmark.")

    open_tab(page, "Articles")
    find_article(page, title)
    confirm = page.get_by_role("button", name="Delete it for good")
    expect(confirm).to_be_hidden()
    page.get_by_text("Delete this article").click()
    confirm.click()
    expect(page.locator("#pm-article")).to_have_text("The article is deleted.")
    expect(page.locator("#pm-articles")).to_contain_text("No article fits")
    open_tab(page, "Ask")
    ask(page, "From where did the six beavers come?")
    expect(page.locator("#pm-live")).not_to_contain_text(title)


def test_an_uploaded_file_is_read_and_its_markup_is_only_text(visit: Visit) -> None:
    page = visit()
    open_adding(page, "Upload")
    body = (
        "Lamp museum opens in Toller's Ford\n\nThe lamp museum in Toller's Ford opened its doors on Saturday with 420 "
        'lamps. <img src="/nothing" onerror="document.title=1"> <script>document.title = 2</script> Tickets cost 4 '
        "crowns.\n\nIts keeper, Barnaby Wick, said that he had collected them for 33 years, most of them from ships."
    )
    page.locator("#pm-files input[type=file]").set_input_files(
        {"name": "lamps.txt", "mimeType": "text/plain", "buffer": body.encode()}
    )
    expect(page.locator("#pm-files")).to_contain_text("lamps")
    page.get_by_role("button", name="Add these files").click()
    expect(page.locator("#pm-adding")).to_contain_text("1 added")
    find_article(page, "Lamp museum opens in Toller's Ford")
    expect(page.locator("#pm-article")).to_contain_text("<script>document.title = 2</script>")
    expect(page.locator("#pm-article :is(img, script)")).to_have_count(0)
    expect(page).to_have_title("Pressmark")


def test_a_file_of_no_known_kind_is_refused_with_the_kinds_that_are(visit: Visit) -> None:
    page = visit()
    open_adding(page, "Upload")
    page.locator("#pm-files input[type=file]").set_input_files(
        {"name": "picture.psd", "mimeType": "image/vnd.adobe.photoshop", "buffer": b"8BPS" * 40}
    )
    expect(page.get_by_text(re.compile(r"picture\.psd.*\.txt.*\.docx")).first).to_be_visible()


# -- evals ---------------------------------------------------------------------------------------


def test_an_eval_of_one_s_own_questions_shows_figures_plots_and_the_worst_answers(visit: Visit) -> None:
    page = visit()
    open_tab(page, "Evals")
    expect(page.locator("#pm-runs")).to_contain_text("No eval has been run over this archive.")
    page.get_by_label("Questions").click()
    page.get_by_role("option", name="tiny.jsonl").click()
    page.get_by_role("button", name="Run an eval").click()
    expect(page.locator("#pm-eval-state")).to_have_text("Done: tiny.jsonl, 3 questions.")
    row = page.locator("#pm-runs tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("tiny.jsonl, 3 questions")
    correct = page.locator("#pm-runs thead th").all_inner_texts().index("right answers")
    expect(row.locator("th, td").nth(correct)).to_contain_text("0.667")
    expect(page.locator("#pm-plots .js-plotly-plot")).to_have_count(3)
    worst = page.locator("#pm-worst .pm-misses > li")
    expect(worst).to_have_count(1)
    expect(worst).to_contain_text("a gardener from Wexcombe")


# -- screens, scripts, keyboards -----------------------------------------------------------------


BEYOND = """
() => {
  const scrolls = (one) => ["auto", "scroll", "hidden"].includes(getComputedStyle(one).overflowX);
  const scrolled = (one) => one.parentElement && (scrolls(one.parentElement) || scrolled(one.parentElement));
  const beyond = (one) => {
    const {width, right} = one.getBoundingClientRect();
    return width && right > innerWidth + 1 && one.checkVisibility({visibilityProperty: true}) && !scrolled(one);
  };
  return [...document.querySelectorAll("body *")].filter(beyond).map((one) => one.outerHTML.slice(0, 200));
}
"""


def assert_fits(page: Page, where: str) -> None:
    """Nothing can be scrolled to at the side, and nothing was cut off there."""
    width = page.evaluate("document.documentElement.scrollWidth")
    # Not against innerWidth: a phone makes its window as wide as what is in it.
    assert width <= page.viewport_size["width"], f"{where} is {width} px wide"
    assert page.evaluate(BEYOND) == [], where


def test_nothing_is_wider_than_a_phone(visit: Visit) -> None:
    page = visit(viewport=PHONE, is_mobile=True, has_touch=True)
    for tab in TABS:
        open_tab(page, tab)
        assert_fits(page, f"{tab} before an answer")
    open_tab(page, "Ask")
    page.get_by_role("button", name="Dates and outlets").click()
    assert_fits(page, "the open form of dates and outlets")
    turn = ask(page, FERRY)
    turn.locator(".pm-chip summary").click()
    turn.get_by_role("button", name="Not helpful").click()
    assert_fits(page, "an answer with its forms")
    for tab in TABS:
        open_tab(page, tab)
        assert_fits(page, f"{tab} after an answer")
    open_adding(page, "Paste")
    assert_fits(page, "the form for articles")


def test_text_of_any_script_and_length_stays_on_the_screen_and_in_its_direction(visit: Visit) -> None:
    page = visit(viewport=PHONE)
    for question in ("ماذا حدث للعبّارة سولين في يونيو؟", "六月に渡船ソレンヌに何が起きましたか", "Solenne" + "e" * 293):
        heading = ask(page, question).locator("h2")
        expect(heading).to_have_attribute("dir", "auto")
        assert_fits(page, question[:20])
    directions = page.locator(".pm-turn h2").evaluate_all("all => all.map(one => getComputedStyle(one).direction)")
    assert directions == ["rtl", "ltr", "ltr"]


def test_dark_mode_is_light_on_dark(visit: Visit) -> None:
    page = visit(color_scheme="dark")
    turn = ask(page, FERRY)

    def brightness(element: Locator, of: str) -> float:
        colour = element.evaluate("(element, of) => getComputedStyle(element)[of]", of)
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    assert brightness(page.locator("body"), "backgroundColor") < 50
    assert brightness(page.locator(".gradio-container").first, "backgroundColor") < 50
    assert brightness(turn.locator(".pm-sentence").first, "color") > 200
    assert brightness(turn.locator("mark").first, "backgroundColor") < 100


def test_everything_from_question_to_source_works_without_a_mouse(visit: Visit) -> None:
    page = visit()

    def tab_to(target: Locator, most: int) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            if target.evaluate("one => one === document.activeElement"):
                return
        pytest.fail(f"{most} presses of Tab do not lead to {target}")

    question = page.get_by_label("Your question")
    expect(question).to_be_focused()
    page.get_by_role("tab", name="Ask").focus()
    tab_to(question, 4)
    page.keyboard.type(FERRY)
    page.keyboard.press("Enter")
    turn = answered(page, FERRY)
    tab_to(turn.locator(".pm-claim .pm-cite").first, 16)  # over the end of the page
    page.keyboard.press("Enter")
    expect(turn.locator(".pm-source").first).to_be_focused()
    tab_to(turn.get_by_role("button", name="Read the article").first, 2)
    page.keyboard.press("Enter")
    expect(page.locator("#pm-article mark")).to_be_visible()


# A colour on its way to another is no colour of the page.
SETTLED = "Promise.all(document.getAnimations().map((one) => one.finished))"


@pytest.mark.parametrize("screen", [{"width": 1280, "height": 900}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious(visit: Visit, screen: dict[str, int]) -> None:
    page = visit(viewport=screen)
    turn = ask(page, MARCH)
    turn.locator(".pm-chip summary").click()
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("body.dark")).to_have_count(int(scheme == "dark"))
        for tab in TABS:
            open_tab(page, tab)
            expect(page.locator("#pm-plots .empty")).to_have_count(0)  # plots load late
            page.evaluate(SETTLED)
            for violation in Axe().run(page).response["violations"]:
                if violation["impact"] in ("serious", "critical"):
                    targets = ", ".join(str(node["target"]) for node in violation["nodes"][:5])
                    found.append(f"{tab}, {scheme}: {violation['id']}: {violation['help']}: {targets}")
    assert not found, "\n".join(found)


def test_the_picture_in_the_readme_can_be_taken_again(visit: Visit, tmp_path: Path) -> None:
    """Where PICTURES names a folder (`PICTURES=docs`), the pictures are put there."""
    folder = Path(os.environ.get("PICTURES", tmp_path))
    for name, options in (
        ("chat-window", {"viewport": {"width": 1280, "height": 800}}),
        ("chat-window-phone", {"viewport": PHONE, "color_scheme": "dark"}),
    ):
        page = visit(**options)
        ask(page, MARCH)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=folder / f"{name}.png")
        assert (folder / f"{name}.png").stat().st_size > 20_000
