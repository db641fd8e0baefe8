from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.feeds import is_sitemap, sitemap_addresses
from ingest.loaders.source import Options, Source
from ingest.report import Problem
from rag.schema import Article

LEAD = "The harbour council voted on Tuesday to move the fish market to the north quay."
REST = "Stall holders will pay the same rent until the end of next year, the council said."
MAY_3 = datetime(2024, 5, 3, tzinfo=UTC)
SPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:atom="http://www.w3.org/2005/Atom"'
)
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"


def rss(*items: str, title: str = "Gull Post", head: str = "<language>en-GB</language>", doctype: str = "") -> str:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{doctype}<rss version="2.0" {SPACES}><channel><title>{title}</title>'
        f"<link>https://gull.example/</link>{head}{inside}</channel></rss>"
    )


def atom(*entries: str) -> str:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de-AT"><title>Gull Atom</title>{inside}</feed>'


def read(folder: Path, content: str | bytes, options: Options | None = None, name: str = "a.xml"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(load(Source(path, f"in/{name}", options=options or Options())))


def one(folder: Path, content: str | bytes, options: Options | None = None) -> Article:
    (article,) = read(folder, content, options)
    assert isinstance(article, Article)
    return article


def said(text: str) -> str:
    return f"<title>Market moves</title><description>{text}</description>"


# -- RSS and Atom --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.xml", "a.rss", "a.atom"])
def test_rss_entry_with_its_whole_text_is_an_article(tmp_path, name):
    item = (
        "<title>Market moves</title><link>https://gull.example/a</link><guid>tag:gull.example,2024:1</guid>"
        "<pubDate>Fri, 03 May 2024 02:00:00 +0200</pubDate><dc:creator>Lena Moss</dc:creator>"
        "<category>Local</category><category>Harbour</category><description>The market moves.</description>"
        f"<content:encoded><![CDATA[<p>{LEAD}</p><p>{REST}</p>]]></content:encoded>"
    )
    (article,) = read(tmp_path, rss(item), name=name)
    assert (article.id, article.title, article.text) == ("tag:gull.example,2024:1", "Market moves", f"{LEAD}\n\n{REST}")
    assert (article.source, article.url, article.published_at) == ("Gull Post", "https://gull.example/a", MAY_3)
    assert (article.authors, article.section, article.language) == (("Lena Moss",), "Local", "en")
    assert article.kind != "teaser"


def test_rss_entry_with_only_a_description_is_a_teaser(tmp_path):
    article = one(tmp_path, rss(said(LEAD)))
    assert (article.kind, article.text, article.published_at, article.url) == ("teaser", LEAD, None, "")


def test_description_as_long_as_an_article_is_one(tmp_path):
    text = " ".join(f"The council spoke of pier {number} on Tuesday." for number in range(20))
    assert one(tmp_path, rss(said(text))).kind == "article"


def test_atom_entry_is_read_with_all_that_it_says(tmp_path):
    entry = (
        "<id>urn:1</id><title>Market &amp; quay</title><link href='https://gull.example/1'/>"
        "<published>2024-05-03T02:00:00+02:00</published><updated>2024-05-04T10:00:00-03:00</updated>"
        "<author><name>Lena Moss</name></author><author><name>Bo Falk</name></author><category term='Local'/>"
        f"<content type='html'>&lt;p&gt;{LEAD}&lt;/p&gt;&lt;p&gt;{REST}&lt;/p&gt;</content>"
    )
    article = one(tmp_path, atom(entry))
    assert (article.id, article.title, article.text) == ("urn:1", "Market & quay", f"{LEAD}\n\n{REST}")
    assert (article.source, article.url, article.published_at) == ("Gull Atom", "https://gull.example/1", MAY_3)
    assert article.modified_at == datetime(2024, 5, 4, 13, tzinfo=UTC)
    assert (article.authors, article.section, article.language) == (("Lena Moss", "Bo Falk"), "Local", "de")
    assert article.kind != "teaser"


def test_atom_content_in_xhtml_keeps_its_paragraphs(tmp_path):
    entry = (
        "<id>urn:1</id><title>T</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        f"<p>{LEAD.replace('Tuesday', '<b>Tuesday</b>')}</p><p>{REST}</p></div></content>"
    )
    assert one(tmp_path, atom(entry)).text == f"{LEAD}\n\n{REST}"


def test_atom_entry_with_only_a_summary_is_a_teaser_dated_by_its_update(tmp_path):
    entry = f"<id>1</id><title>T</title><updated>2024-05-03T00:00:00Z</updated><summary>{LEAD}</summary>"
    article = one(tmp_path, atom(entry))
    assert (article.kind, article.published_at) == ("teaser", MAY_3)


def test_rss_1_is_read(tmp_path):
    feed = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        f"<channel rdf:about='c'><title>Gull Post</title></channel><item rdf:about='i'>{said(LEAD)}"
        "<link>https://gull.example/a</link></item></rdf:RDF>"
    )
    article = one(tmp_path, feed)
    assert (article.text, article.source, article.url) == (LEAD, "Gull Post", "https://gull.example/a")


