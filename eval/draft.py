"""A starting dataset from the user's own archive (`pressmark eval draft`), for a person to review.

Without a chat model questions are made of sentences by patterns: age, office, head, amount, date, speaker. Where a
pattern does not surely fit there is no question: better few than clumsy ones. What a question asks is looked for in
the whole archive, so that it has one answer, or none where it is to have none.

The built-in reader has no say in what is asked: a set of what a system can answer measures nothing of it.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.datasets import Evidence, Split
from eval.metrics.answers import contains_gold, normalise
from rag.anchors import anchors
from rag.archive import Archive
from rag.errors import ChatModelError
from rag.figures import days, figures
from rag.instructions import instructed_spans, touches, without
from rag.questions import kind_of
from rag.schema import Article, Passage
from rag.sentences import sentence_spans
from rag.timewords import DAY, FULL_MONTH, YEAR
from rag.words import MONTHS, NUMBER_WORDS, STOP_WORDS, content_stems, names, stem, tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_PAGE = 500  # articles read at once
_LOOKED_AT = 40  # passages searched for another answer
_KNOWN_BY = 300  # passages that may name somebody whose age no article is to tell

# -- words and patterns --------------------------------------------------------------------------

_CAP = r"(?:[^\W\d_a-z](?:[\w-]|[’'](?=[A-Z]))*\w(?:[’']s?(?= [A-Z]))?)"
_NAME = rf"{_CAP}(?: (?:(?:of|of the|for|and|&|de|van|von|al) )?{_CAP})*"
_PERSON = rf"(?:{_CAP}|[A-Z]\.)(?: (?:{_CAP}|[A-Z]\.|de|van|von|al|bin|da|del|la))*? {_CAP}(?! [A-Z])"
_ROLE = (
    r"(?:(?:chief|managing|executive|prime|national|artistic|technical|sporting|general) )*"
    r"(?:executive|mayor|minister|leader|head|director|chairman|chairwoman|chairperson|president|engineer|owner|founder"
    r"|manager|governor|coach|captain|conductor|architect|author|rector|principal|commissioner|archbishop|bishop|head)"
)
_OF = rf"(?:of|at|for) (?:the )?(?:[a-z]+ ){{0,2}}?{_NAME}(?: in {_NAME})?"
_MONTH = "(?:" + "|".join(month.capitalize() for month in MONTHS) + ")"
_DATE = rf"(?:\d{{1,2}} {_MONTH} {YEAR}|{_MONTH} \d{{1,2}},? {YEAR}|{_MONTH} {YEAR}|{YEAR})"
_WORDS = "|".join(word for word, value in NUMBER_WORDS.items() if value > 1)
_COUNT = rf"(?:\d[\d,]*(?:\.\d+)?(?: (?:hundred|thousand|million|billion))?|(?:{_WORDS})(?:-\w+)?)(?![\w.,%-])"
_MONEY = rf"(?:[€$£]\s?\d[\d,]*(?:\.\d+)?(?:bn|m|k| (?:thousand|million|billion|trillion))?|{_COUNT} (?:crowns|dollars|euros|pounds|marks|francs|yen))"
_BOUND = (
    r"(?:(?:about|around|some|nearly|almost|more than|over|at least|fewer than|approximately|roughly|an estimated|only"
    r"|just|a total of|in all,|altogether,) )*"
)
_PLURAL = r"(?:people|men|women|children|[a-z-]{3,}s)"
_TELLING = 5  # stems: "How many victims were from Scotland?" could be asked of any event
_STANDS = ("live", "work", "need", "suffer")
_TIME_NOUN = re.compile(r"(?:seconds|minutes|hours|days|weeks|months|years|decades|centuries|times)\b")
_TITLES = (
    "Dr|Mr|Mrs|Ms|Sir|Dame|Lord|Lady|Judge|Justice|Captain|Superintendent|Inspector|Sergeant|Colonel|General|Mayor"
    "|President|Senator|Governor|Professor|King|Queen|Prince|Princess|Minister|Secretary|Chancellor|Ambassador|Bishop"
    "|Archbishop|Pope|Commissioner|Chairman|Chairwoman|Officer|CEO|Coach|Rep|Sen|Gov|Prof"
)
_PROFESSION = (
    "chemist|historian|violinist|cellist|pianist|critic|lawyer|barrister|solicitor|painter|nephrologist|singer|soprano|tenor"
    "|poet|novelist|engineer|economist|architect|composer|teacher|farmer|nurse|vet|dentist|biologist|physicist|geologist"
    "|seismologist|photographer|sculptor|actor|actress|journalist|comedian|botanist|astronomer|mathematician|psychologist"
    "|surgeon|doctor|midwife|fisherman|glassmaker|gardener|baker|philosopher|sociologist|meteorologist|electrician|plumber"
)
_TITLED = re.compile(rf"^(?:.*\b)?(?:{_TITLES})\.? (?=\S)")
_SAID = r"(?:said|says|warned|argued|claimed|added|announced|explained|insisted|complained|commented|stated|noted)"
# Base forms; a verb that is not here makes no question with "did".
_REGULAR = (
    "abandon acquire add adopt announce appoint approve arrest arrive ask attack attract award ban+n borrow cancel capture"
    " carry celebrate charge close collapse collect complete convert crash create cross declare defeat deliver demand design"
    " destroy detain die disappear discover dismiss donate double drop+p earn elect employ enter erupt escape establish"
    " evacuate examine exclude expand explode extend file fine finish fire force form found gain halt host impose injure"
    " inspect install introduce invest invite jail join kill land launch lift lower marry merge move name nominate obtain"
    " occur+r open order paint pardon pass place plan+n postpone produce publish purchase raise reach recall receive"
    " recover reduce reject release remove reopen replace report rescue resign restore resume retire return sack save score"
    " seize sentence serve sign stage start stop+p supply suspend train transfer+r treat unveil visit withdraw"
).split()
_IRREGULAR = (
    "bought:buy sold:sell paid:pay won:win lost:lose built:build spent:spend took:take gave:give found:find made:make"
    " held:hold sent:send left:leave began:begin became:become wrote:write drew:draw cut:cut cost:cost beat:beat"
    " lent:lend shot:shoot rose:rise fell:fall met:meet saw:see led:lead ran:run brought:bring caught:catch hit:hit"
    " withdrew:withdraw sank:sink stole:steal flew:fly struck:strike grew:grow"
).split()
_PARTICIPLES = frozenset(
    "built born held sold shot lost hurt made found given taken won written drawn cut set put beaten chosen sent".split()
)
_OF_PEOPLE = frozenset(
    "arrested appointed born died elected injured jailed killed married named released resigned retired sentenced".split()
)
_INTRANSITIVE = frozenset(
    "arrived began closed collapsed crashed died disappeared ended erupted escaped exploded expanded fell finished landed"
    " launched married merged moved opened reopened resigned resumed retired returned rose sank started withdrew".split()
)
_WHOLE = frozenset("collected raised earned lost cost won donated".split())  # with these it need not be told what for
# Of these there is one: "Who founded ...?" has one answer, "Who visited ...?" has not.
_ONE_DID = "founded built wrote designed invented discovered painted composed directed".split()
_ONE_DID_THEN = "won bought declared led defeated beat replaced succeeded launched sold".split()
_LEADS = "leads heads runs chairs owns manages directs coaches edits commands oversees led headed chaired".split()
_AUXILIARY = frozenset("was were is are has have had will would can could did do does may must".split())

_SUBJECT_VERB = re.compile(
    rf"(?P<s>(?:The )?{_NAME}|The (?:{_CAP} )?(?:[a-z-]+ ){{1,2}}{_NAME}|The (?:{_CAP} ){{1,3}}[a-z]+(?: [a-z]+)?"
    rf"|(?:The|A|An) (?:{_CAP} )*(?:[a-z’'-]+ ){{1,3}}(?:of|in|at|on|between|from) (?:the )?{_NAME}(?: and {_NAME})?)"
    r"(?:, [^,“”\"]{3,80},)? (?:(?P<a>has been|have been|had been|has|have|had|will be|will|was|were|is to be|are to be"
    r"|is to|are to) )?(?:also |now )?(?P<v>[a-z]+)(?= )"
)

# A question that holds one of these leans on what stood before it.
_LEANING = re.compile(
    r"\b(?:he|she|it|its|they|their|theirs|them|his|her|hers|him|himself|herself|itself|themselves|this|these|those|we|us"
    r"|our|I|my|me|you|your|here|there|such|latter|former|ones?|same|yesterday|today|tonight|tomorrow|now|currently"
    r"|recently|so far|ago|already|also|too|still|another|others?|later|earlier|then|meanwhile|however|instead|yet|nearby"
    r"|therefore|thus|last|next|past|further|both|either|neither|each|whose|respectively|rest|first draft|afterwards|a week"
    r"|more than|morning|afternoon|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b(?! first)",
    re.IGNORECASE,
)
_NO_YEAR = re.compile(rf"\b{_MONTH}\b(?!,? (?:\d{{1,2}},? )?{YEAR})")
# What there is one of, so that "the" needs no name after it.
_SOLE = frozenset(
    "world public police army navy sea coast border frontier government parliament opposition country state internet press"
    " media end beginning start age number time year years summer winter spring autumn weather".split()
)
_UNFIT = re.compile(r"https?:|www\.|\bImage:|\bPhoto|[|{}<>\[\]]|\bfrom file\b|\b\w+ n[’']t\b| [’'\"“”] |--|\(\(|#|\?|!")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_FIRST_PERSON = re.compile(r"\b(?:I|we|my|our|us|you|your)\b", re.IGNORECASE)
_DATELINE = re.compile(r"[A-Z][A-Z’' ]{2,}(?: \([^)]*\))? [-–—] |[A-Z][a-z]+day, [A-Z][a-z]+ \d{1,2}, \d{4} ")
_CLAUSE = re.compile(
    r"[;:]|, (?!\d{3})| [-–—] |—| and (?=nobody|no one|\w+ (?:is|are|were|was|have|has|had|will)\b)| (?:because|although"
    r"|while|whereas|but|so that|which)\b| (?:since|after|when|as|before|until|where|if) (?:he|she|it|they|his|her|its|their)\b"
)
_PAPER = re.compile(
    r"(?:Courier|Post|Tribune|Times|Review|Journal|Herald|Guardian|Telegraph|Chronicle|Gazette|Mail|Mirror|Star|Sun"
    r"|Observer|Independent|Standard|Globe|Press|Echo|Argus|Age|Verge|Record|Monitor|Bulletin|Examiner|Express|Dispatch"
    r"|Inquirer|Sentinel|Advertiser|Ledger|Messenger|BBC)$"
)
_OPINION = re.compile(r"opinion|comment|letter|editorial|column|satire", re.IGNORECASE)
_DEATHS = re.compile(r"\b(?:died?|dead|deaths?|kill\w*|victims?|stabbed|shot|bod(?:y|ies)|drowned|murder\w*|funeral|late|lost)\b")


@dataclass(frozen=True, slots=True)
class DraftedQuestion:
    """One line of a dataset in the form of `eval.datasets`; answerable if it has answers.

    Attributes:
        answers: Aliases of the one answer, the article's own words first; empty if no article answers.
        evidence: The sentences that answer, from each article where one was found.
        now: The day after the newest article; None if no article has a date.
        tags: The kind, "drafted", "by-rule" or the chat model's name, and "close-miss" if no article answers.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    now: datetime | None
    tags: tuple[str, ...]
    split: Split

    @property
    def line(self) -> dict[str, Any]:  # the JSON object of a line
        """What `json.dumps` makes a line of."""
        return {
            "id": self.id,
            "question": self.question,
            "now": self.now.date().isoformat() if self.now else None,
            "answerable": bool(self.answers),
            "answers": [list(self.answers)] if self.answers else [],
            "evidence": [{"article_id": item.article_id, "quote": item.quote} for item in self.evidence],
            "tags": list(self.tags),
            "split": self.split,
        }


