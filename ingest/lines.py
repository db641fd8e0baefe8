"""What a line of a pasted page is: text, a short line such as a headline, or furniture; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ingest.clean import DANGLING, KICKER
from rag.sentences import sentences

# "credit" tells who and when (byline, date line), "border" ends a story (read more, copyright, a rule), the rest of
# the furniture may stand in the middle of one.
Role = Literal["text", "short", "credit", "border", "furniture"]

HEADLINE_WORDS = 18  # longer lines without a full stop are text that breaks off
_CUT_WORDS = 8  # shorter lines are subheads, names, results
_QUESTION_WORDS = 10  # a shorter question is a headline, a subhead or an interviewer's
_TWO_SENTENCE_WORDS = 14  # a headline may hold two short sentences
_LIVE_BLOG_TIMES = 4
_TAIL_CHARS = 2000
_FURNITURE_CHARS = 600
_KICKER_WORDS = 20  # of text after a kicker that can be a story without breaking off

_CLOSERS = "\"'”’»)]）」』*_"
_SIGN_OFF = re.compile(r"(?: ?[■●◼□▪]|(?<=[.!?”\"]) ?(?:\([A-Z][\w /]{1,30}\)|[—–-] ?[A-Z][\w /]{1,30}))$")
_ELLIPSIS = re.compile(r"(?:\.{3}|…|\[(?:\.{3}|…|\+\d+ chars)\])(?: ?(?:read more|continue reading|more))?$", re.I)
_NOT_KICKERS = re.compile(r"(?:UPDATED?|CORRECTION|CLARIFICATION|NOTE|EDITOR.S NOTE|DISCLAIMER)\b")
BULLET = re.compile(r"(?:[•◦‣▪*–—-]|\d{1,2}[.)]) ")
_DATELINE = re.compile(
    r"(?:[A-Z][A-Z.’'-]+(?: [A-Z][A-Z.’'-]+){0,3}(?:, [\w .]{2,30}){0,2}|[A-Z]\w+(?: [A-Z]\w+){0,2}, [\w. ]{2,20})"
    r" ?(?:\([^)]{2,30}\) ?[—–-]{1,2}|[—–]|--?(?= ))"
)

_LABEL = r"(?:file )?(?:photo(?:graph)?|image|picture|pic|illustration|graphic|video|screen(?:shot|grab)|cartoon)s?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?"
_DATE = rf"(?:\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?)"
_CLOCK = r"\d{1,2}[:.h]\d{2}(?: ?[ap]\.?m\.?)?"
_NAME = r"(?-i:[A-Z])[\w.’'-]+(?: (?:(?-i:[A-Z])[\w.’'-]*|of|de|van|von|al|bin)){0,3}"

_TIME = re.compile(rf"{_CLOCK}(?: ?\w{{2,4}})?", re.IGNORECASE)


def _patterns(*rules: tuple[int, str]) -> tuple[tuple[int, re.Pattern[str]], ...]:
    return tuple((words, re.compile(pattern, re.IGNORECASE)) for words, pattern in rules)


# Each with the most words such a line has.
_CREDITS = _patterns(
    (14, rf"(?:{_DAY},? )?{_DATE}(?:,? \d{{4}})?\b[^.]{{0,50}}$"),
    (14, rf"(?:first |last )?(?:published|updated|posted|modified|ended|created|issued)\b(?: on| at)?:? ?(?:{_DAY},? )?"
         rf"(?:{_DATE}|{_CLOCK}|\d{{4}}-\d\d|\d+ (?:min|hour|day)|today|yesterday)"),
    (12, r"(?:\d+|an?|one|two|three|four|five) (?:second|min(?:ute)?|hour|hr|day|week|month)s? ago\b.{0,30}$"),
    (6, rf"(?:{_DAY},? )?{_CLOCK}(?: (?:gmt|bst|et|est|edt|utc|cet|ist|sgt|local time))?$"),
    (6, r"\d+[- ]min(?:ute)?s?[- ]read$"),
    (14, rf"(?:by|words by|story by|text by|report by|written by|posted by|compiled by) {_NAME}[^.!?]{{0,80}}$"),
    (14, rf"(?:text|words|interview|report|story|portrait|photos?|pictures?|reporting|as told to)(?:: ?| by ){_NAME}"
         r"[^.!?]{0,80}$"),
    (12, r"(?:our |the )?(?:own |special |staff |chief |senior |science |business |sports? |political |foreign )*"
         r"(?:correspondents?|staff (?:writer|reporter)s?|(?:\w+ )?editor|news desk|bureau|reporters?)\b[^.!?]{0,60}$"),
    (8, rf"{_NAME},? (?:(?:\w+ )?(?:correspondent|reporter|editor|writer|columnist)|staff writer)$"),
    (12, r"reporting (?:from|by) [^.!?]{2,80}$"),
    (14, rf"{_NAME} in {_NAME} and {_NAME} in {_NAME}$"),
    (8, rf"{_NAME} ?[|/•·,–—-] ?[\w .@/-]{{3,60}}\.(?:com|org|net|example|co\.\w\w|news)$"),
)  # fmt: skip
_BORDERS = _patterns(
    (40, r"(?:©|\(c\) ?\d{4}|copyright (?:©|\(c\)|\d{4}|.{2,60}\d{4})|.{0,80}all rights reserved\b)"),
    (40, r"this (?:material|article|content) may not be (?:published|reproduced|copied)"),
    (12, r"(?:read|see|more|find out|learn) (?:more|also|on this(?: story)?|next|in full|the full (?:story|article)|all)"
         r"\b[^.]{0,60}$"),
    (12, r"(?:more|also|elsewhere|other|further|latest)(?: \w+){0,2} (?:in|from|on|news|stories|headlines|reading)\b"
         r"[^.]{0,40}$"),
    (8, r"(?:continue reading|full story|go to story|related|recommended|suggested|you (?:might|may) (?:also )?(?:like|be)"
        r"|most (?:read|popular|viewed|watched|commented)|trending|top stories|top news|elsewhere|in (?:other news|brief)"
        r"|news in brief|briefs?|in case you missed|don.t miss|also in this issue|editor.s picks?|up next|popular now"
        r"|must[- ]reads?|what (?:else|to read)|promoted|sponsored|partner) ?(?:\w+ ?){0,3}[:»>…]*$"),
    (14, r"(?:subscribe|log ?in|sign ?in|register|already a (?:subscriber|member)|try (?:unlimited|a month|it)"
         r"|unlock|create (?:an|a free) account|become a (?:subscriber|member)|you have (?:read|reached|\d+)"
         r"|this (?:article|story) is (?:for|only|reserved)|to (?:read on|continue reading|read the rest))\b"),
    (12, r"(?:only|then|from|just)? ?[€$£]\d[\d.,]* (?:for|per|a) "),
    (20, r"(?:tags?|topics?|filed under|keywords?|related (?:topics|tags|internet links|articles))(?: ?[:|/,].*)?$"),
)  # fmt: skip
_FURNITURE = _patterns(
    (40, rf"\(?\[?(?:{_LABEL}|credits?|caption)(?: credit| source| courtesy| caption)?s?(?: of)? ?[:：,]"),
    (15, rf"\(?{_LABEL} (?:courtesy|credit|provided by|supplied by) "),
    (10, rf"\(?{_LABEL} (?:by|from) [^.!?]*$"),
    (45, rf".*[.!?)\]”\"’\w] [\[(]?(?:{_LABEL}|credit)(?: credit| by| courtesy(?: of)?)*[:/] ?[^.!?]{{2,60}}[.)\]]*$"),
    (12, r"(?:© |(?:getty images|reuters|ap photo|afp|epa)\b ?[/,|-])"),
    (40, r".{0,60}\b(?:sign up|subscribe|get|join|register|receive|email(?:ing)? you)\b.*\b(?:newsletters?|inbox"
         r"|e-?mails?|alerts|updates|briefing|digest)\b"),
    (40, r"(?:we.ll|we will) (?:e-?mail|send) you\b|you (?:can|may) (?:unsubscribe|opt out)|you (?:get|receive) this"),
    (25, r"(?:follow|like|find|join) (?:us|our)\b|(?:click|tap) (?:here )?to |(?:download|get) (?:our|the) .*\bapp\b"),
    (25, r"(?:enjoy|listen to|watch) (?:more|this|our|the best) |listen on |hear more "),
    (20, r"(?:story|article) continues below|skip to |jump to |back to top|scroll "),
    (9, r"advertisement\b[^.]{0,40}$"),
    (25, r"(?:we use|this (?:web)?site uses|accept(?: all)?|manage) (?:\w+ ){0,3}cookies\b|cookie (?:settings|policy)"),
    (14, r"(?:terms (?:of (?:use|service)|and conditions)|privacy (?:policy|notice)|accessibility|unsubscribe|view this (?:e-?mail|message)|"
         r"manage (?:preferences|settings)|print (?:this|page)|send to|reuse this|report (?:an error|a typo)|save for "
         r"later|gift this|copy link|reprints?\b|advertise with|contact us|about us|join the conversation|"
         r"have you got a story|get in touch|tell us your)\b[^.]*\.?$"),
    (12, r"share(?: (?:this|on|via|with)\b.*)?(?: (?:save|print|tweet|email|facebook|whatsapp))*$"),
    (12, r"(?:facebook|twitter|x|whatsapp|email|linkedin|reddit|telegram|print|save|tweet|pin)"
         r"(?: ?[|·/•,]? ?(?:facebook|twitter|x|whatsapp|e-?mail|linkedin|reddit|telegram|print|save|tweet|copy link))*$"),
    (8, r"(?:\d[\d,.]*|no|one) (?:comments?|shares?|ratings?|views?|likes?|replies)\b.{0,20}$"),
    (8, r"(?:comments?|comment|show comments|view comments|leave a comment|post a comment) ?(?:[|(:]? ?\d+\)?)?$"),
    (30, r"(?:comments|remarks) (?:will be|are) |the views expressed|views expressed (?:here|in)|to respond to this"),
    (30, r"(?:to unsubscribe|leave a (?:reply|comment)|your (?:e-?mail address will not|donation|support|gift|contribution)\b"
         r"|like this:|(?:kindly |please )?share this (?:story|article|news|post)\b|(?:tips?|tip-offs?|letters|corrections) ?:"
         r"|(?:have|got) a (?:tip|correction)|issued by (?:the )?|editors (?:may|are free)|required fields|log in to|"
         r"support (?:our|independent|local|quality) (?:journalism|work|reporting)|donate (?:now|today|to)\b)"),
    (30, r"the (?:author|writer) is (?:a|an|the)\b|(?:[A-Z]\w+ ){1,3}is [A-Z]\w*.s (?:[\w-]+ ){0,3}(?:columnist|reporter|"
         r"correspondent|editor|host)\b"),
    (12, r"[★☆]"),
    (6, r"(?:menu|search|home|news|sports?|weather|live|local|world|business|politics|opinion|culture|life|lifestyle|"
        r"entertainment|technology|science|health|travel|video|audio|podcasts?|features?|editorial|obituaries|local news|"
        r"business news|world news|share|save|print|comments?|newsletter|follow|listen|e-?paper|crossword|puzzles|"
        r"photos?|gallery|subscribe|more|next|previous|back|top|close|analysis|exclusive|breaking|breaking news|"
        r"interview|explainer|long read|premium|subscriber only|members only|archive|sponsored|loading)[:»>]*$"),
    (20, r"[\w .,&’'-]+(?: ?[›»>] ?[\w .,&’'-]+)+$"),
    (20, r"[\w .,:&’'-]+(?: ?[|] ?[\w .,:&’'-]+){1,}$"),
    (9, r"[\w .&’'-]+(?: / [\w .&’'-]+)+$"),
    (20, r"(?:from|to|subject|date|cc|reply-to|sent|eds|slug|priority|source|file|id|database|publication|edition|page|"
         r"word ?count|length|byline|headline|section|load-date|document \w+) ?[:：] "),
    (45, rf"(?:{_NAME}(?:,? and {_NAME})?|(?:the )?\w+ writers? {_NAME}.*|(?:the )?(?:author|writer|reporter)) "
         r"(?:contributed to|is (?:a|an|the) (?:\w+ ){0,4}(?:columnist|reporter|correspondent|editor|writer|author|freelance\w*"
         r"|contributor|critic|journalist)|covers |writes (?:about|on|for) |reports (?:on|from) |(?:can be )?reached? )"),
    (30, r"(?:additional|further|with) (?:reporting|files|research|material)\b|reach (?:the|him|her|them)\b.*@"
         r"|(?:reporting|writing|editing|compiled|edited|translated) (?:by|in) |.*\bcontributed (?:to this|reporting)"),
    (25, r"(?:a version of )?this (?:article|story|interview|column|report) (?:appeared|appears|was (?:first |originally )?"
         r"(?:published|produced)|first appeared|has been (?:edited|condensed))"),
    (30, r".*\bis a member of the independent press|.*not responsible for the content of external|promoted content"),
    (16, r"(?:sponsored|advertisement|ad|promotion|poll|quiz|live updates?|watch live|in pictures|in numbers)\b ?[:：]"),
    (14, r"(?:that.s all for|was this (?:e-?mail|article|story)|forwarded (?:to you|this)|good morning\. here|thanks for "
         r"reading)"),
)  # fmt: skip
_ROLES: tuple[tuple[Role, tuple[tuple[int, re.Pattern[str]], ...]], ...] = (
    ("border", _BORDERS),
    ("furniture", _FURNITURE),
    ("credit", _CREDITS),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph of a normalised page.

    Attributes:
        role: See `Role`.
        cut: It stops in the middle of a sentence, and the next line does not go on.
        kicker: It begins with a label in capitals ("HARBOUR NOISE: ...").
        dateline: It begins with a place ("PORT VALE (Agency) — ...").
    """

    text: str
    role: Role
    cut: bool = False
    kicker: bool = False
    dateline: bool = False

    @property
    def words(self) -> int:
        """Number of words."""
        return self.text.count(" ") + 1


