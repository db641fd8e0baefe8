import gzip
import io
import json
import os
import random
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import sources
from ingest.fetch import Fetched
from ingest.loaders.source import PLAIN, Options
from ingest.report import Problem
from ingest.sources import find, folder_of, is_address, read, stamp_of
from rag.errors import FetchError, SourceError

TEXT = "The harbour council voted on Tuesday to move the fish market to the north quay, ending a four-year dispute."
SECOND = (
    "Traders of the fish market have until spring to move their stalls, the council said, and pay no rent till then."
)
SITE = "https://gull.example"


class Web:
    """Stands in for the fetcher: a few pages, and a count of what was asked."""

    def __init__(self, **pages):
        self.pages = {f"{SITE}/{name.replace('_', '.')}": page for name, page in pages.items()}
        self.asked = []

    def fetch(self, url):
        self.asked.append(url)
        assert len(self.asked) < 100, "fetches without end"
        if url not in self.pages:
            raise FetchError("the server answered 404: check the address")
        body, media_type = self.pages[url]
        return Fetched(url, body if isinstance(body, bytes) else body.encode(), media_type)


def page(title):
    return f"<html><body><article><h1>{title}</h1><p>{TEXT}</p><p>{SECOND}</p></article></body></html>", "text/html"


def sitemap(*names, kind="urlset", entry="url"):
    entries = "".join(f"<{entry}><loc> {SITE}/{name} </loc></{entry}>" for name in names)
    return f'<?xml version="1.0"?>\n<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{kind}>'


def index(*names):
    return sitemap(*names, kind="sitemapindex", entry="sitemap")


def write(path, content=TEXT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def line(id_, text=TEXT):
    return json.dumps({"id": id_, "title": f"Title {id_}", "text": text}) + "\n"


def names(*given):
    return [item.name for item in find(given)]


def contents(given, web=None, options=PLAIN):
    """Addresses or ids of articles, places of problems."""
    items = [content for found in find([given]) for content in read(found, options, web or Web())]
    return [item.where if isinstance(item, Problem) else item.url or item.id for item in items]


@pytest.fixture
def news(tmp_path):
    for name in ("b.txt", "a.md", "in/c.JSONL", "in/deep/d.zip", "photo.jpg", "README", ".hidden.txt", ".git/e.txt"):
        write(tmp_path / "news" / name)
    return tmp_path / "news"


# -- files ---------------------------------------------------------------------------------------------


def test_a_folder_stands_for_its_files_of_known_kinds_that_are_not_hidden(news):
    assert names(news) == ["news/a.md", "news/b.txt", "news/in/c.JSONL", "news/in/deep/d.zip"]
    assert [item.path for item in find([news])] == [news / item.name.removeprefix("news/") for item in find([news])]


def test_a_file_stands_for_itself(news):
    (found,) = find([news / "b.txt"])
    assert (found.path, found.size) == (news / "b.txt", len(TEXT))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("news/*.txt", ["news/b.txt"]),
        ("news/*", ["news/a.md", "news/b.txt"]),
        ("news/**/*", ["news/a.md", "news/b.txt", "news/in/c.JSONL", "news/in/deep/d.zip"]),
        ("news/in/**/*.zip", ["in/deep/d.zip"]),
        ("news/[ab].*", ["news/a.md", "news/b.txt"]),
        ("news/?.md", ["news/a.md"]),
    ],
)
def test_a_glob_stands_for_what_it_matches_relative_or_absolute(news, monkeypatch, pattern, expected):
    monkeypatch.chdir(news.parent)
    assert names(pattern) == names(str(news.parent / pattern)) == expected


def test_a_file_with_the_marks_of_a_glob_in_its_name_is_a_file(news):
    write(news / "report [final]*.txt")
    assert names(news / "report [final]*.txt") == ["report [final]*.txt"]
    assert len(find([write(news.parent / "in [2024]" / "a.txt").parent])) == 1


@pytest.mark.parametrize(
    ("cwd", "given"), [(".", "news"), (".", "./news/"), ("news", "."), ("news/in", ".."), ("news/in", "../../news")]
)
def test_a_folder_has_the_same_names_from_whatever_working_directory(news, monkeypatch, cwd, given):
    expected = find([news])
    monkeypatch.chdir(news.parent / cwd)
    assert find([given]) == expected


@pytest.mark.parametrize(("cwd", "given"), [(".", "news/b.txt"), ("news", "b.txt"), ("news/in", "../b.txt")])
def test_a_file_has_the_same_name_from_whatever_working_directory(news, monkeypatch, cwd, given):
    expected = find([news / "b.txt"])
    monkeypatch.chdir(news.parent / cwd)
    assert find([given]) == expected


