"""Text, titles, times, addresses and ids in the one form the archive keeps; pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit, urlunsplit

_LINE_BREAKS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
# Control characters, lone surrogates, and invisible marks that break search and exact quotes; joiners
# (U+200C, U+200D) are part of words.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_BLANKS = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{2,}")
_WIDEST_WRAP = 100  # characters; mail and press agencies wrap at 60 to 80
_TRACKING = re.compile(r"(?:utm_\w*|fbclid|gclid|ref)$", re.IGNORECASE)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_FIRST_NEWSPAPER = datetime(1600, 1, 1, tzinfo=UTC)  # Strasbourg's Relation is of 1605
_CLOCK_SLACK = timedelta(days=2)  # embargoed items and zones
_MILLISECONDS_FROM = 1e11  # as seconds this is the year 5138
# The spellings of outlets that only one date can be meant by; 03/04/2024 is not among them.
_WRITTEN_DATES = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%A, %B %d, %Y", "%A, %d %B %Y", "%Y/%m/%d")

TITLE_CHARS = 90
_TITLE_MIN_CHARS = 40  # no shortening below this for the sake of a better border
# The label in capitals that some papers set before a lead, with its colon.
KICKER = re.compile(r"(?=[^:]{5,48}:)(?:[A-Z][A-Z0-9&\-–]*(?:[’'][sS])?(?: |(?=:)))+: (?=\S)")
_DATELINE = re.compile(r"[A-Z][A-Z .’'-]{2,30}(?:, [\w .]{1,30})?(?: \([^)]{1,30}\))? ?[—–-]{1,2} ")
# Words a shortened title must not end with: they promise more.
_DANGLING_TEXT = """
    a an the this that these those its their his her our my your to of in on at by for from with into over under
    after before about against between through during and or but nor as while when where who whom whose which
    because if than is are was were be been being am has have had having do does did will would can could may
    might should must not no also more most very so yet said says called amid near up such both
"""
DANGLING = frozenset(_DANGLING_TEXT.split())
# A shortened title may end before these: what is left of them is a whole thought.
_PHRASE_BORDER = re.compile(
    r" (?=(?:after|as|while|who|which|where|when|because|although|amid|and|but|or|before|since|until|during|"
    r"following|on|in|at|to|for|from|with|by|against|over|under|near|into|about|"
    r"has|have|had|is|are|was|were|will|would|can|could|may|might|must)\b)"
)
# "After six wins, ..." up to the comma says nothing yet.
_SIDE_CLAUSE_TEXT = """
    after although as at because before by despite during for from if in like of on since though to until when
    while with without
