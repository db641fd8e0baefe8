import gzip
import io
import random
import tarfile
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import unpack
from ingest.loaders import limit_of
from ingest.report import Problem
from ingest.unpack import is_packed, members

ENDINGS = ["zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"]
MODES = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
ZEROS = b"\0" * 11 * 1024**2


def packed(folder, ending, *files):
    path = folder / f"a.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
    else:
        with tarfile.open(path, MODES[ending]) as archive:
            for name, content in files:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def tar_of(path, *infos):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(b"x" * info.size))
    return path


def tar_info(name, size=9, **fields):
    info = tarfile.TarInfo(name)
    info.size = size
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def unpacked(path, limit=limit_of):
    """(name, content) of each member, the problems as they are."""
    return [
        item if isinstance(item, Problem) else (item[1], item[0].read_bytes())
        for item in members(path, f"in/{path.name}", limit)
    ]


def names(items):
    return [item[0] for item in items if not isinstance(item, Problem)]


def problems(items):
    return [(item.where, item.reason) for item in items if isinstance(item, Problem)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_of_known_kinds_are_given_with_name_and_content(tmp_path, ending):
    path = packed(tmp_path, ending, ("a.txt", b"one"), ("in/b.JSONL", b"two"))
    assert unpacked(path) == [("a.txt", b"one"), ("in/b.JSONL", b"two")]


@pytest.mark.parametrize("ending", ENDINGS)
def test_unknown_kinds_are_passed_over_in_silence(tmp_path, ending):
    path = packed(tmp_path, ending, ("photo.jpg", b"x"), ("README", b"x"), ("a.txt", b"one"), ("b.exe", b"x"))
    assert unpacked(path) == [("a.txt", b"one")]


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_hidden_and_macos_files_are_passed_over_in_silence(tmp_path, ending):
    hidden = [".a.txt", "in/.b.txt", ".git/c.txt", "__MACOSX/d.txt", "__MACOSX/in/._e.txt", "in\\.f.txt"]
    path = packed(tmp_path, ending, *((name, b"x") for name in hidden), ("./seen.txt", b"one"))
    assert unpacked(path) == [("./seen.txt", b"one")]


def test_a_gz_is_the_one_file_in_it(tmp_path):
    path = tmp_path / "news.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n"))
    assert unpacked(path) == [("news.jsonl", b"{}\n")]


def test_parts_of_a_gz_written_one_after_another_are_all_read(tmp_path):
    path = tmp_path / "news.jsonl.gz"
    path.write_bytes(gzip.compress(b"{}\n") + gzip.compress(b"[]\n"))
    assert unpacked(path) == [("news.jsonl", b"{}\n[]\n")]


def test_a_gz_without_a_known_kind_in_its_name_is_a_problem(tmp_path):
    path = tmp_path / "backup.gz"
    path.write_bytes(gzip.compress(b"{}\n"))
    (problem,) = unpacked(path)
    assert (problem.where, problem.lost) == ("in/backup.gz", True)
    assert ".jsonl.gz" in problem.reason


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.zip", True), ("A.ZIP", True), ("a.tar", True), ("a.tar.GZ", True), ("a.tgz", True), ("a.jsonl.gz", True),
     ("a.txt", False), ("zip", False), ("a.zip.txt", False), ("a.docx", False), ("a.rar", False)],
)  # fmt: skip
def test_archives_are_told_by_their_ending(name, expected):
    assert is_packed(Path(name)) is expected


@pytest.mark.parametrize("ending", ["zip", "tar"])
@pytest.mark.parametrize(
    "name", ["../../evil.txt", "/evil.txt", "in/../../../evil.txt", "..\\..\\evil.txt", "C:\\evil.txt"]
)
def test_names_that_lead_outside_write_nothing_outside(tmp_path, monkeypatch, ending, name):
    inside = tmp_path / "deep" / "temp"
    inside.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    path = packed(tmp_path, ending, (name, b"evil"), ("good.txt", b"good"))
    before = sorted(tmp_path.rglob("*"))
    found = []
    for copy, _, _ in members(path, "in/a", limit_of):
        assert copy.is_relative_to(inside)
        assert {file for file in tmp_path.rglob("*") if file.is_file()} == {path, copy}
        found.append(copy.read_bytes())
    assert found == [b"evil", b"good"]
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/evil.txt").exists()


