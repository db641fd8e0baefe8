import io
import json
import os
import random
import signal
import tarfile
import zipfile
import zlib

import numpy as np
import pytest

from ingest.loaders import load
from ingest.loaders.source import Source
from ingest.report import Problem
from ingest.run import ingest, preview
from rag.embeddings import SentenceEmbeddings
from rag.settings import Settings
from rag.store import Store

TEXT = "The harbour council voted on Tuesday to move the fish market to the north quay, ending a four-year dispute."
SECOND = (
    "Traders of the fish market have until spring to move their stalls, the council said, and pay no rent till then."
)
NOISE = random.Random(1).randbytes(4000)


class StandIn:
    model_id, dimension, max_tokens = "stand-in", 3, 256

    def embed(self, texts, *, query=False):
        return np.array([[1.0, zlib.crc32(text.encode()) % 97, 1.0] for text in texts], dtype=np.float32)

    def count_tokens(self, text):
        return len(text.split())


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(SentenceEmbeddings, "from_settings", lambda settings: StandIn())
    store = Store.open(Settings(_env_file=None, home=tmp_path / "home"))
    yield store
    store.close()


@pytest.fixture
def news(tmp_path):
    """A folder with good articles that are read before and after any bad file."""
    folder = tmp_path / "news"
    folder.mkdir()
    for id_ in ("0 first", "~ last"):
        (folder / f"{id_}.json").write_text(json.dumps({"id": id_, "title": f"Title {id_}", "text": f"{TEXT} {id_}."}))
    return folder


def run(store, folder):
    return ingest([folder], store, passage_tokens=64)