@pytest.mark.parametrize(
    ("stated", "hour"),
    [
        ("Fri, 03 May 2024 12:00:00 GMT", 12),
        ("Fri, 03 May 2024 12:00:00 +0200", 10),
        ("Fri, 03 May 2024 12:00:00 -0530", 17.5),
        ("Fri, 3 May 2024 12:00:00 EST", 17),
        ("03 May 2024 12:00:00 Z", 12),
        ("2024-05-03T12:00:00+09:00", 3),
        ("2024-05-03T12:00:00Z", 12),
    ],
)
def test_date_in_any_zone_becomes_utc(tmp_path, stated, hour):
    article = one(tmp_path, rss(f"{said(LEAD)}<pubDate>{stated}</pubDate>"))
    assert article.published_at == datetime(2024, 5, 3, int(hour), int(hour % 1 * 60), tzinfo=UTC)


def test_entries_come_in_their_order_with_dates_and_ids_of_their_own(tmp_path):
    dates = ["Fri, 03 May 2024 23:30:00 -0200", "Sat, 04 May 2024 01:30:00 +0000", "Sat, 04 May 2024 10:30:00 +0900"]
    items = [f"<title>T{n}</title><description>{LEAD}</description><pubDate>{d}</pubDate>" for n, d in enumerate(dates)]
    articles = read(tmp_path, rss(*items))
    assert [article.title for article in articles] == ["T0", "T1", "T2"]
    assert {article.published_at for article in articles} == {datetime(2024, 5, 4, 1, 30, tzinfo=UTC)}
    assert len({article.id for article in articles}) == 3


def test_entry_without_an_update_has_no_time_of_change(tmp_path):
    article = one(tmp_path, rss(f"{said(LEAD)}<pubDate>Fri, 03 May 2024 00:00:00 GMT</pubDate>"))
    assert (article.published_at, article.modified_at) == (MAY_3, None)


def test_entry_without_a_date_takes_the_one_of_the_options(tmp_path):
    assert one(tmp_path, rss(said(LEAD)), Options(published_at=MAY_3)).published_at == MAY_3


@pytest.mark.parametrize("stated", ["9999-12-31T23:59:59-05:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00"])
def test_date_outside_the_calendar_is_unknown_and_stops_nothing(tmp_path, stated):
    items = read(tmp_path, rss(f"{said(LEAD)}<pubDate>{stated}</pubDate>", said(REST)))
    articles = [item for item in items if isinstance(item, Article)]
    assert [(article.text, article.published_at) for article in articles] == [(LEAD, None), (REST, None)]


@pytest.mark.parametrize("stated", ["2024-13-45", "1714694400", "yesterday", "Fri, 32 May 2024 00:00:00 GMT"])
def test_date_that_cannot_be_read_for_certain_is_never_guessed(tmp_path, stated):
    items = read(tmp_path, rss(f"{said(LEAD)}<pubDate>{stated}</pubDate>"))
    (article,) = [item for item in items if isinstance(item, Article)]
    assert article.published_at in (None, MAY_3)


def test_date_that_cannot_be_read_is_told(tmp_path):
    doubt, article = read(tmp_path, rss(f"{said(LEAD)}<pubDate>on a Tuesday</pubDate>"))
    assert doubt == Problem("in/a.xml entry 1", "its date 'on a Tuesday' cannot be read: date unknown", lost=False)
    assert article.published_at is None


def test_date_in_the_future_is_told(tmp_path):
    doubt, article = read(tmp_path, rss(f"{said(LEAD)}<pubDate>Thu, 03 May 2999 00:00:00 GMT</pubDate>"))
    assert (doubt.where, doubt.lost, article.published_at) == ("in/a.xml entry 1", False, None)
    assert "in the future" in doubt.reason


def test_entry_taken_from_another_feed_names_that_outlet(tmp_path):
    assert (
        one(tmp_path, rss(f"{said(LEAD)}<source url='https://o.example/f'>Other Post</source>")).source == "Other Post"
    )