@pytest.mark.parametrize(("cwd", "given"), [(".", "news/*.txt"), ("news", "*.txt"), ("news/in", "../*.txt")])
def test_a_glob_has_the_same_names_from_whatever_working_directory(news, monkeypatch, cwd, given):
    expected = find([str(news / "*.txt")])
    monkeypatch.chdir(news.parent / cwd)
    assert find([given]) == expected


def test_a_file_that_is_named_twice_is_read_once_in_its_first_place(news, monkeypatch):
    monkeypatch.chdir(news)
    (news / "link.md").symlink_to(news / "b.txt")
    found = find(
        ["b.txt", news / "b.txt", "../news/b.txt", news / "in" / ".." / "b.txt", "*.txt", news / "link.md", "."]
    )
    assert [item.path for item in found].count(news / "b.txt") == 1
    assert found[0].path == news / "b.txt"


def test_a_packed_file_of_another_kind_is_passed_over_like_the_file_itself(news):
    write(news / "backup.sql.gz")
    write(news / "e.jsonl.gz")
    assert names(news) == ["news/a.md", "news/b.txt", "news/e.jsonl.gz", "news/in/c.JSONL", "news/in/deep/d.zip"]
    with pytest.raises(SourceError, match="known kind"):
        find([news / "backup.sql.gz"])


def test_a_file_has_one_key_whether_it_is_named_itself_or_with_its_folder(news):
    keys = {item.key for given in (news, news / "b.txt", str(news / "*.txt"), f"{news.parent}/*/b.txt")
            for item in find([given]) if item.path == news / "b.txt"}  # fmt: skip
    assert len(keys) == 1


def test_files_of_one_name_in_different_folders_have_keys_of_their_own(tmp_path):
    one, two = write(tmp_path / "one" / "news" / "a.txt"), write(tmp_path / "two" / "news" / "a.txt")
    assert len({item.key for item in find([one, two])}) == 2
    assert len({item.key for item in find([one.parent, two.parent])}) == 2


@pytest.fixture
def bounded(monkeypatch):
    """Ends a search that would go round in a loop of folders."""
    looked, scandir = [], os.scandir

    def counted(*args):
        looked.append(args)
        if len(looked) > 2000:
            pytest.fail("looks into folders without end")
        return scandir(*args)

    monkeypatch.setattr(os, "scandir", counted)


def test_a_loop_of_links_between_folders_is_not_followed(news, bounded):
    (news / "in" / "again").symlink_to(news)
    (news / "deep").symlink_to(news / "in")
    assert names(news) == ["news/a.md", "news/b.txt", "news/in/c.JSONL", "news/in/deep/d.zip"]


def test_a_glob_meets_each_file_once_in_a_loop_of_links(news, bounded):
    (news / "in" / "again").symlink_to(news)
    assert names(str(news / "**" / "*.txt")) == ["news/b.txt"]


def test_a_glob_ends_where_two_links_lead_back(news, bounded):
    (news / "in" / "again").symlink_to(news)
    (news / "in" / "deep" / "again").symlink_to(news)
    assert names(str(news / "**" / "*.txt")) == ["news/b.txt"]


def test_a_folder_that_is_itself_a_link_is_the_folder_it_leads_to(news):
    link = news.parent / "link"
    link.symlink_to(news)
    assert find([link]) == find([news])


def test_links_to_files_are_read_and_broken_ones_passed_over(news):
    elsewhere = write(news.parent / "elsewhere" / "e.txt")
    (news / "link.txt").symlink_to(elsewhere)
    (news / "broken.txt").symlink_to(news / "nowhere.txt")
    assert names(news) == ["news/a.md", "news/b.txt", "news/link.txt", "news/in/c.JSONL", "news/in/deep/d.zip"]


def test_a_glob_takes_links_to_files_elsewhere(news, tmp_path_factory):
    elsewhere = write(tmp_path_factory.mktemp("elsewhere") / "e.txt")
    (news / "link.txt").symlink_to(elsewhere)
    assert [item.path for item in find([str(news / "*.txt")])] == [news / "b.txt", elsewhere]