def read(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(load(Source(path, name)))


def good(items):
    return [item for item in items if not isinstance(item, Problem)]


def as_json(**fields):
    return json.dumps({"title": "Market moves", "text": TEXT} | fields)


def zipped(*files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return data.getvalue()


def tarred(name, content=b"The mayor opened the bridge.", **fields):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for field, value in fields.items():
            setattr(info, field, value)
        archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def feed(published):
    times = f"<published>{published}</published><updated>2024-05-04T00:00:00Z</updated>"
    entry = f"<entry><id>1</id><title>Market</title>{times}<content>{TEXT}</content></entry>"
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Gull</title>{entry}</feed>'


BAD = {
    "binary.csv": NOISE,
    "binary.docx": NOISE,
    "binary.html": bytes(range(256)) * 40,
    "binary.json": NOISE,
    "binary.pdf": NOISE,
    "binary.txt": NOISE,
    "binary.xml": NOISE,
    "binary.zip": NOISE,
    "blank.md": " \n\n\t\n",
    "broken.json": '[{"title": "T"',
    "broken.jsonl": '{"title": "T"\n',
    "broken.md": f"---\ntitle: [\n---\n{TEXT}",
    "broken.xml": "<feed><entry>",
    "deep.json": "[" * 100_000,
    "deep_closed.json": "[" * 100_000 + "]" * 100_000,
    "deep_objects.json": '{"text":' * 100_000,
    "deep.jsonl": "[" * 100_000 + "\n",
    "empty.csv": "",
    "empty.docx": "",
    "empty.html": "",
    "empty.json": "",
    "empty.jsonl": "",
    "empty.pdf": "",
    "empty.txt": "",
    "empty.xml": "",
    "empty.zip": "",
    "header_only.csv": "title,text\n",
    "huge.txt": "x" * 1_000_001,
    "huge_number.json": as_json(id=0)[:-1] + ', "date": ' + "9" * 5000 + "}",
    "in_zip.zip": zipped(("a.json", "["), ("b.txt", "")),
    "list_of_numbers.json": "[1, 2]",
    "no_text.json": '{"title": "T", "date": "2024-05-03"}',
    "no_text.jsonl": '{"title": "T", "text": {"a": [1]}}\n',
    "nul.txt": b"\0" * 1000,
    "nul.jsonl": b"\0" * 1000 + b"\n",
    "null.json": "null",
    "page_without_text.html": "<html><body><script>track()</script><div></div></body></html>",
    "word.json": '"word"',
}


def test_no_bad_file_stops_the_good_ones_and_each_has_its_line(store, news):
    for name, content in BAD.items():
        (news / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    report = run(store, news)
    assert sorted(article.id for article in store.archive.articles()) == ["0 first", "~ last"]
    places = [problem.where for problem in report.problems if problem.lost]
    assert [name for name in BAD if not any(f"news/{name}" in place for place in places)] == []
    assert all(problem.reason for problem in report.problems)
    assert sorted(problem.place for problem in store.archive.files.problems()) == sorted(places)


CRASHING = {
    "charset.html": f"<meta charset=undefined><p>{TEXT} Caf\xe9.</p>".encode("latin-1"),
    "marked_section.html": f"<p>{TEXT}</p><![unknown[ x ]]>",
    "marked_section_2.html": f"<p>{TEXT}</p><![ x",
    "yaml_bool.md": f"---\ndraft: !!bool x\n---\n{TEXT}",
    "yaml_int.md": f"---\nid: !!int ''\n---\n{TEXT}",
    "yaml_float.md": f"---\nid: !!float ''\n---\n{TEXT}",
    "yaml_time.md": f"---\ndate: !!timestamp x\n---\n{TEXT}",
    "yaml_deep.md": "---\na: " + "[" * 10_000 + f"\n---\n{TEXT}",
    "yaml_cycle.md": f"---\ntitle: &a [*a]\n---\n{TEXT}",
    "year_0.xml": feed("0000-01-01T00:00:00Z"),
    "year_10000.xml": feed("9999-12-31T23:59:59-12:00"),
    "entities.xml": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + f"]>{feed('2024-05-03').replace(TEXT, '&j;')}",
    "year.tar": tarred("a.txt", mtime=10**12),
    "sparse.tar": tarred("a.txt", pax_headers={"GNU.sparse.map": "x,y", "GNU.sparse.size": "9"}),
    "three_bytes.tar.gz": b"\x1f\x8b\x08",
    "name.zip": zipped(("é.txt", TEXT)).replace("é".encode(), b"\xff\xff"),
}


@pytest.mark.parametrize("name", CRASHING)
def test_a_file_that_its_reader_stumbles_over_stops_nothing_and_is_not_lost_in_silence(news, name):
    content = CRASHING[name]
    (news / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    found = list(preview([news]))
    assert {item.id for file, item in found if file != f"news/{name}"} == {"0 first", "~ last"}
    assert [item for file, item in found if file == f"news/{name}"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("address.jsonl", as_json(url="https://gull.example/\ud800") + "\n"),
        (
            "everywhere.jsonl",
            as_json(id="\ud800", title="A \udfff", text=f"{TEXT} \ud83d", author="\ud800", date="\udfff"),
        ),
        ("repeated.jsonl", as_json(id="1", title="A") + "\n" + as_json(id="1", title="\ud800 B")),
        ("member.tar", tarred("caf\udce9.txt")),
        ("bad_member.tar", tarred("caf\udce9.json", b"[")),
    ],
)
def test_halves_of_characters_stop_nothing(store, news, name, content):
    (news / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    report = run(store, news)
    assert report.added + report.rejected > 2
    assert {"0 first", "~ last"} <= {article.id for article in store.archive.articles()}


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="file names are Unicode there")
def test_a_file_name_that_is_no_text_stops_nothing(store, news):
    with open(os.fsencode(news) + b"/caf\xe9.txt", "w") as file:  # noqa: PTH123
        file.write(TEXT)
    report = run(store, news)
    assert report.added + report.rejected == 3
    assert {"0 first", "~ last"} <= {article.id for article in store.archive.articles()}


# -- what is kept --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "صوّت مجلس الميناء يوم الثلاثاء على نقل سوق السمك إلى الرصيف الشمالي، منهياً خلافاً دام أربع سنوات.",
        "مجلس بندر روز سه‌شنبه به جابه‌جایی بازار ماهی رأی داد و به اختلاف چهارساله پایان داد.",
        "מועצת הנמל הצביעה ביום שלישי להעביר את שוק הדגים לרציף הצפוני, וסיימה מחלוקת בת ארבע שנים.",
        "港口委员会周二投票决定将鱼市迁至北码头，结束了长达四年的争议。市长表示搬迁将于明年春天开始。",
        "港湾評議会は火曜日、魚市場を北埠頭に移すことを決め、四年に及ぶ争いに終止符を打った。「長く待った」と市長は述べた。",
        "항만 위원회는 화요일 어시장을 북쪽 부두로 옮기기로 표결하여 4년간의 분쟁을 끝냈다.",
        "बंदरगाह परिषद ने मंगलवार को मछली बाज़ार को उत्तरी घाट पर ले जाने के लिए मतदान किया।",
        "The ferry “Ærø” 🚢 carried 👨‍👩‍👧 across; the fare was £4 – “far too much”, said O’Neill’s café.",
    ],
)
def test_text_of_any_script_is_kept_exactly(store, news, text):
    (news / "a.jsonl").write_text(
        json.dumps({"id": "a1", "title": text[:30].strip(), "text": text}, ensure_ascii=False)
    )
    (news / "b.json").write_text(json.dumps({"id": "b1", "title": text[:30].strip(), "text": text + " 2"}))
    assert run(store, news).added == 4
    assert store.archive.article("a1").text == text
    passages = [p for p in store.archive.passages(store.archive.passage_ids()).values() if p.article_id == "a1"]
    assert all(text[passage.start : passage.end] == passage.text for passage in passages)
    assert "".join("".join(passage.text.split()) for passage in passages) == "".join(text.split())


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig"])
def test_text_in_another_encoding_is_read_as_it_was_written(tmp_path, encoding):
    text = (
        "The café’s owner, Zoë Núñez, said the façade “will be blue”. "
        if encoding != "latin-1"
        else "A café in Zürich. "
    )
    (article,) = read(tmp_path, "a.txt", (text * 5).encode(encoding))
    assert article.text == (text * 5).strip()


def test_lines_of_two_encodings_are_each_read_in_their_own(tmp_path):
    text = "The café in Zürich was closed on Tuesday by the council, said its owner."
    lines = [json.dumps({"title": "T", "text": text}, ensure_ascii=False).encode(code) for code in ("utf-8", "cp1252")]
    assert [article.text for article in read(tmp_path, "a.jsonl", b"\n".join(lines))] == [text, text]


@pytest.mark.parametrize("ending", ["txt", "md", "json", "jsonl", "csv", "html"])
def test_a_stray_nul_is_left_out_of_the_text(tmp_path, ending):
    dirty = TEXT.replace("harbour", "har\0bour")
    content = {
        "json": json.dumps({"title": "T", "text": dirty}),
        "jsonl": json.dumps({"title": "T", "text": dirty}),
        "csv": f'title,text\nT,"{dirty}"\n',
        "html": f"<html><body><article><h1>Market moves</h1><p>{dirty}</p><p>{SECOND}</p></article></body></html>",
    }.get(ending, dirty)
    (article,) = good(read(tmp_path, f"a.{ending}", content))
    assert "\0" not in article.text
    assert TEXT in article.text


@pytest.mark.parametrize(
    "date",
    ["2024-13-45", "2024-02-30", "yesterday", "2999-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
     "1066-10-14", 1e300, -1e300, 10**400, float("nan"), float("inf"), "\0", "Mon, 99 Foo 2024 99:99:99 +9999"],
)  # fmt: skip
def test_an_invalid_date_costs_the_date_alone_and_is_told(tmp_path, date):
    (article,) = good(items := read(tmp_path, "a.json", as_json(date=date)))
    assert (article.published_at, article.text) == (None, TEXT)
    assert [(item.where, item.lost) for item in items if isinstance(item, Problem)] == [("a.json", False)]


@pytest.mark.parametrize("date", [None, "", [], {}, {"a": 1}, ["2024-05-03"], 0])
def test_a_date_of_another_form_costs_the_date_alone(tmp_path, date):
    (article,) = good(read(tmp_path, "a.json", as_json(date=date)))
    assert article.published_at is None


def test_a_text_is_all_that_a_record_needs(tmp_path):
    (article,) = read(tmp_path, "a.json", json.dumps({"text": TEXT}))
    assert (article.text, article.source, article.url, article.authors, article.published_at) == (
        TEXT,
        "",
        "",
        (),
        None,
    )
    assert article.id
    assert article.title
    assert article.title_inferred


@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], {}, [[["x"]]], {"name": {"name": None}}, "", " \u200b\0 "])
@pytest.mark.parametrize("field", ["id", "title", "source", "url", "author", "section", "language", "correction"])
def test_a_field_of_another_form_never_costs_the_article(tmp_path, field, value):
    (article,) = good(read(tmp_path, "a.json", as_json(**{field: value})))
    assert article.text == TEXT
    assert article.id
    assert article.title
    assert article.language