@pytest.mark.parametrize(
    "title", ["Gull &amp; Post", "<![CDATA[Gull & Post]]>", "Gull &amp;amp; Post", "Gull &amp;#38; Post"]
)
def test_outlet_is_the_feeds_title_without_entities(tmp_path, title):
    assert one(tmp_path, rss(said(LEAD), title=title)).source == "Gull & Post"


@pytest.mark.parametrize(("stated", "language"), [("en-GB", "en"), ("DE", "de"), ("de_AT", "de"), ("", "en")])
def test_language_is_kept_without_its_country(tmp_path, stated, language):
    assert one(tmp_path, rss(said(LEAD), head=f"<language>{stated}</language>")).language == language


@pytest.mark.parametrize(
    "marked",
    [
        "The &lt;b&gt;harbour&lt;/b&gt; council voted on &lt;em&gt;Tuesday&lt;/em&gt; to move the market.",
        '&lt;a href="https://gull.example/a"&gt;The harbour council&lt;/a&gt; voted on Tuesday to move the market.',
        '&lt;img src="a.jpg" alt="A ship"/&gt;The harbour council voted on Tuesday to move the market.',
        "<![CDATA[The harbour <strong>council</strong> voted on Tuesday to move the market.]]>",
        "&lt;p&gt;The harbour council &lt;i&gt;voted&lt;/i&gt; on Tuesday to move the market.&lt;/p&gt;",
    ],
)
def test_text_of_an_entry_is_free_of_tags(tmp_path, marked):
    assert one(tmp_path, rss(said(marked))).text == "The harbour council voted on Tuesday to move the market."


def test_title_of_an_entry_is_free_of_tags(tmp_path):
    item = f"<title>A &lt;b&gt;bold&lt;/b&gt; move &amp;amp; more</title><description>{LEAD}</description>"
    assert one(tmp_path, rss(item)).title == "A bold move & more"


def test_script_in_an_entry_is_no_text(tmp_path):
    marked = f"&lt;p&gt;{LEAD}&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;style&gt;p {{}}&lt;/style&gt;"
    assert one(tmp_path, rss(said(marked))).text == LEAD


def test_declared_encoding_is_read(tmp_path):
    feed = rss(said("Zürich’s council voted on Tuesday.".replace("’", "'"))).replace("utf-8", "iso-8859-1")
    assert one(tmp_path, feed.encode("latin-1")).text == "Zürich's council voted on Tuesday."


def test_entry_without_text_is_a_problem_and_the_others_are_kept(tmp_path):
    first, problem, last = read(
        tmp_path, rss(said(LEAD), "<title>T</title><link>https://gull.example/b</link>", said(REST))
    )
    assert problem == Problem("in/a.xml entry 2", "has neither text nor summary: nothing to add")
    assert (first.text, last.text) == (LEAD, REST)


# -- what is no feed, or means harm --------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "<html><body><p>No feed at all.</p></body></html>",
        "Words without any mark.",
        "<rss version='2.0'><channel><title>Gull</title></channel></rss>",
        "<rss version='2.0'><channel>",
        '{"items": []}',
        bytes(range(256)) * 4,
    ],
)
def test_file_that_holds_no_entry_is_a_problem(tmp_path, content):
    (problem,) = read(tmp_path, content)
    assert (problem.where, problem.lost) == ("in/a.xml", True)
    assert "holds no entry of a feed" in problem.reason


def test_empty_file_is_a_problem(tmp_path):
    assert read(tmp_path, " \n") == [Problem("in/a.xml", "is empty: nothing to add")]


def test_feed_that_breaks_off_gives_the_entries_before_the_break(tmp_path):
    whole = rss(said(LEAD), said(REST))
    items = read(tmp_path, whole[: whole.index(REST) - 20])
    assert next(item.text for item in items if isinstance(item, Article)) == LEAD


def test_file_that_holds_the_path_of_another_file_does_not_open_it(tmp_path):
    secret = tmp_path / "secret.xml"
    secret.write_text(rss(said("The vault opens with the number 4711.")))
    (problem,) = read(tmp_path, str(secret))
    assert isinstance(problem, Problem)


def test_external_entity_is_not_read(tmp_path):
    (tmp_path / "secret.txt").write_text("The vault opens with the number 4711.")
    doctype = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    found = read(tmp_path, rss(f"<title>T &x;</title><description>{LEAD} &x;</description>", doctype=doctype))
    assert "4711" not in repr(found)