def classify(paragraphs: list[str]) -> list[Line]:
    """Return each paragraph of a normalised page with its role, in order."""
    roles = [_role(part) for part in paragraphs]
    for place in range(1, len(roles)):
        # "Image caption," and its caption on the next line.
        if paragraphs[place - 1].lower().rstrip(" :,").endswith("caption") and roles[place] in ("short", "text"):
            roles[place] = "furniture"
    times = [place for place, part in enumerate(paragraphs) if _TIME.fullmatch(part)]
    if len(times) >= _LIVE_BLOG_TIMES:  # they head its entries
        roles = ["furniture" if place in times else role for place, role in enumerate(roles)]
    recurring = _recurring_labels(paragraphs)
    shown = [place for place, role in enumerate(roles) if role in ("text", "short")]
    following = dict(pairwise(shown))
    lines = []
    for place, (part, role) in enumerate(zip(paragraphs, roles, strict=True)):
        after = paragraphs[following[place]] if place in following else ""
        cut = role in ("text", "short") and is_cut(part) and not after[:1].islower()
        kicker = kicker_of(part)
        heads = role == "text" and bool(kicker) and kicker not in recurring
        lines.append(Line(part, role, cut, heads, role == "text" and _DATELINE.match(part) is not None))
    return lines


def _recurring_labels(paragraphs: list[str]) -> set[str]:
    """Return labels in capitals that stand before several paragraphs: they name speakers."""
    labels = [label for part in paragraphs if (label := kicker_of(part))]
    return {label for label in labels if labels.count(label) > 1}