def test_a_special_file_is_passed_over(news):
    os.mkfifo(news / "pipe.txt")
    assert names(str(news / "*.txt")) == ["news/b.txt"]
    assert "news/pipe.txt" not in names(news)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("nowhere", "does not exist"),
        ("nowhere.txt", "does not exist"),
        ("news/photo.jpg", "known kind"),
        ("news/README", "known kind"),
        ("empty", "no file of a known kind"),
        ("news/*.pdf", "matches no file"),
        ("news/*.jpg", "matches no file"),
        ("news/x" * 80, "does not exist"),
        ("x" * 300, "does not exist"),
        ("a\0b", "does not exist"),
    ],
)
def test_what_stands_for_nothing_is_an_error_that_names_it(news, monkeypatch, given, reason):
    (news.parent / "empty").mkdir()
    write(news.parent / "empty" / ".hidden.txt")
    monkeypatch.chdir(news.parent)
    with pytest.raises(SourceError, match=reason) as caught:
        find(["news", given])
    assert given in str(caught.value)


def test_the_stamp_changes_with_the_file_and_the_options(news):
    (before,) = find([news / "b.txt"])
    assert stamp_of(before, PLAIN) == stamp_of(find([news])[1], PLAIN)
    assert stamp_of(before, PLAIN) != stamp_of(before, Options(dated_by_mtime=True))
    assert stamp_of(before, PLAIN) != stamp_of(before, Options(names={"text": "story"}))
    os.utime(news / "b.txt", (1, 1))
    assert stamp_of(find([news / "b.txt"])[0], PLAIN) != stamp_of(before, PLAIN)


def test_the_folder_of_a_source_is_where_to_watch(news, monkeypatch):
    monkeypatch.chdir(news)
    assert folder_of(str(news)) == folder_of(str(news / "b.txt")) == news
    assert folder_of(str(news / "**" / "*.txt")) == folder_of(str(news / "[ab].txt")) == news
    assert folder_of("*.txt").resolve() == news


# -- what is in them -----------------------------------------------------------------------------------


