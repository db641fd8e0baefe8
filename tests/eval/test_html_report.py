from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from eval import html_report as page
from eval.html_plots import plots_of
from eval.html_records import record_list, worst_first
from eval.html_report import html_report
from eval.markdown_report import markdown_report
from eval.records import Record, Run
from eval.runner import Figure, run
from rag.answers import answers_adapter
from rag.errors import DatasetError
from rag.links import safe_url
from rag.schema import Answer, Citation, Claim, Conflict, Passage, Position, RetrievedPassage
from rag.settings import Settings

NOW = datetime(2025, 9, 1, tzinfo=UTC)
EVIL = '</script><script>window.hit=1</script><img src=x onerror="window.hit=1"><!--{{'
# Characters beyond the BMP and a combined one before the quote: offsets count code points.
TEXT = "🚢🚢 Café: Nine people died. The ferry burned for hours."
QUOTE = "Nine people died."
ADDRESS = "https://courier.example/ferry?a=1&b=2"


@dataclass
class Seen(HTMLParser):
    """What a browser would make of a page: its tags, attributes and scripts."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    in_script: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.in_script = tag == "script"
        if self.in_script:
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self.in_script = False

    def handle_data(self, data):
        if self.in_script:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        else:
            self.texts.append(data)

    def data(self, name):
        return next(json.loads(text) for attributes, text in self.scripts if attributes.get("id") == name)

    @property
    def records(self):
        return {record["id"]: record for record in self.data("records-data")["records"]}


def seen(html: str) -> Seen:
    parser = Seen()
    parser.feed(html)
    parser.close()
    return parser


def answer(text=TEXT, quote=QUOTE, *, start=None, status="answered", words="", url=ADDRESS, confidence=0.5, offset=100):
    at = text.index(quote) if start is None else start
    passage = Passage("p:0", "ferry", "v1", 0, offset, offset + len(text), text, f"Ferry {words}", "Courier", url, NOW)
    other = Passage("p:1", "rain", "v1", 0, 0, 5, "Rain.", "Rain", "Tribune")
    cited = Citation(
        1, "ferry", "v1", offset + at, offset + at + len(quote), quote, f"Ferry {words}", "Courier", url, NOW
    )
    said = status != "abstained"
    return Answer(
        id="x",
        question="?",
        search_query="?",
        window=None,
        status=status,
        claims=(Claim(quote + words, (1,), "supported", 1.0, (f"reason {words}",)),) if said else (),
        text=f"{quote}{words} [1]" if said else f"The archive does not say. {words}",
        raw_text=f"raw {words}" if words else "",
        citations=(cited,) if said else (),
        retrieved=(RetrievedPassage(other, 0.6, 1), RetrievedPassage(passage, 0.5, 2)),
        conflicts=(Conflict((Position(f"nine {words}", 1, "Courier", NOW),)),) if words else (),
        notes=(f"note {words}",) if words else (),
        confidence=confidence,
        model=f"builtin{words}",
        timings_ms={"read": 10.0},
        created_at=NOW,
    )


def record(id_, given=None, *, answerable=True, correct=True, grounded=True, status="answered", **fields) -> Record:
    said = given or (None if status == "error" else answer(status=status))
    made = {
        "id": id_,
        "question": f"{id_}?",
        "split": "dev",
        "tags": ("who",),
        "answerable": answerable,
        "answers": (("nine", "9"),) if answerable else (),
        "status": status,
        "abstained": status == "abstained",
        "correct": (correct and status in {"answered", "partial"}) if answerable else None,
        "grounded_correct": (correct and grounded) if answerable else None,
        "ranks": (2,) if answerable else (),
        "values": {"correct": float(correct) if answerable else None},
        "latency_ms": None if status == "error" else 900.0,
        "answer": answers_adapter().dump_python(said, mode="json") if said else None,
        "error": "TimeoutError: no reply" if status == "error" else "",
    }
    return Record(**(made | fields))


def made(*records, **fields) -> Run:
    values = {"created_at": NOW, "k": 8, "settings": {}, "versions": {"pressmark": "0.1.0"}, "data_digest": "ab" * 32}
    return Run(records=records, **(values | fields))


def figure(name, value, *, group="all", system="pressmark", low=None, high=None, n=4, of=5) -> Figure:
    return Figure(name, value, low, high, n if value is not None else 0, of, group, system)


ONE_OF_EACH = (
    record("good", tags=("who", "conflict"), split="test"),
    record("refused right", answerable=False, status="abstained"),
    record("ungrounded", grounded=False),
    record("lost", correct=False, ranks=(None,)),
    record("late", correct=False, ranks=(2,)),
    record("refused", status="abstained", correct=False, ranks=(1,)),
    record("bold", answerable=False),
    record("broken", status="error", correct=False),
)


# -- safety --------------------------------------------------------------------------------------


def hostile() -> Run:
    given = answer(TEXT + EVIL, words=EVIL, url="javascript:window.hit=1")
    bad = record(EVIL, given, question=EVIL, tags=(EVIL,), answers=((EVIL,),), correct=False, split=EVIL)
    return made(
        bad,
        replace(bad, id=f"2{EVIL}", answer=None, status="error", error=EVIL),
        settings={EVIL: EVIL, "chat_model": EVIL},
        versions={"pressmark": EVIL},
        data_digest=EVIL,
        judge=EVIL,
        baselines={EVIL: (bad,)},
    )


def test_nothing_of_the_data_is_live():
    evil = hostile()
    rows = [
        figure(EVIL, 0.5),
        figure("alce_recall", 0.5),
        figure(EVIL, 0.5, system=EVIL),
        figure(EVIL, 0.1, group=f"tag:{EVIL}"),
    ]
    html = html_report(evil, other=evil, judge_notes=[EVIL], found=rows)
    found = seen(html)
    assert [attributes.get("type") for attributes, _ in found.scripts] == ["application/json"] * 2 + [None, None]
    assert not [tag for tag, _ in found.tags if tag in {"img", "iframe", "object", "embed", "form", "base"}]
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert found.records[EVIL]["found"][1]["text"] == TEXT + EVIL
    assert found.records[EVIL]["sources"][0]["url"] == ""
    assert found.records[EVIL]["raw"] == f"raw {EVIL}"


def test_only_the_two_scripts_of_the_report_may_run():
    found = seen(html_report(made(record("a")), found=()))
    (policy,) = [
        a["content"] for tag, a in found.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    running = [text for attributes, text in found.scripts if "type" not in attributes]
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running] == allowed
    assert policy.startswith("default-src 'none';")
    assert "connect-src" not in policy


def test_no_address_but_those_of_articles():
    found = seen(html_report(made(record("a")), found=[figure("correct", 0.5)]))
    plotly = max((text for _, text in found.scripts), key=len)
    assert "plotly.js" in plotly[:200]
    html = html_report(made(record("a")), found=[figure("correct", 0.5)]).replace(plotly, "")
    assert set(re.findall(r"https?://[^\s\"'<\\]+", html)) == {"https://courier.example/ferry?a=1"}
    assert found.records["a"]["sources"][0]["url"] == ADDRESS
    assert not [a for _, a in found.tags if "src" in a]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://a.example", "http://", "//a.example", "https://a b"]
)
def test_only_web_addresses_become_links(url):
    assert safe_url(url) == ""


# -- records -------------------------------------------------------------------------------------


def test_a_quote_is_marked_at_its_code_points():
    found = seen(html_report(made(record("a")), found=())).records["a"]
    place, start, end = found["sources"][0]["at"]
    assert found["found"][place]["text"][start:end] == QUOTE
    assert (place, start, end) == (1, 9, 26)
    assert found["sources"][0]["exact"] is True
    assert (found["sources"][0]["outlet"], found["sources"][0]["day"]) == ("Courier", "2025-09-01")


def test_a_quote_that_is_not_what_stands_there_is_told():
    found = seen(html_report(made(record("a", answer(start=3))), found=())).records["a"]
    assert found["sources"][0]["exact"] is False


def test_a_quote_of_no_passage_that_was_found_is_shown_alone():
    given = replace(answer(), retrieved=())
    source = seen(html_report(made(record("a", given)), found=())).records["a"]["sources"][0]
    assert source["quote"] == QUOTE
    assert "exact" not in source
    assert "at" not in source


def test_the_gravest_come_first():
    order = [item.id for item in worst_first(made(*ONE_OF_EACH))]
    assert order == ["broken", "bold", "refused", "late", "lost", "ungrounded", "good", "refused right"]


def test_filters_have_every_value_and_their_counts():
    found = seen(html_report(made(*ONE_OF_EACH), found=()))
    assert len(found.records) == len(ONE_OF_EACH)
    options = {a["value"] for tag, a in found.tags if tag == "option"}
    assert options == {"", "dev", "test", "who", "conflict"}
    told = found.data("records-data")
    shown = {id_: told["labels"][item["outcome"]] for id_, item in found.records.items()}
    assert shown == {
        "good": "right",
        "refused right": "refused rightly",
        "ungrounded": "right, not grounded",
        "lost": "wrong",
        "late": "wrong",
        "refused": "refused wrongly",
        "bold": "should refuse",
        "broken": "error",
    }
    buttons = {a["data-outcome"] for tag, a in found.tags if tag == "button" and "data-outcome" in a}
    assert buttons == {item["outcome"] for item in found.records.values()} == set(told["tones"])
    assert "wrong 2" in found.texts


def test_a_failed_call_has_its_error_and_no_answer():
    broken = seen(html_report(made(*ONE_OF_EACH), found=())).records["broken"]
    assert (broken["error"], broken["ranks"]) == ("TimeoutError: no reply", [2])
    assert not {"claims", "sources", "shown", "confidence"} & set(broken)


def test_passages_not_cited_are_there_for_what_went_wrong_only():
    found = seen(html_report(made(*ONE_OF_EACH), found=())).records
    assert ["text" in item for item in found["late"]["found"]] == [True, True]
    assert ["text" in item for item in found["good"]["found"]] == [False, True]
    assert [item.get("gold", False) for item in found["late"]["found"]] == [False, True]


def test_what_the_limit_forbids_is_left_out_from_the_least_grave_on(monkeypatch):
    whole = made(*ONE_OF_EACH)
    size = len(record_list(whole, {}, limit=10**6).json.encode())
    less = record_list(whole, {}, limit=size - 1)
    assert len(less.json.encode()) < size
    assert (less.counts["answer"], less.counts["line"]) == (1, 0)
    assert "text" not in json.loads(less.json)[-1]["found"][1]
    least = record_list(whole, {}, limit=0)
    assert [item["id"] for item in json.loads(least.json)] == [item.id for item in worst_first(whole)]
    assert json.loads(least.json)[-2]["shown"] == "Nine people died. [1]"
    monkeypatch.setattr(page, "RECORD_BYTES", 0)
    assert "Of 7 answers only the beginning is shown" in html_report(whole, found=())


def test_a_thousand_records_stay_below_twelve_megabytes():
    long = answer(TEXT + " It was cold." * 90)
    long = replace(long, retrieved=long.retrieved[:1] + long.retrieved[1:] * 7)
    one = record("a", long, correct=False)
    html = html_report(made(*(replace(one, id=f"q{number}") for number in range(1000))), found=())
    assert len(html.encode()) < 12_000_000
    assert "answers are shown without passages" in html
    assert len(seen(html).records) == 1000


def test_an_answer_of_another_form_is_refused():
    with pytest.raises(
        DatasetError, match="question 'a' has a form that this Pressmark cannot read: run the eval again"
    ):
        html_report(made(record("a", None, answer={"model": "x"})), found=())


# -- figures -------------------------------------------------------------------------------------


def cards(html: str) -> dict[str, str]:
    found = re.findall(r'<li class="card".*?<code>(.*?)</code>.*?<p class="value.*?>(.*?)</p>', html)
    return dict(found)


def test_a_figure_that_applies_to_nothing_is_absent_and_not_0():
    rows = [figure("correct", 0.0, low=0.0, high=0.0), figure("abstention_recall", None), figure("alce_recall", None)]
    html = html_report(made(record("a")), found=rows)
    assert cards(html) == {"correct": "0.000", "abstention_recall": "–"}
    assert "applies to no question" in html
    assert '<td class="ours">–</td><td>–</td><td>0 of 5</td>' in html
    markdown = markdown_report(made(record("a")), found=rows)
    assert "| `abstention_recall` | – |  | 0 of 5 |" in markdown
    assert "alce_recall" not in markdown


def test_a_large_figure_has_its_interval_and_counts():
    html = html_report(
        made(record("a")), found=[figure("correct", 0.75, low=0.5, high=0.9), figure("latency_p95_ms", 1234.0)]
    )
    assert cards(html) == {"correct": "0.750", "latency_p95_ms": "1.23 s"}
    assert "95 %: 0.500 to 0.900" in html
    assert "n 4 of 5" in html
    assert "too few for an interval" in html


def test_a_rate_on_which_all_agree_is_no_point():
    html = html_report(made(record("a")), found=[figure("quote_exact", 1.0, low=1.0, high=1.0, n=60)])
    assert "all agree: ± 0.05 (3 / n)" in html


def test_a_trivial_system_that_is_not_worse_is_marked():
    run_ = made(record("a"), baselines={"refuse": (), "copy-first": ()})
    rows = [figure("correct", 0.75), figure("over_refusal", 0.5), figure("quote_exact", 1.0)]
    rows += [figure("correct", 0.0, system="refuse"), figure("over_refusal", 1.0, system="refuse")]
    rows += [figure("correct", 0.8, system="copy-first"), figure("over_refusal", 0.0, system="copy-first")]
    rows += [figure("quote_exact", 1.0, system="copy-first"), figure("quote_exact", None, system="refuse")]
    html = html_report(run_, found=rows).split("<details", 1)[0]
    assert re.findall(r'<td class="alike">(.*?)</td>', html) == ["≥ 0.800", "≥ 1.000", "≤ 0.000"]
    assert "No figure puts all of them last" in html
    assert "| `over_refusal` (−) | 0.500 |  | 4 of 5 | `copy-first` |" in markdown_report(run_, found=rows)


def test_test_is_shown_first_where_there_is_dev():
    rows = [figure("correct", 0.1, group="dev"), figure("correct", 0.9, group="test"), figure("correct", 0.5)]
    found = seen(html_report(made(record("a"), record("b", split="test")), found=rows))
    parts = [(a["data-group"], "hidden" in a) for tag, a in found.tags if tag == "div" and "data-group" in a]
    assert parts[:3] == [("test", False), ("dev", True), ("all", True)]
    assert ("body", {"data-group": "test"}) in found.tags


def test_notes_stand_with_the_figures_of_the_judge():
    judged = made(record("a"), judge="nli")
    rows = [figure("correct", 0.5), figure("alce_recall", 0.5)]
    html = html_report(judged, judge_notes=["judge nli: 0.7 on 100 labels"], found=rows)
    block = html[html.index('class="judged"') : html.index("<section")]
    assert "<code>alce_recall</code>" in block
    assert "judge nli: 0.7 on 100 labels" in block
    assert "<code>correct</code>" not in block
    assert "is not known here" in html_report(judged, found=rows)
    assert "- `judge nli: 0.7 on 100 labels`" in markdown_report(
        judged, judge_notes=["judge nli: 0.7 on 100 labels"], found=rows
    )


def test_what_was_measured_is_told():
    settings = Settings(_env_file=None, k=5).model_dump(mode="json", exclude={"home", "api_keys", "chat_api_key"})
    html = html_report(made(*ONE_OF_EACH, settings={**settings, "gone": True}, judge="nli"), found=())
    text = " ".join(seen(html).texts)
    assert "8 (7 dev, 1 test), 6 with an answer in the archive and 2 without" in text
    assert "SHA-256 abababababab" in text
    assert "k 5 (default 8), gone true (unknown here)" in text
    assert "2025-09-01" in text
    assert 'Settings not at default</dt> <dd dir="auto">not recorded' in html_report(made(record("a")), found=())


# -- plots ---------------------------------------------------------------------------------------


def test_reliability_and_risk_by_hand():
    sure = [(0.95, True), (0.91, False), (0.35, True), (0.32, False)]
    records = [record(f"q{n}", answer(confidence=said), correct=right) for n, (said, right) in enumerate(sure)]
    refused = record("r", status="abstained", correct=False)
    plots = plots_of([*records, refused], [], "all", None)
    points = plots["reliability"].figure["data"][0]
    assert [round(x, 3) for x in points["x"]] == [0.335, 0.93]
    assert list(points["y"]) == [0.5, 0.5]
    assert list(points["customdata"]) == [2, 2]
    assert "4 answered questions" in plots["reliability"].caption
    risk = plots["risk"].figure["data"][0]
    assert (list(risk["x"]), [round(y, 3) for y in risk["y"]]) == ([0, 0.25, 0.5, 0.75, 1.0], [0, 0, 0.5, 0.333, 0.5])
    # (0 + 1/2 + 1/3 + 1/2) / 4; the best order has (0 + 0 + 1/3 + 1/2) / 4.
    assert "Area 0.333; 0.500 if confidence told nothing; at best 0.208." in plots["risk"].caption
    assert plots["latency"].figure["data"][0]["x"] == [900] * 5


def test_nothing_to_draw_is_told():
    plots = plots_of([record("a", status="error")], [], "all", None)
    assert [plot.figure for plot in plots.values()] == [None] * 4
    assert plots["latency"].caption == "No time was measured."


def test_times_by_stage_are_those_of_the_figures():
    found = [
        figure("latency_p50_ms", 900.0),
        figure("latency_read_p50_ms", 700.0),
        figure("latency_read_p95_ms", 800.0),
    ]
    plot = plots_of([], found, "all", None)["stages"]
    assert [(list(bar["x"]), list(bar["y"])) for bar in plot.figure["data"]] == [
        ([700.0], ["read"]),
        ([800.0], ["read"]),
    ]


# -- against another run -------------------------------------------------------------------------


def test_another_run_is_compared_question_by_question():
    ids = [f"q{number}" for number in range(12)]
    now = made(*(record(id_, values={"grounded_correct": 1.0}) for id_ in ids))
    before = made(*(record(id_, correct=False, values={"grounded_correct": 0.0}) for id_ in ids[:11]), record("q11"))
    html = html_report(now, other=before, found=())
    assert '<div class="verdict better"><p><strong>Better grounded.</strong>' in html
    assert "11 came out better and 0 worse" in html
    found = seen(html)
    assert found.records["q0"]["before"] == {"outcome": "wrong", "shown": "Nine people died. [1]", "gain": 3}
    assert "before" not in found.records["q11"]
    assert list(found.data("plots-data")["all"]["differences"]["figure"]["data"][0]["x"]) == [1.0]
    assert "<strong>Worse grounded.</strong>" in html_report(before, other=now, found=())
    assert "Moved beyond chance: grounded_correct" in markdown_report(now, other=before, found=())


def test_what_only_the_grounding_alone_would_show_is_likely():
    ids = [f"q{number}" for number in range(6)]
    now, before = (
        made(*(record(id_, values={"grounded_correct": rate, "correct": rate}) for id_ in ids)) for rate in (1.0, 0.0)
    )
    html = html_report(now, other=before, found=())
    assert "<strong>Likely better grounded.</strong>" in html
    assert "p 0.031 alone, 0.062 with all metrics considered" in html
    few = html_report(replace(now, records=now.records[:5]), other=before, found=())
    assert "<strong>Not better grounded beyond chance.</strong>" in few


def test_runs_without_a_common_question_are_refused():
    with pytest.raises(DatasetError, match="share no question"):
        html_report(made(record("a")), other=made(record("b")), found=())


# -- Markdown, and all of it together ------------------------------------------------------------


def test_markdown_cannot_be_broken_out_of():
    bad = record("a", question="```\n<img src=x> @everyone #1 ````", correct=False, ranks=(None,))
    text = markdown_report(made(bad, judge="a|b`c"), judge_notes=["<b>`|"], found=[figure("alce_recall", 0.5)])
    (fence,) = re.findall(r"^(`+)text$", text, re.M)
    assert len(fence) == 5
    assert "| `alce_recall`, judge `a¦b'c` | 0.500 |" in text
    assert "- `<b>'¦`" in text


def test_markdown_lists_the_worst_five():
    misses = [record(f"q{number}", correct=False) for number in range(7)]
    text = markdown_report(made(*misses), found=[figure("correct", 0.0)])
    assert [line.split()[0] for line in text.splitlines() if line.startswith("q")] == ["q0", "q1", "q2", "q3", "q4"]
    assert "and 2 more" in text


def test_a_run_of_the_runner_is_reported(tools):
    chain = tools.FakeChain(
        {
            "right?": tools.answered(("Nine people died.", "copy")),
            "silent?": tools.abstained(),
            "broken?": TimeoutError(),
        }
    )
    done = run(
        chain, [tools.asked("right", **tools.DEATHS), tools.asked("silent"), tools.asked("broken", **tools.DEATHS)]
    )
    html = html_report(done)
    assert cards(html)["correct"] == "0.500"
    assert cards(html)["abstention_recall"] == "1.000"
    assert list(seen(html).records) == ["broken", "right", "silent"]


# -- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no chromium on the path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens a report from disk; in the end no request left the file and nothing was wrong."""
    problems = []

    def open_(html, **options):
        path = tmp_path / "report.html"
        path.write_text(html, encoding="utf-8")
        view = browser.new_context(**options).new_page()
        view.on(
            "request",
            lambda sent: problems.append(sent.url[:80]) if sent.url[:5] not in {"file:", "data:", "blob:"} else None,
        )
        view.on("console", lambda said: problems.append(said.text) if said.type in {"error", "warning"} else None)
        view.on("pageerror", lambda error: problems.append(str(error)))
        view.goto(path.as_uri())
        view.wait_for_selector("#records > li")
        return view

    yield open_
    for context in browser.contexts:
        context.close()
    assert problems == []