@pytest.mark.parametrize("depth", [*range(900, 1000, 7), 3000])
def test_a_deep_field_of_a_record_stops_nothing(tmp_path, depth):
    deep = '{"name":' * depth + '"x"' + "}" * depth
    assert read(tmp_path, "a.json", f'{{"text": "{TEXT}", "title": {deep}, "author": {deep}}}')


@pytest.mark.parametrize("name", ["long.jsonl", "long.ndjson"])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_over_the_limit_is_a_problem_of_its_own(tmp_path, monkeypatch, name, end):
    monkeypatch.setattr("ingest.loaders.records.MAX_BYTES", 500)
    lines = [as_json(id="1"), as_json(id="2", text="x" * 1700), as_json(id="3"), as_json(id="4", text="x" * 600)]
    items = read(tmp_path, name, "\n".join(lines) + end)
    assert [item.where if isinstance(item, Problem) else item.id for item in items] == [
        "1", f"{name} line 2", "3", f"{name} line 4",
    ]  # fmt: skip
    assert "longer" in items[1].reason


def test_a_file_over_the_limit_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.loaders.source.MAX_BYTES", 100)
    (problem,) = read(tmp_path, "a.txt", "x" * 101)
    assert (problem.where, problem.lost) == ("a.txt", True)


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "txt", "md"])
def test_an_article_over_the_limit_is_a_problem_and_the_next_is_read(tmp_path, ending):
    long = "word " * 200_001
    content = {
        "json": json.dumps([{"text": long}, {"text": TEXT}]),
        "jsonl": json.dumps({"text": long}) + "\n" + json.dumps({"text": TEXT}),
        "csv": f'title,text\nT,"{long}"\nT,"{TEXT}"\n',
    }.get(ending, long)
    items = read(tmp_path, f"a.{ending}", content)
    assert isinstance(items[0], Problem)
    assert items[0].lost
    assert [article.text for article in items[1:]] == ([] if ending in ("txt", "md") else [TEXT])