def test_articles_of_an_archive_are_named_by_archive_and_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/b.jsonl", line("b1") + "{\n" + line("b2"))
        archive.writestr("c.json", "[")
        archive.writestr("old.zip", "")
        archive.writestr("d.json", line("d1"))
    expected = ["b1", "a.zip/in/b.jsonl line 2", "b2", "a.zip/c.json", "a.zip/old.zip", "d1"]
    assert contents(tmp_path / "a.zip") == expected


def test_the_same_member_has_the_same_id_in_each_reading(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b.txt", TEXT)
        archive.writestr("c.txt", TEXT)
    first, second = contents(tmp_path / "a.zip")
    assert first != second
    assert contents(tmp_path / "a.zip") == [first, second]


def test_a_cut_off_gz_gives_the_articles_before_the_cut(tmp_path):
    noise = random.Random(1)
    lines = "".join(line(f"a{n}", f"{noise.getrandbits(400)} fish were counted.") for n in range(300))
    whole = gzip.compress(lines.encode())
    given = contents(write(tmp_path / "a.jsonl.gz", whole[: len(whole) // 2]))
    assert given[:3] == ["a0", "a1", "a2"]
    assert given[-1] == "a.jsonl.gz"


@pytest.mark.parametrize("ending", ["jsonl.gz", "zip", "tar"])
def test_articles_dated_by_the_change_of_their_file_never_bear_the_time_of_unpacking(tmp_path, ending):
    content = json.dumps({"id": "1", "title": "T", "text": TEXT}).encode()
    path = tmp_path / f"a.{ending}"
    if ending == "jsonl.gz":
        path.write_bytes(gzip.compress(content))
    elif ending == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.jsonl"), content)
    else:
        with tarfile.open(path, "w") as archive:
            info = tarfile.TarInfo("a.jsonl")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    packed_at = datetime(2020, 2, 3, tzinfo=UTC)
    os.utime(path, (packed_at.timestamp(),) * 2)
    (article,) = read(find([path])[0], Options(dated_by_mtime=True), Web())
    assert article.published_at in (None, packed_at)


def test_a_fetched_page_is_not_dated_by_the_moment_of_fetching():
    items = list(read(find([f"{SITE}/a"])[0], Options(dated_by_mtime=True), Web(a=page("Market moves"))))
    assert [item.published_at for item in items] == [None]


def test_a_change_of_a_file_in_the_future_is_no_date_of_an_article(tmp_path):
    path = write(tmp_path / "a.txt")
    os.utime(path, (9_999_999_999,) * 2)
    (article,) = read(find([path])[0], Options(dated_by_mtime=True), Web())
    assert article.published_at is None


@pytest.mark.parametrize("ending", ["txt", "md", "jsonl"])
def test_an_article_about_sitemaps_is_no_sitemap(tmp_path, ending):
    text = f"{TEXT} A sitemap opens with <urlset, the engineers said, and lists the pages of a site one by one."
    path = write(tmp_path / f"a.{ending}", line("a1", text) if ending == "jsonl" else text)
    items = list(read(find([path])[0], PLAIN, Web()))
    assert not any(isinstance(item, Problem) for item in items)
    assert len(items) == 1


# -- addresses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [("https://gull.example", True), ("http://gull.example/a?b=c#d", True), (" HTTPS://GULL.example/ ", True),
     ("ftp://gull.example", False), ("gull.example", False), ("https://", False), ("https://a b", False),
     ("https:/a", False), ("/news/https://a", False), ("", False), ("a.txt", False)],
)  # fmt: skip
def test_addresses_are_told_from_paths(source, expected):
    assert is_address(source) is expected


def test_an_address_is_found_once_and_has_to_be_read_each_time(news):
    found = find([f"{SITE}/a", news / "b.txt", f" {SITE}/a "])
    assert [(item.name, item.path) for item in found] == [(f"{SITE}/a", None), ("b.txt", news / "b.txt")]
    assert stamp_of(found[0], PLAIN) == ""


@pytest.mark.parametrize(
    "text",
    [
        f"{SITE}/a\n{SITE}/b\n",
        f"{SITE}/a\r\n{SITE}/b\r\n",
        f"# Monday\n\n  {SITE}/a  \n\n# Tuesday\n{SITE}/b",
        f"\ufeff{SITE}/a\n{SITE}/b\n{SITE}/a\n",
        f"{SITE}/a\n{SITE}/b\n".replace("https", "HTTPS", 1),
        "# to be read on Monday\n" * 200 + f"{SITE}/a\n{SITE}/b\n",
    ],
)
def test_a_text_of_addresses_leads_to_their_pages_once_each(tmp_path, text):
    web = Web(a=page("Market moves"), b=page("Ferry waits"))
    web.pages[f"{SITE}/a".replace("https", "HTTPS")] = web.pages[f"{SITE}/a"]
    contents(write(tmp_path / "list.txt", text), web)
    assert [url.lower() for url in web.asked] == [f"{SITE}/a", f"{SITE}/b"]


@pytest.mark.parametrize(
    "text", [f"{SITE}/a is where the council published its plan.", f"{SITE}/a\n{TEXT}\n", f"{TEXT}\n{SITE}/a\n"]
)
def test_a_text_with_anything_but_addresses_is_an_article(tmp_path, text):
    (article,) = read(find([write(tmp_path / "a.txt", text)])[0], PLAIN, Web())
    assert article.title


def test_a_list_in_a_file_of_another_kind_is_no_list(tmp_path):
    web = Web(a=page("Market moves"))
    contents(write(tmp_path / "list.md", f"{SITE}/a\n"), web)
    assert web.asked == []


def test_a_page_that_cannot_be_fetched_is_a_problem_and_the_others_are_read(tmp_path):
    path = write(tmp_path / "list.txt", f"{SITE}/gone\n{SITE}/a\n")
    assert contents(path, Web(a=page("Market moves"))) == [f"{SITE}/gone", f"{SITE}/a"]


@pytest.mark.parametrize("media_type", ["image/png", "application/zip", ""])
def test_an_address_of_another_kind_is_a_problem(media_type):
    web = Web(a=(b"\x89PNG", media_type))
    (problem,) = read(find([f"{SITE}/a"])[0], PLAIN, web)
    assert (problem.where, problem.lost) == (f"{SITE}/a", True)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a_jsonl", "application/x-ndjson"), ("a_jsonl", "application/octet-stream"), ("a_jsonl", ""),
     ("a_jsonl", "text/plain"), ("a", "application/x-ndjson")],
)  # fmt: skip
def test_lines_of_records_are_known_by_their_type_or_else_their_ending(name, media_type):
    web = Web(**{name: (line("a1") + line("a2"), media_type)})
    assert contents(f"{SITE}/{name.replace('_', '.')}", web)[:2] != [f"{SITE}/a.jsonl"]
    items = list(read(find([f"{SITE}/{name.replace('_', '.')}"])[0], PLAIN, web))
    assert [item.id for item in items] == ["a1", "a2"]


# -- sitemaps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fetched", [False, True])
def test_a_sitemap_leads_to_its_pages_once_each(tmp_path, fetched):
    text = sitemap("a", "b", "a", "gone")
    web = Web(a=page("Market moves"), b=page("Ferry waits"), map_xml=(text, "application/xml"))
    given = f"{SITE}/map.xml" if fetched else write(tmp_path / "map.xml", text)
    assert contents(given, web) == [f"{SITE}/a", f"{SITE}/b", f"{SITE}/gone"]


def test_the_sitemaps_of_an_index_are_read_one_level_down(tmp_path):
    web = Web(
        one_xml=(sitemap("a"), "application/xml"), two_xml=(sitemap("b"), "text/xml"), a=page("Market"), b=page("Ferry")
    )
    path = write(tmp_path / "index.xml", index("one.xml", "missing.xml", "two.xml"))
    assert contents(path, web) == [f"{SITE}/missing.xml", f"{SITE}/a", f"{SITE}/b"]


def test_an_index_below_an_index_is_not_followed_but_told(tmp_path):
    web = Web(below_xml=(index("deeper.xml"), "application/xml"), deeper_xml=(sitemap("a"), "application/xml"))
    path = write(tmp_path / "index.xml", index("below.xml"))
    assert contents(path, web) == [f"{SITE}/below.xml"]
    assert web.asked == [f"{SITE}/below.xml"]


@pytest.mark.parametrize("body", ["<urlset><broken", "no sitemap", ""])
def test_a_sitemap_of_an_index_that_cannot_be_read_is_a_problem(tmp_path, body):
    web = Web(bad_xml=(body, "application/xml"), good_xml=(sitemap("a"), "application/xml"), a=page("Market"))
    path = write(tmp_path / "index.xml", index("bad.xml", "good.xml"))
    assert contents(path, web) == [f"{SITE}/bad.xml", f"{SITE}/a"]


def test_a_packed_sitemap_of_an_index_is_read_or_told(tmp_path):
    web = Web(one_xml_gz=(gzip.compress(sitemap("a").encode()), "application/gzip"), a=page("Market"))
    path = write(tmp_path / "index.xml", index("one.xml.gz"))
    assert contents(path, web) in ([f"{SITE}/a"], [f"{SITE}/one.xml.gz"])


@pytest.mark.parametrize("text", ["<urlset><broken", sitemap(), "<urlset></urlset>"])
def test_a_sitemap_that_is_broken_or_lists_nothing_is_a_problem(tmp_path, text):
    assert contents(write(tmp_path / "map.xml", text)) == ["map.xml"]


def test_a_sitemap_that_lists_itself_as_a_page_comes_to_an_end():
    web = Web(map_xml=(sitemap("map.xml", "a"), "application/xml"), a=page("Market"))
    assert f"{SITE}/a" in contents(f"{SITE}/map.xml", web)


def test_sitemaps_that_list_each_other_as_pages_come_to_an_end():
    web = Web(one_xml=(sitemap("two.xml"), "application/xml"), two_xml=(sitemap("one.xml"), "application/xml"))
    contents(f"{SITE}/one.xml", web)
    assert len(web.asked) < 10


def test_what_a_sitemap_lists_beyond_the_limits_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MAX_PAGES", 1)
    monkeypatch.setattr(sources, "_MAX_SITEMAPS", 1)
    web = Web(one_xml=(sitemap("a", "b"), "application/xml"), a=page("Market"), b=page("Ferry"))
    path = write(tmp_path / "index.xml", index("one.xml", "two.xml"))
    assert contents(path, web) == ["index.xml", f"{SITE}/a"]
    assert web.asked == [f"{SITE}/one.xml", f"{SITE}/a"]


def test_a_sitemap_reads_no_files_through_entities(tmp_path):
    secret = write(tmp_path / "secret", f"{SITE}/secret")
    text = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]><urlset><url><loc>&s;</loc></url></urlset>'
    web = Web()
    contents(write(tmp_path / "map.xml", text), web)
    assert web.asked == []


def test_a_sitemap_swells_by_no_entities(tmp_path):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    text = f'<!DOCTYPE x [<!ENTITY e0 "x">{entities}]><urlset><url><loc>&e8;</loc></url></urlset>'
    web = Web()
    contents(write(tmp_path / "map.xml", text), web)
    assert web.asked == []


def test_addresses_in_a_sitemap_may_be_no_files(tmp_path):
    secret = write(tmp_path / "secret.txt")
    text = f"<urlset><url><loc>{secret.as_uri()}</loc></url><url><loc>{secret}</loc></url></urlset>"
    web = Web()
    assert contents(write(tmp_path / "map.xml", text), web) == [secret.as_uri(), str(secret)]
    assert [Path(url).name for url in web.asked] == ["secret.txt", "secret.txt"]