def draft(
    archive: Archive,
    *,
    count: int,
    seed: int = 0,
    model: BaseChatModel | None = None,
    dropped: Counter[str] | None = None,
) -> list[DraftedQuestion]:
    """Draft questions from the archive, spread over outlets, months and articles; the same for the same seed.

    One in five has no answer in the archive, as far as there are such whose facts no article tells. These are made by
    rule, with a chat model too: that nothing answers has to be looked up, not believed.

    Args:
        archive: Retracted articles, teasers, opinion and articles in other languages than English are passed over.
        count: Questions wanted; there are fewer if the archive yields no more.
        seed: Decides where drafting begins.
        model: Asked for questions about parts of articles; without one they are made by patterns.
        dropped: Takes up how many questions and replies of the model were dropped, by reason.

    Raises:
        ValueError: `count` is below 1.
        ChatModelError: The model failed three times before it gave one question.
    """
    if count < 1:
        raise ValueError(f"count is {count}: draft one question or more.")
    drafter = _Drafter(archive, seed)
    source = _by_model(drafter, model, Counter() if dropped is None else dropped) if model else _by_rule(drafter)
    n_open = count // _OPEN_SHARE
    found = list(islice(source, count - n_open))
    found += list(islice(_close_misses(drafter), n_open))
    return found + list(islice(source, count - len(found)))