def _role(part: str) -> Role:
    if not any(map(str.isalnum, part)):
        return "border"
    if len(part) <= _FURNITURE_CHARS:
        words = part.count(" ") + 1
        for role, patterns in _ROLES:
            if any(words <= most and pattern.match(part) for most, pattern in patterns):
                return role
    return "short" if is_short(part) else "text"


def is_short(part: str) -> bool:
    """Tell whether a paragraph is a headline, a subhead, an item: short, without a full stop, not cut off."""
    asks = part.endswith(("?", "？")) and part.count(" ") < _QUESTION_WORDS
    return part.count(" ") < HEADLINE_WORDS and (asks or not is_complete(part)) and not is_cut(part)


def is_complete(part: str) -> bool:
    """Tell whether a paragraph ends as a sentence does."""
    bare = _SIGN_OFF.sub("", part).rstrip(_CLOSERS + " ")
    return bare.endswith((".", "!", "?", "。", "！", "？", "…", ":")) and not _ELLIPSIS.search(part)


def is_cut(part: str) -> bool:
    """Tell whether a paragraph stops in the middle of a sentence."""
    if _ELLIPSIS.search(part):
        return True
    words = part.split()
    if is_complete(part) or len(words) < _CUT_WORDS or BULLET.match(part):
        return False
    last = words[-1].rstrip(_CLOSERS)
    several_sentences = len(words) > _TWO_SENTENCE_WORDS and len(sentences(part[-_TAIL_CHARS:])) > 1
    return len(words) > HEADLINE_WORDS or several_sentences or last.endswith((",", ";")) or last.lower() in DANGLING


def kicker_of(part: str) -> str:
    """Return the label in capitals that stands before a text, "" if there is none."""
    match = KICKER.match(part)
    if match is None or _NOT_KICKERS.match(part) or part[match.end() :].count(" ") < _KICKER_WORDS:
        return ""
    return match.group()