def test_entities_that_multiply_do_no_harm(tmp_path):
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE rss [<!ENTITY a0 "lol ">{entities}]>'
    assert len(repr(read(tmp_path, rss(said(f"{LEAD} &a11;"), doctype=doctype)))) < 10_000


# -- sitemaps ------------------------------------------------------------------------------------------


def test_sitemap_lists_pages_in_order():
    data = (
        f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{SITEMAPS}">'
        "<url><loc> https://gull.example/a?b=1&amp;c=2 </loc><lastmod>2024-05-03</lastmod></url>"
        "<url><loc><![CDATA[https://gull.example/b]]></loc></url><url><lastmod>2024</lastmod></url><url><loc/></url>"
        "</urlset>"
    )
    assert sitemap_addresses(data.encode()) == (["https://gull.example/a?b=1&c=2", "https://gull.example/b"], [])


def test_sitemap_index_lists_sitemaps():
    data = f'<sitemapindex xmlns="{SITEMAPS}"><sitemap><loc>https://gull.example/1.xml</loc></sitemap></sitemapindex>'
    assert sitemap_addresses(data.encode()) == ([], ["https://gull.example/1.xml"])


@pytest.mark.parametrize(
    "data",
    [
        "<urlset><url><loc>https://gull.example/a</loc></url></urlset>",
        "<urlset xmlns='http://www.google.com/schemas/sitemap/0.84'><url><loc>https://gull.example/a</loc></url></urlset>",
        f"<s:urlset xmlns:s='{SITEMAPS}'><s:url><s:loc>https://gull.example/a</s:loc></s:url></s:urlset>",
        f"<urlset xmlns='{SITEMAPS}' xmlns:image='http://www.google.com/schemas/sitemap-image/1.1'><url>"
        "<image:image><image:loc>https://gull.example/a.jpg</image:loc></image:image>"
        "<loc>https://gull.example/a</loc></url></urlset>",
        "<urlset><url><!-- the first --><loc>https://gull.example/a</loc></url></urlset>",
    ],
)
def test_sitemap_is_read_in_any_namespace_and_without_its_pictures(data):
    assert sitemap_addresses(data.encode()) == (["https://gull.example/a"], [])


@pytest.mark.parametrize(
    "data", [b"", b"<urlset>", b"no XML", b"<urlset></sitemapindex>", b"\x00\xff", b"<urlset>&x;</urlset>"]
)
def test_sitemap_that_is_no_xml_is_a_value_error(data):
    with pytest.raises(ValueError, match="is not XML"):
        sitemap_addresses(data)


def test_other_xml_lists_nothing():
    assert sitemap_addresses(rss(said(LEAD)).encode()) == ([], [])


def test_entities_in_a_sitemap_do_no_harm(tmp_path):
    (tmp_path / "secret.txt").write_text("https://gull.example/4711")
    outside = f'<!DOCTYPE u [<!ENTITY x SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    pages, further = sitemap_addresses(f"{outside}<urlset><url><loc>&x;</loc></url></urlset>".encode())
    assert "4711" not in repr((pages, further))
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE u [<!ENTITY a0 "lol">{entities}]><urlset><url><loc>&a11;</loc></url></urlset>'
    try:
        found = sitemap_addresses(bomb.encode())
    except ValueError:
        return
    assert len(repr(found)) < 1000


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f'<?xml version="1.0"?>\n<!-- by hand -->\n<urlset xmlns="{SITEMAPS}">', True),
        (f'\ufeff<?xml version="1.0"?><?xml-stylesheet href="s.xsl"?><sitemapindex xmlns="{SITEMAPS}">', True),
        (f'<s:urlset xmlns:s="{SITEMAPS}">', True),
        (rss(said(LEAD)), False),
        ("The list of addresses is called urlset in a sitemap.", False),
        ("", False),
    ],
)
def test_sitemap_is_told_by_its_beginning(tmp_path, content, expected):
    (tmp_path / "a.xml").write_text(content)
    assert is_sitemap(tmp_path / "a.xml") == expected


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.xml"])
def test_text_that_speaks_of_sitemaps_is_none(tmp_path, name):
    text = "Search engines read a list that opens with <urlset> and names each page, the engineer said."
    texts = {
        "a.json": f'{{"text": "{text}"}}',
        "a.xml": rss(f"<title>T</title><description><![CDATA[{text}]]></description>"),
    }
    (tmp_path / name).write_text(texts.get(name, text))
    assert not is_sitemap(tmp_path / name)


def test_file_that_is_not_there_is_no_sitemap(tmp_path):
    assert not is_sitemap(tmp_path / "none.xml")