# -- which articles ------------------------------------------------------------------------------


class _Drafter:
    """What is known while questions are drafted: where to look next, and what has been asked."""

    def __init__(self, archive: Archive, seed: int) -> None:
        self.archive = archive
        newest = archive.status().newest_at
        self.now = (newest + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0) if newest else None
        self.order = _spread(archive, random.Random(seed))
        self._asked: list[tuple[frozenset[str], str]] = []
        self._sentences: set[tuple[str, str]] = set()
        self._names: dict[str, bool] = {}

    def leads(self, article: Article) -> bool:
        """Tell whether an article is the first copy of its report: the others would give the same questions."""
        card = self.archive.stories.cards([article.id]).get(article.id)
        return card is None or card.leads

    def is_name(self, word: str) -> bool:
        """Tell whether articles write a word with a capital inside their sentences, and never without."""
        if word not in self._names:
            texts = [passage.text for passage in _found(self.archive, word)]
            low = any(re.search(rf"\b{re.escape(word.lower())}\b", text) for text in texts)
            self._names[word] = not low and any(re.search(rf"[\w,’'] [“\"]?{re.escape(word)}\b", text) for text in texts)
        return self._names[word]

    def made(self, item: _Candidate, *tags: str) -> DraftedQuestion | None:
        """Return a line, or None if the archive does not bear the question out or it has been asked in other words."""
        checked = _checked(self.archive, item)
        return checked and self._line(checked, tags)

    def open(self, item: _Candidate) -> DraftedQuestion | None:
        """Return a line without an answer, or None if it has been asked."""
        return self._line(item, ("by-rule", "close-miss"))

    def _line(self, item: _Candidate, tags: Sequence[str]) -> DraftedQuestion | None:
        stems, answer = frozenset(content_stems(item.question)), normalise(item.answers[0]) if item.answers else ""
        source = (item.article.id, item.quote)
        for others, other in self._asked:
            if stems == others or (answer == other and len(stems & others) >= _SAME * min(len(stems), len(others))):
                return None
        if item.quote and source in self._sentences:
            return None
        self._asked.append((stems, answer))
        self._sentences.add(source)
        digest = hashlib.sha256(f"{item.article.id}\n{item.question}".encode()).hexdigest()
        card = self.archive.stories.cards([item.article.id]).get(item.article.id)
        story = hashlib.sha256((card.story_id if card else item.article.id).encode()).digest()
        return DraftedQuestion(
            id=f"draft-{digest[:12]}",
            question=item.question,
            answers=item.answers,
            evidence=item.evidence,
            now=self.now,
            tags=(item.kind, "drafted", *tags),
            split="test" if story[0] % 2 else "dev",  # by story: no fact is in both
        )


_OPEN_SHARE = 5
_SAME = 0.5


def _spread(archive: Archive, drawn: random.Random) -> list[str]:
    """Return the ids of the articles to draft from: by turns from each outlet and month."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for offset in range(0, archive.article_count(), _PAGE):
        for article in archive.articles(limit=_PAGE, offset=offset):
            if article.kind != "teaser" and not article.retracted and not _OPINION.search(article.section):
                month = f"{article.published_at:%Y-%m}" if article.published_at else ""
                groups[article.source, month].append(article.id)
    for ids in groups.values():
        drawn.shuffle(ids)
    turns = list(groups.values())
    drawn.shuffle(turns)
    longest = max(map(len, turns), default=0)
    return [ids[place] for place in range(longest) for ids in turns if place < len(ids)]


# -- what the archive says of it ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A question that a sentence suggests.

    Attributes:
        kind: Its first tag.
        core: The question without what pins it to a time or an outlet, and without the question mark.
        pin: What does.
        pinned: Whether it is asked with the pin.
        article: Where it comes from.
        quote: The sentence; "" if no article answers.
        evidence: Further sentences come in as it is checked.
    """

    kind: str
    core: str
    answers: tuple[str, ...]
    article: Article
    quote: str
    pin: str = ""
    pinned: bool = False
    evidence: tuple[Evidence, ...] = ()

    @property
    def question(self) -> str:
        """As it is asked."""
        return f"{self.core}{self.pin if self.pinned else ''}?"


def _checked(archive: Archive, item: _Candidate) -> _Candidate | None:
    """Return the candidate with its evidence, pinned if other articles say otherwise; None if it has two answers."""
    if contains_gold(item.question, [item.answers]) or not contains_gold(item.quote, [item.answers]):
        return None
    wanted = set(content_stems(_QUOTED.sub("", item.core)) or content_stems(item.core))
    evidence = [Evidence(item.article.id, item.quote)]
    for passage in _found(archive, item.core):
        for start, end in sentence_spans(passage.text):
            text = passage.text[start:end]
            if text == item.quote:
                continue
            shared = len(wanted & set(content_stems(text))) / len(wanted)
            if contains_gold(text, [item.answers]):
                if shared >= _SAYS_IT and passage.article_id != item.article.id:
                    evidence.append(Evidence(passage.article_id, text))
            elif shared >= _SPEAKS_OF_IT and _answers(item, text):
                if not item.pin or passage.article_id == item.article.id:
                    return None
                item = replace(item, pinned=True)
    return replace(item, evidence=tuple(dict.fromkeys(evidence)))


_SAYS_IT = 0.85
_SPEAKS_OF_IT = 0.7


def _found(archive: Archive, words: str) -> list[Passage]:
    ids = [id_ for id_, _ in archive.search_text(words, limit=_LOOKED_AT)]
    passages = archive.passages(ids)
    return [passages[id_] for id_ in ids if id_ in passages]


def _answers(item: _Candidate, text: str) -> bool:
    """Tell whether a sentence that speaks of the same may hold another answer."""
    if item.kind in ("how many", "how much", "how old"):
        return bool(figures(text))
    if item.kind == "when":
        return bool(days(text)) or re.search(YEAR, text) is not None
    known = set(tokens(item.core))
    return item.kind in ("who", "where", "what") and any(set(tokens(name)) - known for name in names(text))