def test_the_page_filters_and_marks(opened):
    rows = [figure("correct", 0.5), figure("right_outcome", 0.5, group="tag:conflict", of=1)]
    view = opened(html_report(made(*ONE_OF_EACH), other=made(*ONE_OF_EACH), found=rows))
    shown = lambda: [row.locator(".question").inner_text() for row in view.locator("#records > li:visible").all()]  # noqa: E731
    assert len(shown()) == 8
    view.get_by_role("button", name="wrong 2").click()
    assert shown() == ["late?", "lost?"]
    view.get_by_label("Words").fill("GOOD")
    assert shown() == []
    view.get_by_role("button", name="conflict").click()
    assert shown() == ["good?"]
    view.get_by_text("good?").click()
    assert view.locator("mark").inner_text() == QUOTE
    assert view.locator(".passage").first.inner_text().replace("1 ", "", 1) == TEXT
    assert view.get_by_role("link", name="Ferry").get_attribute("href") == ADDRESS
    assert view.locator("[data-plot=risk] svg").count() > 0


def test_hostile_data_does_nothing_in_a_browser(opened):
    view = opened(html_report(hostile(), found=[figure("correct", 0.5)]))
    for summary in view.locator("#records summary").all():
        summary.click()
    assert view.get_by_text(EVIL).count() > 0
    assert view.evaluate("window.hit") is None
    assert view.locator("img, a[href^=javascript]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_reads_it_without_scrolling_sideways(opened, scheme):
    from axe_playwright_python.sync_playwright import Axe

    rows = [
        figure("correct", 0.5, low=0.2, high=0.8),
        figure("correct", 0.0, group="tag:who"),
        figure("right_outcome", 0.0, group="tag:who"),
    ]
    html = html_report(made(*ONE_OF_EACH), other=made(*ONE_OF_EACH), found=rows)
    view = opened(html, color_scheme=scheme, viewport={"width": 390, "height": 844})
    view.locator("#records summary").first.click()
    view.locator("#records > li").nth(3).locator("summary").first.click()
    assert view.evaluate("document.documentElement.scrollWidth") == 390
    found = Axe().run(view, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in found] == []