def test_each_copy_is_gone_when_the_next_is_asked_for(tmp_path):
    copies = []
    for copy, _, _ in members(packed(tmp_path, "zip", ("a.txt", b"1"), ("b.txt", b"2")), "in/a.zip", limit_of):
        assert not any(earlier.exists() for earlier in copies)
        copies.append(copy)
    assert len(copies) == 2
    assert not copies[-1].exists()


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_nothing_is_left_behind_when_the_reading_is_given_up(tmp_path, monkeypatch, ending):
    inside = tmp_path / "temp"
    inside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    reading = members(packed(tmp_path, ending, ("a.txt", b"1"), ("b.txt", b"2")), "in/a", limit_of)
    next(reading)
    reading.close()
    assert list(inside.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_problems_and_are_not_followed(tmp_path, kind):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    link = tar_info("link.txt", 0, type=kind, linkname=str(secret))
    items = unpacked(tar_of(tmp_path / "a.tar", link, tar_info("b.txt")))
    assert names(items) == ["b.txt"]
    assert [where for where, _ in problems(items)] == ["in/a.tar/link.txt"]


def test_folders_with_the_name_of_a_file_are_passed_over_in_silence(tmp_path):
    zip_ = packed(tmp_path, "zip", ("a.txt/", b""), ("b.zip/", b""), ("a.txt/c.txt", b"one"))
    assert unpacked(zip_) == [("a.txt/c.txt", b"one")]
    tar = tar_of(tmp_path / "a.tar", tar_info("a.txt", 0, type=tarfile.DIRTYPE), tar_info("a.txt/c.txt", 1))
    assert unpacked(tar) == [("a.txt/c.txt", b"x")]


@pytest.mark.parametrize("ending", ["zip", "tar"])
@pytest.mark.parametrize("inner", ["old.zip", "old.tar.gz", "old.jsonl.gz", "OLD.TGZ"])
def test_an_archive_in_an_archive_is_a_problem_and_the_rest_is_read(tmp_path, ending, inner):
    items = unpacked(packed(tmp_path, ending, (f"in/{inner}", b"x"), ("a.txt", b"one")))
    assert names(items) == ["a.txt"]
    ((where, reason),) = problems(items)
    assert where == f"in/a.{ending}/in/{inner}"
    assert "archive in an archive" in reason


def test_an_encrypted_member_is_a_problem_and_the_rest_is_read(tmp_path):
    path = packed(tmp_path, "zip", ("a.txt", b"secret"), ("b.txt", b"open"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    items = unpacked(path)
    assert names(items) == ["b.txt"]
    ((where, reason),) = problems(items)
    assert where == "in/a.zip/a.txt"
    assert "encrypted" in reason


# -- limits --------------------------------------------------------------------------------------------


def test_a_text_of_60_mb_of_zeros_is_refused_without_being_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("bomb.txt", "w") as stream,
    ):
        for _ in range(60):
            stream.write(bytes(1024**2))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    assert problems(unpacked(path)) == [("in/bomb.zip/bomb.txt", "unpacks to over 50 MB: split it")]


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "jsonl.gz"])
def test_lines_that_unpack_to_over_10_mb_and_a_hundred_times_their_size_are_refused(tmp_path, ending):
    if ending == "jsonl.gz":
        path = tmp_path / "a.jsonl.gz"
        path.write_bytes(gzip.compress(ZEROS))
    else:
        path = packed(tmp_path, ending, ("bomb.jsonl", ZEROS))
    items = unpacked(path)
    assert names(items) == []
    assert len(problems(items)) == 1


def test_lines_that_are_large_or_well_packed_but_not_both_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "_BOMB_BYTES", 20_000)
    large = random.Random(1).randbytes(30_000)
    small = b"{}\n" * 5_000
    assert names(unpacked(packed(tmp_path, "zip", ("large.jsonl", large), ("small.jsonl", small)))) == [
        "large.jsonl",
        "small.jsonl",
    ]


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_a_member_over_the_limit_of_its_kind_is_a_problem_and_the_rest_is_read(tmp_path, ending):
    items = unpacked(packed(tmp_path, ending, ("a.txt", b"x" * 101), ("b.txt", b"x" * 100)), lambda _: 100)
    assert names(items) == ["b.txt"]
    assert [where for where, _ in problems(items)] == [f"in/a.{ending}/a.txt"]