# -- by rule ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that patterns may read.

    Attributes:
        quote: As it stands in the article.
        text: Without dateline, relative words for time replaced by what they mean.
        dates: The article's words for each date that was put in.
        is_name: Tells whether a word that opens the sentence is a name.
    """

    article: Article
    quote: str
    text: str
    dates: Mapping[str, str]
    is_name: Callable[[str], bool]

    @property
    def month(self) -> str:
        """When the article came out, as in "May 2025"; "" if unknown."""
        return f"{self.article.published_at:%B %Y}" if self.article.published_at else ""

    @property
    def present(self) -> bool:
        """Whether the sentence speaks of the time when the article came out, which is known: it names no other year."""
        years = re.findall(rf"\b{YEAR}", self.text)
        return bool(self.month) and all(year == self.month[-4:] for year in years)

    def candidate(self, kind: str, core: str, *answers: str, pin: str = "", pinned: bool = False) -> _Candidate:
        """Return a question that this sentence answers."""
        aliases = tuple(dict.fromkeys(answer for answer in answers if answer))
        return _Candidate(kind, core, aliases, self.article, self.quote, pin, pinned)


def _by_rule(drafter: _Drafter) -> Iterator[DraftedQuestion]:
    """Yield a question from each article, then a second from each; the kind that is rarest so far first."""
    used: Counter[str] = Counter()
    waiting: dict[str, list[tuple[str, _Candidate]]] = {}
    order = drafter.order
    while order:
        left = []
        for id_ in order:
            if id_ not in waiting:
                waiting[id_] = _suggested(drafter, id_)
            found = waiting[id_]
            while found:
                found.sort(key=lambda pair: used[pair[0]])
                rule, item = found.pop(0)
                question = drafter.made(item, "by-rule")
                if question:
                    used[rule] += 1
                    yield question
                    break
            if found:
                left.append(id_)
        order = left


def _suggested(drafter: _Drafter, article_id: str) -> list[tuple[str, _Candidate]]:
    article = drafter.archive.article(article_id)
    if article.language != "en" or not drafter.leads(article):
        return []
    return [
        (name, item)
        for sentence in _sentences(article, drafter.is_name)
        for name, rule in _RULES.items()
        for item in rule(sentence)
        if _stands_alone(item)
    ]


def _sentences(article: Article, is_name: Callable[[str], bool]) -> Iterator[_Sentence]:
    instructed = instructed_spans(article.text)
    for start, end in sentence_spans(article.text):
        quote = article.text[start:end]
        bare = _QUOTED.sub("“”", quote)
        if (
            touches((start, end), instructed)
            or not 25 <= len(quote) <= 450
            or quote[-1] not in ".”\""
            or quote.count('"') % 2
            or quote.count("“") != quote.count("”")
            or _UNFIT.search(bare)
            or _FIRST_PERSON.search(bare)
        ):
            continue
        text, dates = _dated(_DATELINE.sub("", quote, count=1) if _DATELINE.match(quote) else quote, article)
        yield _Sentence(article, quote, text, dates, is_name)


def _dated(text: str, article: Article) -> tuple[str, dict[str, str]]:
    """Put days, months and years for relative words where they mean one; "last week" stays as it is."""
    dates: dict[str, str] = {}
    for anchor in reversed(anchors(text, article.published_at)):
        before, after, means = text[: anchor.start], text[anchor.end :], anchor.means
        first = anchor.words.split()[0].lower()
        if not re.fullmatch(_DATE, means) or first in ("early", "late", "mid") or re.match(r"[’'-]| of ", after):
            continue
        words = anchor.words
        if re.search(r"\d", words) and _far(means, article):
            continue
        part = re.match(r" (morning|afternoon|evening|night)\b", after)
        if part:
            if not before.endswith("on "):
                continue
            after, words = after[part.end() :], words + part.group()
            put = f"the {part[1]} of {means}"
        elif first in ("in", "since"):
            put = f"{first} {means}"
        elif re.search(r"\b(?:on|in|since|until|by|of|from|before|after|for|to|and) $", before, re.IGNORECASE) or re.search(r"\d", words):
            put = means
        else:
            put = f"{'on' if re.match(r'[0-9]{1,2} ', means) else 'in'} {means}"
        dates[means] = words
        text = before + (put if before else put[0].upper() + put[1:]) + after
    return text, dates


def _far(means: str, article: Article) -> bool:
    """Tell whether a day without its year is so far from the publication that the year was guessed."""
    day = days(means)[0]
    if not (day.day and day.year and article.published_at):
        return True
    return abs(datetime(day.year, day.month, day.day, tzinfo=UTC) - article.published_at) > _NEAR


_NEAR = timedelta(days=60)


def _stands_alone(item: _Candidate) -> bool:
    """Tell whether a question can be understood without its article: named, dated, and leaning on nothing before it."""
    core = _QUOTED.sub("“”", item.core)
    bare = core.replace(" their ", " ") if item.kind == "how many" else core
    if _LEANING.search(bare) or _NO_YEAR.search(bare) or len(core.split()) > 32:
        return False
    for found in re.finditer(r"\b[Tt]he ", bare):
        after = bare[found.end() :].split()[:6]
        if not any(word[0].isupper() or word[0].isdigit() for word in after) and after[0].strip(",") not in _SOLE:
            return False
    return core != item.core or bool(names(bare.split(" ", 1)[1]))


def _ages(of: _Sentence) -> Iterator[_Candidate]:
    if not of.present or _DEATHS.search(of.text):
        return
    patterns = (
        rf"(?P<n>{_PERSON}), (?:aged )?(?P<a>[1-9]\d)(?=[,;.])",
        rf"(?P<n>{_PERSON}), an? (?P<a>[1-9]\d)-year-old\b",
        rf"(?P<a>[1-9]\d)-year-old (?P<n>{_PERSON})",
    )
    for pattern in patterns:
        for found in re.finditer(pattern, of.text):
            name = _untitled(found["n"])
            if " " in name and not _OPENER.match(name) and not of.text[: found.start()].endswith("the "):
                yield of.candidate("how old", f"How old was {name}", found["a"], pin=f" in {of.month}", pinned=True)


def _professions(of: _Sentence) -> Iterator[_Candidate]:
    patterns = (
        rf"(?P<n>{_PERSON}),(?: \d\d,)? an? (?:\d\d-year-old )?(?P<p>(?:[a-z]+ )??(?:{_PROFESSION}))(?=[,.]| (?:of|at|in|from|who|whose)\b)",
        rf"\b[Tt]he (?P<p>(?:{_PROFESSION})) (?P<n>{_PERSON})",
    )
    if _DEATHS.search(of.text) or not of.present:
        return
    for pattern in patterns:
        for found in re.finditer(pattern, of.text):
            if not _OPENER.match(found["n"]) and not re.match(r"(?:retired|former|late|young|leading)\b", found["p"]):
                last = found["p"].split()[-1]
                yield of.candidate("what", f"What is the profession of {_untitled(found['n'])}", found["p"], last)


def _posts(of: _Sentence) -> Iterator[_Candidate]:
    kinds = "prime|foreign|interior|home|health|education|finance|defence|defense|justice|environment|transport|agriculture|culture"
    patterns = (
        rf"\b(?P<p>(?i:{kinds}) (?i:minister)) (?P<n>{_PERSON})",
        rf"(?P<n>{_PERSON}), the (?P<p>(?:{kinds}) minister)(?=[,.])",
        rf"\b[Tt]he (?P<p>(?:{kinds}) minister), (?P<n>{_PERSON})(?=[,.])",
    )
    for pattern in patterns:
        for found in re.finditer(pattern, of.text):
            if of.present and not re.search(r"\b(?:former|then|late|ex|future|next|first)[ -]$", of.text[: found.start()]):
                core = f"What office did {_untitled(found['n'])} hold"
                yield of.candidate("what", core, found["p"], pin=f" in {of.month}", pinned=True)


def _offices(of: _Sentence) -> Iterator[_Candidate]:
    text = of.text
    patterns = (
        rf"(?P<n>{_PERSON}),(?: \d\d,)? (?:the )?(?P<r>{_ROLE} {_OF})(?=[,.;])",
        rf"\b[Tt]he (?P<r>{_ROLE} {_OF}), (?P<n>{_PERSON})(?=[,.;])",
        rf"(?P<o>(?:[Tt]he )?{_NAME})[’']s (?P<r>{_ROLE}),? (?P<n>{_PERSON})",
    )
    for pattern in patterns:
        for found in re.finditer(pattern, text):
            name, owner = _untitled(found["n"]), found.groupdict().get("o")
            whose = _longer(owner, of.article) if owner else ""
            role = f"{_the(whose)}’s {found['r']}" if owner else f"the {found['r']}"
            if _OPENER.match(name) or (owner and not whose) or (owner and _OPENER.match(owner.removeprefix("The ").removeprefix("the "))):
                continue
            lasting = re.search(r"\b(?:author|founder|architect)\b", found["r"]) is not None
            if lasting or of.present:
                core, pin = f"Who {'is' if lasting else 'was'} {role}", "" if lasting else f" in {of.month}"
                yield of.candidate("who", core, *_aliases(found["n"], of.article), pin=pin, pinned=True)


def _heads(of: _Sentence) -> Iterator[_Candidate]:
    for found in re.finditer(rf"(?P<n>{_PERSON}), who (?P<v>\w+) (?P<o>[^“”\"]+)", of.text):
        if found["v"] in _LEADS or found["v"] in _ONE_DID:
            core = f"Who {found['v']} {_clause(found['o'])}"
            yield of.candidate("who", core, *_aliases(found["n"], of.article))
    found = re.match(rf"(?P<n>{_PERSON}) (?P<v>will be|is|was) the (?P<r>(?:next |first )?{_ROLE} {_OF})(?=[,.;])", of.text)
    if found and not _OPENER.match(found["n"]):
        core = f"Who {found['v']} the {found['r'].removeprefix('next ')}"
        yield of.candidate("who", core, *_aliases(found["n"], of.article))


def _doers(of: _Sentence) -> Iterator[_Candidate]:
    found = re.match(rf"(?P<n>(?:The )?{_NAME})(?: has)? (?P<v>\w+) (?P<o>[^“”\"]+)", of.text)
    if not found or not _proper(found["n"], of) or found["v"] not in _ONE_DID + _ONE_DID_THEN:
        return
    core = f"Who {found['v']} {_clause(found['o'])}"
    if found["v"] in _ONE_DID or re.search(YEAR, core):
        yield of.candidate("who", core, *_aliases(found["n"], of.article))


def _counts(of: _Sentence) -> Iterator[_Candidate]:
    found = re.match(rf"(?:{_BOUND})(?P<n>{_COUNT}) (?P<o>[a-z][^“”\"]*)", of.text, re.IGNORECASE)
    if not found or not found["o"][0].islower() or _TIME_NOUN.match(found["o"]):
        return
    said = _clause(re.sub(r", aged [^,]+,", "", found["o"]))
    verb = _FINITE.search(said)
    if not verb or not re.match(rf"(?:[a-z-]+ ){{0,2}}{_PLURAL}(?: (?:in|of|from|at|on|with) .*)? $", said[: verb.start()]):
        return
    if re.search(r"\band\b|, ", said[: verb.start()]) or re.search(rf"\band (?:{_WORDS}|\d)", said):
        return
    plain = said[verb.start() :]
    past = re.sub(r"^(have|are)\b", lambda word: {"have": "had", "are": "were"}[word[0]], plain)
    core = f"How many {said[: verb.start()]}{past}"
    dated = re.search(YEAR, core) or verb[0] in _STANDS
    if len(content_stems(core)) >= _TELLING:
        yield of.candidate("how many", core, *_numbers(found["n"]), pin=_source(of), pinned=not dated)


def _shares(of: _Sentence) -> Iterator[_Candidate]:
    found = re.match(rf"(?P<b>{_BOUND})(?P<n>\d[\d.]*(?: ?%| per cent| percent)) of (?P<o>[^“”\"]*)", of.text, re.IGNORECASE)
    if found:
        core = f"What percentage of {_clause(found['o'])}"
        yield of.candidate("how many", core, found["n"], *_percents(found["n"]), pin=_source(of))


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence as subject, verb and the rest; the subject as inside a sentence."""

    subject: str
    auxiliary: str
    verb: str
    rest: str

    @property
    def asked(self) -> str:
        """Subject and verb as they follow a question word: "did Velmark send"."""
        if self.auxiliary in ("", "had") and self.verb in _PAST:
            return f"did {self.subject} {_PAST[self.verb]}"
        first, _, second = self.auxiliary.partition(" ")
        return " ".join(part for part in (first, self.subject, second, self.verb) if part)