PAGE = (
    "<html><head><title>Market moves</title><script>stolen()</script><style>.stolen{}</style></head>"
    "<body onload='stolen()'><article><h1>Market moves</h1>"
    f"<p>{TEXT}</p><script>document.write('stolen')</script><p>{TEXT.replace('Tuesday', 'Monday')}</p>"
    "<SCRIPT type='text/template'><p>stolen paragraph of a template that is long enough to be text.</p></SCRIPT>"
    "<noscript><img src='stolen.gif'></noscript><!-- stolen --><style>p::before{content:'stolen'}</style>"
    "</article><script type='application/json'>{\"stolen\": 1}</script></body></html>"
)
BODY = f"<p>{TEXT}</p><script>stolen('x')</script><style>.stolen{{}}</style><!-- stolen --><p>{TEXT}</p>"
LINKED = json.dumps({"@type": "NewsArticle", "headline": "Market", "articleBody": BODY}).replace("</", "<\\/")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", PAGE),
        ("linked.html", f'<script type="application/ld+json">{LINKED}</script>'),
        ("a.json", as_json(text=BODY)),
        ("a.csv", 'title,text\nMarket,"' + BODY.replace('"', '""') + '"\n'),
        ("a.md", f"# Market\n\n{BODY}\n"),
        ("a.xml", feed("2024-05-03").replace(f"<content>{TEXT}", f'<content type="html"><![CDATA[{BODY}]]>')),
    ],
)  # fmt: skip
def test_no_script_and_no_style_is_in_the_article(tmp_path, name, content):
    articles = good(read(tmp_path, name, content))
    assert articles
    assert TEXT in articles[0].text
    assert [article.text for article in articles if "stolen" in f"{article.title} {article.text}"] == []