def test_a_gz_is_unpacked_no_further_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "_CHUNK", 10)
    inside = tmp_path / "temp"
    inside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"x" * 101))
    reading = members(path, "in/a.jsonl.gz", lambda _: 100)
    assert "over" in next(reading).reason
    assert sum(file.stat().st_size for file in inside.rglob("*") if file.is_file()) <= 100
    assert list(reading) == []


def test_a_zip_that_lies_about_the_size_of_a_member_gives_no_half_member(tmp_path):
    path = packed(tmp_path, "zip", ("a.txt", b"good"), ("b.txt", b"x" * 1000))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    assert int.from_bytes(data[at : at + 4], "little") == 1000
    data[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    items = unpacked(path)
    assert names(items) == ["a.txt"]
    assert len(problems(items)) == 1


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_the_reading_stops_at_the_most_members(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 2)
    path = packed(tmp_path, ending, *((f"{n}.txt", b"x") for n in range(4)), ("photo.jpg", b"x"))
    items = unpacked(path)
    assert names(items) == ["0.txt", "1.txt"]
    ((where, reason),) = problems(items)
    assert where == f"in/a.{ending}"
    assert "over 2 files" in reason


def test_members_of_other_kinds_do_not_count_towards_the_most(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 2)
    path = packed(tmp_path, "zip", *((f"{n}.jpg", b"x") for n in range(9)), ("a.txt", b"x"), ("b.txt", b"x"))
    assert unpacked(path) == [("a.txt", b"x"), ("b.txt", b"x")]


@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_the_reading_stops_at_the_most_bytes(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(unpack, "MAX_TOTAL", 250)
    items = unpacked(packed(tmp_path, ending, *((f"{n}.txt", b"x" * 100) for n in range(4))))
    assert names(items) == ["0.txt", "1.txt"]
    assert [where for where, _ in problems(items)] == [f"in/a.{ending}"]


@pytest.mark.parametrize("refused", ["bomb.txt", "inner.zip"])
def test_what_is_refused_does_not_count_towards_the_most_bytes(tmp_path, monkeypatch, refused):
    monkeypatch.setattr(unpack, "MAX_TOTAL", 1000)
    items = unpacked(packed(tmp_path, "zip", (refused, b"x" * 5000), ("a.txt", b"one")), lambda _: 100)
    assert names(items) == ["a.txt"]
    assert [where for where, _ in problems(items)] == [f"in/a.zip/{refused}"]


# -- damage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0"])
def test_what_is_no_archive_is_a_problem(tmp_path, ending, content):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    items = unpacked(path)
    assert names(items) == []
    assert [where for where, _ in problems(items)] == [f"in/a.{ending}"]


@pytest.mark.parametrize("content", [b"no archive at all", b"\x1f\x8b\x08", gzip.compress(b"")[:12]])
def test_what_is_no_gz_is_a_problem(tmp_path, content):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    assert [where for where, _ in problems(unpacked(path))] == ["in/a.jsonl.gz"]


def test_a_damaged_member_of_a_zip_is_a_problem_and_those_before_it_are_read(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", b"one")
        archive.writestr("b.txt", b"DAMAGE")
    path.write_bytes(path.read_bytes().replace(b"DAMAGE", b"damage"))
    items = unpacked(path)
    assert items[0] == ("a.txt", b"one")
    assert names(items) == ["a.txt"]
    assert "cannot be unpacked to its end" in items[-1].reason


def test_a_zip_cut_off_anywhere_is_a_problem(tmp_path):
    whole = packed(tmp_path, "zip", ("a.txt", b"one"), ("b.txt", b"two")).read_bytes()
    path = tmp_path / "cut.zip"
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        assert problems(unpacked(path)), f"cut at {cut}"


@pytest.mark.parametrize("cut", [0, 1, 512, 700, 1025, 1200, 1535, 1536, 1540])
def test_a_tar_cut_off_inside_a_header_or_a_file_is_a_problem(tmp_path, cut):
    whole = packed(tmp_path, "tar", ("a.txt", b"x" * 512), ("b.txt", b"y" * 512)).read_bytes()
    path = tmp_path / "cut.tar"
    path.write_bytes(whole[:cut])
    items = unpacked(path)
    assert names(items) == (["a.txt"] if cut >= 1024 else [])
    assert len(problems(items)) == 1


def test_a_damaged_header_in_a_tar_is_a_problem_and_not_its_end(tmp_path):
    path = packed(tmp_path, "tar", ("a.txt", b"one"), ("b.txt", b"two"), ("c.txt", b"three"))
    data = bytearray(path.read_bytes())
    data[1024 + 150] ^= 0xFF
    path.write_bytes(data)
    items = unpacked(path)
    assert items[0] == ("a.txt", b"one")
    assert len(problems(items)) == 1


@pytest.mark.parametrize("ending", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_packed_tar_cut_off_is_a_problem_and_what_came_before_is_read(tmp_path, ending):
    noise = random.Random(1).randbytes(300_000)
    whole = packed(tmp_path, ending, ("a.txt", noise), ("b.txt", noise[::-1])).read_bytes()
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(whole[: int(len(whole) * 0.8)])
    items = unpacked(path)
    assert len(problems(items)) == 1
    assert isinstance(items[-1], Problem)
    if ending == "tar.gz":
        assert items[0] == ("a.txt", noise)


@pytest.mark.parametrize("tail", ["cut", "garbage"])
def test_a_damaged_gz_gives_the_lines_before_the_damage_and_then_a_problem(tmp_path, tail):
    lines = b"".join(b"%d\n" % random.Random(n).getrandbits(200) for n in range(2000))
    whole = gzip.compress(lines)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2] if tail == "cut" else whole + b"garbage")
    items = unpacked(path)
    assert "cannot be unpacked to its end" in items[-1].reason
    (given,) = [item for item in items if not isinstance(item, Problem)]
    assert len(given[1]) > 1000
    assert lines.startswith(given[1])


def test_a_way_of_packing_that_is_not_known_is_a_problem(tmp_path):
    path = packed(tmp_path, "zip", ("a.txt", b"one"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 8] = 99
    data[data.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(data)
    assert len(problems(unpacked(path))) == 1


def test_a_name_in_a_zip_that_is_not_the_utf_8_it_claims_is_no_crash(tmp_path):
    path = packed(tmp_path, "zip", ("é.txt", b"one"), ("b.txt", b"two"))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    assert unpacked(path)


def test_a_tar_with_a_broken_map_of_a_sparse_file_is_a_problem(tmp_path):
    headers = {"GNU.sparse.map": "x,y", "GNU.sparse.size": "10"}
    path = tar_of(tmp_path / "a.tar", tar_info("a.txt"), tar_info("b.txt", pax_headers=headers))
    items = unpacked(path)
    assert names(items) == ["a.txt"]
    assert len(problems(items)) == 1


# -- times ---------------------------------------------------------------------------------------------


def times(path):
    return {name: moment for _, name, moment in members(path, "in/a", limit_of)}


def test_the_time_of_the_last_change_comes_with_a_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt", (2024, 5, 3, 10, 20, 30)), b"x")
        archive.writestr(zipfile.ZipInfo("none.txt"), b"x")
        archive.writestr(zipfile.ZipInfo("wrong.txt", (2024, 2, 31, 0, 0, 0)), b"x")
    moment = datetime(2024, 5, 3, 10, 20, 30, tzinfo=UTC)
    assert times(tmp_path / "a.zip") == {"a.txt": moment, "none.txt": None, "wrong.txt": None}
    tar = tar_of(tmp_path / "a.tar", tar_info("a.txt", mtime=int(moment.timestamp())))
    assert times(tar) == {"a.txt": moment}


def test_a_tar_that_was_written_without_times_has_none(tmp_path):
    assert times(tar_of(tmp_path / "a.tar", tar_info("a.txt", mtime=0))) == {"a.txt": None}


@pytest.mark.parametrize("mtime", ["1e15", "-1e15", "inf", "nan"])
def test_a_time_in_a_tar_that_no_calendar_has_is_unknown(tmp_path, mtime):
    path = tar_of(tmp_path / "a.tar", tar_info("a.txt", pax_headers={"mtime": mtime}), tar_info("b.txt", mtime=10**9))
    assert times(path) == {"a.txt": None, "b.txt": datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)}