def _said(text: str, of: _Sentence) -> _Said | None:
    """Take a sentence apart; None where subject or verb is not surely known."""
    found = _SUBJECT_VERB.match(text)
    if not found:
        return None
    subject, auxiliary, verb = found["s"], found["a"] or "", found["v"]
    takes_base = auxiliary in ("will", "is to", "are to")
    known = verb in _BASES if takes_base else verb in _PAST or (auxiliary and verb in _PARTICIPLES)
    plain = [word for word in subject.split()[1:] if word.islower()]
    if not known or set(plain) & (_AUXILIARY | _PAST.keys()) or not (plain or _proper(subject, of)):
        return None
    whole = _longer(subject, of.article)
    if " " not in whole.removeprefix("The ") and verb in _OF_PEOPLE:
        return None  # a surname alone
    return _Said(_the(whole), auxiliary, verb, text[found.end() :]) if whole else None


def _amounts(of: _Sentence) -> Iterator[_Candidate]:
    said = _said(of.text, of)
    if not said:
        return
    whom = re.match(r" (?:the \w+|[A-Z][\w’-]+)(?= )", said.rest)
    rest = said.rest[whom.end() :] if whom and re.match(rf" {_BOUND}{_MONEY}", said.rest[whom.end() :]) else said.rest
    to_whom = said.rest[: len(said.rest) - len(rest)]
    money = re.match(rf" {_BOUND}(?P<n>{_MONEY})(?P<o>[^“”\"]*)", rest)
    after = _clause(money["o"]) if money else ""
    if money and (to_whom or said.verb in _WHOLE or re.search(r"\b(?:for|to|towards) ", after)):
        core = f"How much {said.asked}{to_whom}{after}"
        yield of.candidate("how much", core, *_money(money["n"]), pin=_source(of), pinned=not re.search(YEAR, core))
    count = None if money else re.match(rf" {_BOUND}(?P<n>{_COUNT}) (?P<o>[a-z][^“”\"]*)", rest)
    if count:
        things, after = _things(_clause(count["o"]))
        if things and not _TIME_NOUN.search(things):
            core = f"How many {things} {said.asked}{after}"
            yield of.candidate("how many", core, *_numbers(count["n"]), pin=_source(of), pinned=not re.search(YEAR, core))
    change = re.match(r" by (?P<n>\d[\d.]*(?: ?%| per cent| percent))(?P<o>[^“”\"]*)", rest)
    if change:
        core = f"By what percentage {said.asked}{_clause(change['o'])}"
        yield of.candidate("how much", core, *_percents(change["n"]), pin=_source(of), pinned=True)