def test_a_feed_that_tells_no_time_of_change_has_none(tmp_path):
    (article,) = read(tmp_path, "a.xml", feed("2024-05-03").replace("<updated>2024-05-04T00:00:00Z</updated>", ""))
    assert article.published_at
    assert article.modified_at is None


def test_repeated_ids_keep_the_first_and_stop_nothing(store, news):
    lines = [as_json(id="0 first", text=f"Another text {n} stands here.") for n in range(3)]
    (news / "again.jsonl").write_text("\n".join(lines) + "\n" + as_json(id="new"))
    report = run(store, news)
    assert (report.added, report.rejected) == (3, 3)
    assert store.archive.article("0 first").text == f"{TEXT} 0 first."


@pytest.mark.parametrize(
    "id_", ["../../x", "a\nb", "'; DROP TABLE articles; --", "x" * 10_000, "a@b#0", "ÄÖ\u0308", "%", "🚢"]
)
def test_any_text_may_be_an_id(store, news, id_):
    (news / "a.jsonl").write_text(as_json(id=id_))
    report = run(store, news)
    (held,) = report.articles[1:-1]
    assert store.archive.article(held).text == TEXT
    assert run(store, news).unchanged == 3
    assert sorted(store.index.ids()) == store.archive.passage_ids()


# -- size ----------------------------------------------------------------------------------------------


def test_two_thousand_tiny_files_are_read_and_then_skipped(store, tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.stories.assign", lambda article, archive: article.id)  # copies are told in test_stories
    folder = tmp_path / "tiny"
    folder.mkdir()
    for number in range(2000):
        (folder / f"{number}.txt").write_text(f"Report {number} tells of event {number * 7}.")
    report = run(store, folder)
    assert (report.added, report.passages, report.problems) == (2000, 2000, ())
    assert store.index.count() == 2000
    monkeypatch.setattr("ingest.run.read", lambda *_: pytest.fail("read"))
    assert run(store, folder).unchanged == 2000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer of processor time")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("paragraphs.txt", "The mayor said so.\n\n" * 2000),
        ("one_paragraph.txt", "The mayor said on Tuesday that the bridge is open. " * 2000),
        ("images.md", "![[" * 10_000),
        ("stars.md", "**a " * 10_000),
        ("tags.json", as_json(text="<p>" + "<a" * 50_000)),
        ("tags.html", "<p>" + "<a" * 5_000),
        ("quotes.txt", '"' * 200_000),
    ],
)
def test_a_small_file_takes_less_than_a_second_of_work(tmp_path, name, content):
    def too_long(*_):
        pytest.fail("took over a second")

    read(tmp_path, f"imports_{name}", "x")
    read(tmp_path, "loads_the_model.txt", f"{TEXT}\n\n{SECOND}")
    before = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, 1)
    try:
        read(tmp_path, name, content)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