"""
_OPENS_SIDE_CLAUSE = frozenset(_SIDE_CLAUSE_TEXT.split())
_LONE_SUBJECT = re.compile(r", \S+(?: \S+)?$")  # "Since it opened, the bridge"
_CLAUSE_BORDER = re.compile(r"(?:[,;:]| [–—-]+)(?= )")


def normalise(text: str) -> str:
    """Return `text` in the form all offsets count in; words and quotation marks stay as they are.

    NFC, without control and invisible characters, blanks collapsed, and each paragraph one line,
    with exactly one blank line between paragraphs. A line break separates paragraphs unless the
    lines were wrapped at a fixed width. Applying it twice changes nothing.
    """
    text = _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text))
    # Python's \s holds every no-break and typographic space.
    text = _BLANKS.sub(" ", unicodedata.normalize("NFC", text))
    lines = [line.strip() for line in text.split("\n")]
    width = max(map(len, lines))
    blocks = _BLANK_LINES.split("\n".join(lines).strip("\n"))
    return "\n\n".join(paragraph for block in blocks for paragraph in _unwrapped(block.split("\n"), width) if paragraph)


def _unwrapped(lines: list[str], width: int) -> list[str]:
    """Join the lines that a fixed `width` broke: the next line's first word had no room.

    A headline over its text is never joined: the text's first word would have fitted.
    """
    full = [len(line) + 1 + len(after.split(" ", 1)[0]) > width for line, after in pairwise(lines)]
    lower = any(after[:1].islower() for after in lines[1:])
    if width > _WIDEST_WRAP or not lower or 2 * sum(full) < len(full):
        return lines
    paragraphs = lines[:1]
    for joined, line in zip(full, lines[1:], strict=True):
        if joined:
            paragraphs[-1] += " " + line
        else:
            paragraphs.append(line)
    return paragraphs


def shortened(sentence: str) -> str:
    """Return a title of at most 90 characters made from a sentence, cut where a thought ends."""
    sentence = sentence[: 10 * TITLE_CHARS]
    sentence = _DATELINE.sub("", KICKER.sub("", sentence, count=1), count=1)
    sentence = re.sub(r" ?[(（][^()（）]*[)）]", "", sentence).strip()
    if len(sentence) > TITLE_CHARS:
        sentence = sentence[: _longest_whole(sentence)]
    return _without_end_marks(sentence)


def _longest_whole(sentence: str) -> int:
    """Return where to cut a long sentence: after a clause, else a phrase, else a word."""
    limit = TITLE_CHARS + 1
    clause_is_whole = sentence.split(" ", 1)[0].lower() not in _OPENS_SIDE_CLAUSE
    for border in (_CLAUSE_BORDER, _PHRASE_BORDER, re.compile(" "))[0 if clause_is_whole else 1 :]:
        ends = [match.start() for match in border.finditer(sentence, 0, limit + 1) if match.start() < limit]
        for end in reversed(ends):
            words = sentence[:end].split()
            while words and (words[-1].lower().strip(",;:") in DANGLING or words[-1] in "-–—"):
                words.pop()
            kept = " ".join(words)
            if len(kept) >= _TITLE_MIN_CHARS and _quotes_closed(kept) and not _LONE_SUBJECT.search(kept):
                return len(kept)
    return sentence[:limit].rfind(" ") if " " in sentence[:limit] else TITLE_CHARS


def _quotes_closed(text: str) -> bool:
    # An apostrophe looks like a closing single quote: only a surplus of opening ones is open.
    return text.count("“") == text.count("”") and text.count('"') % 2 == 0 and text.count("‘") <= text.count("’")


def _without_end_marks(title: str) -> str:
    title = title.strip(" .,;:!?…–—-")
    if title.endswith(("”", '"', "’")):
        title = title[:-1].rstrip(" .,;:!?…") + title[-1]
    return title if _quotes_closed(title) else title.strip('“”"‘').strip(" .,;:!?…–—-")


def to_utc(value: str | float | date | None) -> datetime | None:
    """Read a publication time; what cannot be read for certain is None, never a guess.

    Args:
        value: ISO 8601, RFC 2822, a written date ("3 May 2024"), seconds or milliseconds since
            1970, or a date object. A date alone is midnight, a time without a zone is UTC.
    """
    try:
        if isinstance(value, str):
            return _read_time(" ".join(value.split()))
        if isinstance(value, datetime):
            return _as_utc(value)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        if value is None or isinstance(value, bool):
            return None
        seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _read_time(text: str) -> datetime | None:
    if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
        return to_utc(float(text))
    iso = re.sub(r" ?(UTC|GMT)$", "+00:00", text)
    iso = re.sub(r"(?<=\d) (?=[+-]\d\d:?\d\d$)", "", iso)
    try:
        return _as_utc(datetime.fromisoformat(iso))
    except ValueError:
        pass  # not ISO: try the other known forms
    for form in _WRITTEN_DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return _as_utc(parsedate_to_datetime(text))


def _as_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def plausible(published_at: datetime | None, now: datetime) -> bool:
    """Return False for a date no news article can have: before 1600, or over two days ahead."""
    return published_at is None or _FIRST_NEWSPAPER <= published_at <= now + _CLOCK_SLACK


def canonical_url(url: str) -> str:
    """Return one spelling for all addresses of a page, or "" if `url` is no web address.

    For comparing only: articles keep the address as the source gave it.
    """
    try:
        parts = urlsplit("".join(url.split()))
        scheme, host = parts.scheme.lower(), parts.netloc.lower()
    except ValueError:
        return ""
    host = host.rpartition("@")[2].removesuffix(_DEFAULT_PORTS.get(scheme, "\n"))
    if scheme not in _DEFAULT_PORTS or not host:
        return ""
    query = "&".join(part for part in parts.query.split("&") if part and not _TRACKING.match(part.partition("=")[0]))
    return urlunsplit(SplitResult(scheme, host, parts.path.rstrip("/"), query, ""))


def article_id(record_id: str, url: str, path: str, position: int) -> str:
    """Return an id that stays the same when the article is corrected and read again.

    Args:
        record_id: The record's own id, used as it is; "" if it has none.
        url: Used next, in its canonical form.
        path: Of the file, as shown to people; used last, with the `position` in it.
        position: Of the record or story in the file.
    """
    return record_id.strip() or _digest(canonical_url(url) or f"{path}#{position}", 16)


def version_of(title: str, text: str, published_at: datetime | None, correction: str | None) -> str:
    """Return a hash of what a reader sees: it changes if and only if one of the four does."""
    moment = published_at.isoformat() if published_at else ""
    # Lengths keep apart "ab" + "c" and "a" + "bc".
    parts = (title, text, moment, correction or "")
    return _digest("".join(f"{len(part)}:{part}" for part in parts), 12)


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