def _measured(of: _Sentence) -> Iterator[_Candidate]:
    said = _said(of.text, of)
    found = said and re.match(rf"(?P<o>[^,;“”\"]*?) (?P<p>with|by|after|for|from) {_BOUND}(?P<n>{_COUNT}) (?P<t>[a-z]+s|people)(?=[,.])", said.rest)
    if said and found and not re.search(YEAR, found["o"]):
        core = f"{found['p'].capitalize()} how many {found['t']} {said.asked}{found['o']}"
        yield of.candidate("how many", core, *_numbers(found["n"]), pin=_source(of), pinned=not re.search(YEAR, core))
    found = re.match(rf"(?P<s>(?:The )?{_NAME}) (?P<v>is|was) {_BOUND}(?P<n>(?:{_COUNT}) [a-z]+) (?P<a>long|high|tall|deep|wide|old)(?=[,. ])", of.text)
    if found and _proper(found["s"], of):
        number = found["n"].split()[0]
        yield of.candidate("how much", f"How {found['a']} {found['v']} {_the(found['s'])}", found["n"], *_numbers(number)[1:])


def _agents(of: _Sentence) -> Iterator[_Candidate]:
    said = _said(of.text, of)
    found = said and re.match(rf"(?P<o>[^,;“”\"]*?) by (?:the )?(?:[a-z]+ ){{0,2}}?(?P<n>{_PERSON})(?=[,.]| (?:in|on|at|after|for)\b)", said.rest)
    if said and found and said.auxiliary in ("was", "were", "has been", "have been"):
        yield of.candidate("who", f"Who {said.asked}{found['o']} by", *_aliases(found["n"], of.article))


def _places(of: _Sentence) -> Iterator[_Candidate]:
    found = re.search(rf"(?P<n>{_PERSON}|(?<!, ){_CAP})(?:, who)? was born in (?P<p>[^,.;“”\"]*?(?P<c>{_NAME}))(?=[,.;]| (?:and|but|in)\b)", of.text)
    whole = _longer(found["n"], of.article) if found else ""
    if found and " " in whole and not _OPENER.match(whole):
        yield of.candidate("where", f"Where was {_untitled(whole)} born", found["p"], found["c"])
    said = _said(of.text, of)
    held = said and re.match(rf" (?:in|at) (?P<p>(?:the )?{_NAME}(?: in {_NAME})?)(?=[,.])", said.rest)
    if said and held and said.verb in ("held", "based", "located", "buried", "headquartered"):
        yield of.candidate("where", f"Where {said.asked}", held["p"], held["p"].split(" in ")[0].removeprefix("the "))


def _things(said: str) -> tuple[str, str]:
    """Split "rescue workers from Karsk" before its first preposition; ("", "") if something else follows the noun."""
    found = re.match(rf"((?:[a-z-]+ )??(?:[a-z-]+ )??{_PLURAL})(?P<o>$| (?:in|on|at|from|to|for|with|of|by|after|under) .+| and .+)", said)
    if not found or set(found[1].split()) & (_AUXILIARY | STOP_WORDS):
        return "", ""
    return found[1], "" if found["o"].startswith(" and ") else found["o"]


def _times(of: _Sentence) -> Iterator[_Candidate]:
    begins = re.match(rf"(?:On|In) (?P<d>{_DATE}),? (?=[A-Z]|the )", of.text)
    text = of.text[begins.end() :] if begins else of.text
    said = _said(text[0].upper() + text[1:], of)
    if not said:
        return
    if begins:
        date, rest = begins["d"], _clause(said.rest)
    else:
        found = re.match(rf"(?P<o>[^,;:“”\"]*?),? (?:on|in|from) (?P<d>{_DATE})(?P<t>[^“”\"]*)", said.rest)
        if not found:
            return
        tail = _clause(found["t"])
        if re.match(r" (?:to|that|whether|if|how|why)\b|[^ ]", tail):
            return
        date, rest = found["d"], found["o"] + (tail if re.match(r" (?:for|in the|at the)\b", tail) else "")
    rest = re.sub(r" (?:at|shortly (?:before|after)) [\d.:]+ ?[ap]\.?m\.?|(?: back| early| late| \w+ly)*$", "", rest)
    words = rest.split()
    active = said.auxiliary in ("", "has", "have", "had")
    if (
        (active and not words and said.verb not in _INTRANSITIVE)
        or rest.startswith(" and ")
        or (words and (words[-1] in _PAST or words[-1] in _PARTICIPLES))
        or any(second in _PAST for first, second in pairwise(words) if first == "and")
    ):
        return
    if not re.search(YEAR, rest) and (" for " in rest or not re.search(_MONEY, rest)):
        yield of.candidate("when", f"When {said.asked}{rest}", *_date_aliases(date, of.dates))


def _quotations(of: _Sentence) -> Iterator[_Candidate]:
    patterns = (
        rf"^[“\"](?P<q>[^“”\"]+)[”\"],? {_SAID} (?P<n>{_PERSON})(?=[,.]| (?:of|in|on|at|after|told)\b)",
        rf"^[“\"](?P<q>[^“”\"]+)[”\"],? (?P<n>{_PERSON}) (?:{_SAID}|told)\b",
        rf"(?P<n>{_PERSON}),? (?:said|commented|remarked|added|explained)[:,] [“\"](?P<q>[^“”\"]+)[”\"]\.?$",
    )
    for pattern in patterns:
        found = re.search(pattern, of.quote)
        if not found or _OPENER.match(found["n"]) or _NO_PERSON.search(found["n"]):
            continue
        words = found["q"].strip().rstrip(",.")
        if not 7 <= len(words.split()) <= 32 or len(content_stems(words)) < 4 or re.search(r"[…\[(]", words):
            continue
        if re.match(r"(?:He|She|They|It|That|This|These|Those)\b", words):
            continue
        outlet = _outlet(of.article.source)
        by = f"Who was quoted by {outlet} in {of.month} as saying" if outlet and of.month else "Who said"
        yield of.candidate("who", f"{by} “{words}”", *_aliases(found["n"], of.article))


def _superlatives(of: _Sentence) -> Iterator[_Candidate]:
    found = re.search(
        rf"(?P<n>{_NAME}), the (?P<r>(?:\w+est|most \w+) (?:[\w-]+ ){{1,4}}(?:in|of|on) (?:the )?{_NAME})(?=[,.;])", of.text
    )
    if found and _proper(found["n"], of):
        person = re.search(rf"{re.escape(found['n'])}, (?:\d\d,|who)", of.article.text)
        yield of.candidate("who" if person else "what", f"{'Who' if person else 'What'} is the {found['r']}", found["n"])


_RULES = {
    "age": _ages,
    "profession": _professions,
    "post": _posts,
    "office": _offices,
    "head": _heads,
    "doer": _doers,
    "count": _counts,
    "share": _shares,
    "amount": _amounts,
    "date": _times,
    "measure": _measured,
    "agent": _agents,
    "place": _places,
    "quotation": _quotations,
    "superlative": _superlatives,
}


# -- pieces of questions ---------------------------------------------------------------------------


def _past(base: str) -> str:
    base, _, doubled = base.partition("+")
    if doubled:
        return f"{base}{doubled}ed"
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if base.endswith("y") and base[-2] not in "aeiou" else base + "ed"


_PAST = {_past(base): base.partition("+")[0] for base in _REGULAR} | dict(pair.split(":") for pair in _IRREGULAR)
_BASES = frozenset(_PAST.values())
_FINITE = re.compile(r"\b(?:" + "|".join([*sorted(_AUXILIARY), *_PAST, *_STANDS]) + r")\b")
_OPENER = re.compile(
    r"(?:The|A|An|In|On|At|By|For|From|But|And|As|After|Before|When|While|If|It|He|She|They|We|I|This|That|These|Those"
    r"|Then|There|His|Her|Its|Their|Our|My|One|Two|Three|Both|All|Some|Most|Many|Nobody|No|Not|Only|Even|Under|Since"
    r"|Until|About|According|Asked|Last|Next|" + _MONTH + r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)


def _clause(words: str) -> str:
    """Return the words up to the first border of a clause."""
    return _CLAUSE.split(words, maxsplit=1)[0].rstrip(" .,")


def _the(name: str) -> str:
    return re.sub(r"^(?:The|A|An) ", lambda article: article[0].lower(), name)


def _untitled(name: str) -> str:
    return _TITLED.sub("", name)


def _proper(name: str, of: _Sentence) -> bool:
    """Tell whether words that open a sentence are a name."""
    bare = name.removeprefix("The ")
    if _OPENER.match(bare) or bare.lower() in STOP_WORDS:
        return False
    return " " in bare or of.is_name(bare)


def _longer(name: str, article: Article) -> str:
    """Return the one longer name of the article that ends in this one ("Port Selwyn Athletic"), the name if there is
    none, and "" if there are several."""
    bare = name.removeprefix("The ").removeprefix("the ")
    if " " in bare:
        return name
    longer = {found for found in re.findall(rf"{_NAME}", article.text) if found.endswith(f" {bare}") and not _OPENER.match(found)}
    return "" if len(longer) > 1 else next(iter(longer), name)


def _aliases(name: str, article: Article) -> tuple[str, ...]:
    """Return a person's name in full, without title, and the surname unless somebody else in the article bears it."""
    bare = _untitled(name)
    last = bare.split()[-1]
    full = [found for found in re.findall(_PERSON, article.text) if found.endswith(f" {last}")]
    bearers = {_untitled(found) for found in full}
    if bare == last and len(bearers) == 1:
        return (name, *bearers, last)
    return (name, bare, *([last] if len(bearers | {bare}) == 1 else []))


def _numbers(words: str) -> tuple[str, ...]:
    """Return a count in digits and, below a hundred, in words."""
    low = words.lower()
    spelt = {word: value for word, value in NUMBER_WORDS.items()}
    if low in spelt:
        return words, str(spelt[low])
    tens, _, unit = low.partition("-")
    if tens in spelt and unit in spelt:
        return words, str(spelt[tens] + spelt[unit])
    return (words, *(word for word, value in spelt.items() if str(value) == low))


def _percents(words: str) -> tuple[str, ...]:
    number = re.match(r"[\d.]+", words)
    return tuple(f"{number.group()}{unit}" for unit in ("%", " per cent", " percent")) if number else ()


def _money(words: str) -> tuple[str, ...]:
    return words, re.sub(r" (?:crowns|dollars|euros|pounds|marks|francs|yen)$", "", words)


def _date_aliases(date: str, dates: Mapping[str, str]) -> tuple[str, ...]:
    found = days(date)
    if not found or not found[0].day:
        return dates.get(date, date), date
    month = MONTHS[found[0].month - 1].capitalize()
    return dates.get(date, date), f"{found[0].day} {month}", f"{month} {found[0].day}"


def _outlet(source: str) -> str:
    if source.startswith("The "):
        return f"the {source[4:]}"
    return f"the {source}" if _PAPER.search(source) else source


def _source(of: _Sentence) -> str:
    """Return where and when it was reported, to pin a figure that others give otherwise."""
    when = of.article.published_at
    outlet = _outlet(of.article.source)
    if outlet and when:
        return f", according to {outlet} on {when.day} {when:%B %Y}"
    return f", as reported on {when.day} {when:%B %Y}" if when else f", according to {outlet}" if outlet else ""


# -- questions that no article answers ---------------------------------------------------------------

_AGE_TOLD = re.compile(
    r"-year-old|\baged?\b|\byears? old\b|\bborn\b|\bbirthday|[,(] ?\d{1,3}[,.;)]|\bturn(?:s|ed|ing) \d|\b(?:of|at) \d{1,2}\b"
    r"|\bin (?:his|her|their) (?:early |mid-|late )?(?:teens|\w+ties)\b|\b\d{4}[-–]\d{4}\b"
)
_BIRTH_TOLD = re.compile(
    r"\bborn\b|\bbirth|\bnative|\bgr[eo]w(?:n|ing)? up\b|\braised\b|\bhome ?town|\bhails?\b|\bchildhood\b|\bcomes? from\b"
    r"|\bcame from\b|\boriginally\b|\broots\b|\b(?:son|daughter) of\b"
)
_STUDY_TOLD = re.compile(
    r"\buniversit|\bcollege|\bstud(?:y|ie|ent)|\bgraduat|\bdegree|\bdoctor|\bDr\b|\bprofessor|\balumn|\bschool|\bacadem|\bPhD\b"
    r"|\beducat|\bMIT\b|\bOxford|\bCambridge|\bHarvard|\bYale|\bscientist|\bresearch",
    re.IGNORECASE,
)
_MARRIAGE_TOLD = re.compile(
    r"\bmarri|\bwife|\bwives|\bhusband|\bspouse|\bpartner|\bwidow|\bdivorc|\bwedding|\bfianc|\bfamil|\bcouple|\bson\b|\bdaughter"
    r"|\bfather|\bmother|\bparents?\b|\bFirst Lady\b",
    re.IGNORECASE,
)
_FOUNDING_TOLD = re.compile(
    r"\bfound|\bestablish|\bset up\b|\bcreat|\blaunch|\bform(?:ed|ation)\b|\bbeg[au]n|\bstarted\b|\bopen(?:ed|ing)\b|\bsince\b"
    r"|\banniversar|\bcentur|\bhistor|\byears\b|\bdat(?:es?|ed|ing)\b|\b(?:1[5-9]|20)\d\d\b|\bnew\b"
)
_HEAD_TOLD = re.compile(
    r"\bdirector|\bchief\b|\bhead|\bl[ae]+d(?:s|er|ers|ing)?\b|\bpresident|\bchair|\bmanage|\bexecutive|\bboss|\bowner|\bruns?\b"
    r"|\bCEO\b|\bgovernor|\bprincipal\b|\bin charge\b|\bcurator"
)
_BODY = re.compile(rf"\b(?:the|The|at) ((?:{_CAP} )+(?:Institute|Museum|Observatory|Hospital|Foundation|Bureau|Trust|Laboratory))\b")
_SPEAKER = re.compile(
    rf"(?:said|says|added) (?P<a>{_PERSON})(?=, (?:who|an?|the|of|chief|head)\b)|(?<!\bof )(?<!\bthe )(?<!\bfor )(?P<b>{_PERSON}), (?:who|the (?:[a-z]+ )?{_ROLE})\b"
    rf"|\b(?:Mr|Mrs|Ms|Dr|Judge|Captain|Mayor|Senator|Professor|Minister) (?P<c>{_PERSON})"
)
_NO_PERSON = re.compile(
    r"\b(?:Party|Company|University|Institute|Union|Bank|Group|Club|Court|Council|Association|Society|Church|Museum|School"
    r"|Hospital|Times|Post|News|Wire|Bureau|Office|Agency|Board|League|Federation|Ministry|Department|Police|Railways|Airways"
    r"|Service|Services|Foundation|Fund|Trust|Committee|Commission|Army|Navy|Force|House|Army|Spokes\w+|Officials?)\b"
)


def _close_misses(drafter: _Drafter) -> Iterator[DraftedQuestion]:
    """Yield questions in the form of those that have answers, about people and bodies of whom no article tells it."""
    used: Counter[str] = Counter()
    for id_ in drafter.order:
        article = drafter.archive.article(id_)
        if article.language != "en" or not article.published_at or not drafter.leads(article):
            continue
        options = sorted(_untold(article), key=lambda option: used[option[0]])
        for form, name, told, item in options:
            if not _tells(drafter.archive, name, told):
                question = drafter.open(item)
                if question:
                    used[form] += 1
                    yield question
                    break


def _untold(article: Article) -> Iterator[tuple[str, str, re.Pattern[str], _Candidate]]:
    """Yield (form, word that every article about it holds, signs that it is told, question) for what might be untold."""
    when = f"{article.published_at:%B %Y}"
    people = (_untitled(found["a"] or found["b"] or found["c"]) for found in _SPEAKER.finditer(_QUOTED.sub("“”", article.text)))
    for name in dict.fromkeys(people):
        if " " in name and not _OPENER.match(name) and not _NO_PERSON.search(name):
            yield "age", name, _AGE_TOLD, _Candidate("how old", f"How old was {name} in {when}", (), article, "")
            core = f"At which university did {name} study"
            yield "study", name, _STUDY_TOLD, _Candidate("what", core, (), article, "")
            yield "marriage", name, _MARRIAGE_TOLD, _Candidate("who", f"To whom was {name} married in {when}", (), article, "")
            yield "birth", name, _BIRTH_TOLD, _Candidate("where", f"Where was {name} born", (), article, "")
    for body in dict.fromkeys(_BODY.findall(article.text)):
        yield "founding", body, _FOUNDING_TOLD, _Candidate("when", f"When was the {body} founded", (), article, "")
        yield "office", body, _HEAD_TOLD, _Candidate("who", f"Who was the director of the {body} in {when}", (), article, "")


def _tells(archive: Archive, name: str, told: re.Pattern[str]) -> bool:
    """Tell whether any article that may speak of the name may tell it somewhere; also if they are too many to look at.

    People go by their last word, bodies by their first: each article that holds either is read from end to end.
    """
    parts = name.split()
    ids: set[str] = set()
    for word in {parts[0], parts[-1]}:
        hits = archive.search_text(word, limit=_KNOWN_BY)
        if len(hits) == _KNOWN_BY:
            return True
        ids |= {passage.article_id for passage in archive.passages([id_ for id_, _ in hits]).values()}
    of_others = re.compile(rf"(?P<n>{_PERSON}),(?: aged)? [1-9]\d(?=[,.;])")
    for article in map(archive.article, sorted(ids)):
        text = f"{article.title}\n{article.text}"
        bare = of_others.sub(lambda found: found[0] if parts[-1] in found["n"] else found["n"], text)
        if (parts[0] in text or parts[-1] in text) and told.search(bare):
            return True
    return not ids


def _by_model(*a):
    return iter(())
