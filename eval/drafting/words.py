"""Patterns and word lists that drafted questions are made with; pure, English news prose.

What is not listed makes no question: a verb without its base form here is never asked with "did".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.figures import days
from rag.schema import Article
from rag.timewords import YEAR
from rag.words import MONTHS, NUMBER_WORDS

# Bounded: texts come from anywhere, and a name of a thousand words would be tried from each of them.
CAP = r"(?:[^\W\d_a-z](?:[\w-]|[’'](?=[A-Z])){0,30}\w(?:[’']s?(?= [A-Z]))?)"
NAME = rf"{CAP}(?: (?:(?:of|of the|&|de|van|von|al) )?{CAP}){{0,8}}"
PERSON = rf"(?:{CAP}|[A-Z]\.)(?: (?:{CAP}|[A-Z]\.|de|van|von|al|bin|da|del|la)){{0,6}}? {CAP}\b(?! [A-Z])"
ROLE = (
    r"(?:(?:chief|managing|executive|prime|national|artistic|technical|sporting|general) )*"
    r"(?:executive|mayor|minister|leader|head|director|chairman|chairwoman|chairperson|president|engineer|owner|founder"
    r"|manager|governor|coach|captain|conductor|architect|author|rector|principal|commissioner|archbishop|bishop)"
)
OF = rf"(?:of|at|for) (?:the )?(?:[a-z]+ ){{0,2}}?{NAME}(?: in {NAME})?"
MINISTRY = (
    "prime|foreign|interior|home|health|education|finance|defence|defense|justice|environment|transport|agriculture"
    "|culture"
)
PROFESSION = (
    "chemist|historian|violinist|cellist|pianist|critic|lawyer|barrister|solicitor|painter|nephrologist|singer|soprano"
    "|tenor|poet|novelist|engineer|economist|architect|composer|teacher|farmer|nurse|vet|dentist|biologist|physicist"
    "|geologist|seismologist|photographer|sculptor|actor|actress|journalist|comedian|botanist|astronomer|mathematician"
    "|psychologist|surgeon|neurosurgeon|doctor|midwife|fisherman|glassmaker|gardener|baker|philosopher|sociologist"
    "|meteorologist|electrician|plumber"
)
SAID = r"(?:said|says|warned|argued|claimed|added|announced|explained|insisted|complained|commented|stated|noted)"

MONTH = "(?:" + "|".join(month.capitalize() for month in MONTHS) + ")"
DATE = rf"(?:\d{{1,2}} {MONTH} {YEAR}|{MONTH} \d{{1,2}},? {YEAR}|{MONTH} {YEAR}|{YEAR})"
NUMBER = "|".join(word for word, value in NUMBER_WORDS.items() if value > 1)
COUNT = rf"(?:\d[\d,]*(?:\.\d+)?(?: (?:hundred|thousand|million|billion))?|(?:{NUMBER})(?:-\w+)?)(?![\w.,%-])"
_CURRENCY = "(?:crowns|dollars|euros|pounds|marks|francs|yen)"
MONEY = rf"(?:[€$£]\s?\d[\d,]*(?:\.\d+)?(?:bn|m|k| (?:thousand|million|billion|trillion))?|{COUNT} {_CURRENCY})"
PERCENT = r"\d[\d.]*(?: ?%| per cent| percent)"
BOUND = (
    r"(?:(?:about|around|some|nearly|almost|more than|over|at least|fewer than|approximately|roughly|an estimated|only"
    r"|just|a total of|in all,|altogether,) )*"
)
PLURAL = r"(?:people|men|women|children|[a-z-]{3,}s)"
TIME_NOUN = re.compile(r"(?:seconds|minutes|hours|days|weeks|months|years|decades|centuries|times)\b")

# -- verbs ---------------------------------------------------------------------------------------

# Base forms; what stands after a "+" is doubled in the past.
_REGULAR = (
    "abandon acquire add adopt announce appoint approve arrest arrive ask attack attract award ban+n borrow cancel"
    " capture carry celebrate charge close collapse collect complete convert crash create cross declare defeat deliver"
    " demand design destroy detain die disappear discover dismiss donate double drop+p earn elect employ enter erupt"
    " escape establish evacuate examine exclude expand explode extend file fine finish fire force form found gain halt"
    " host impose injure inspect install introduce invest invite jail join kill land launch lift lower marry merge move"
    " name nominate obtain occur+r open order paint pardon pass place plan+n postpone produce publish purchase raise"
    " reach receive recover reduce reject release remove reopen replace report rescue resign restore resume"
    " retire return sack save score seize sentence serve sign stage start stop+p supply suspend train transfer+r treat"
    " unveil visit withdraw"
).split()
_IRREGULAR = (
    "bought:buy sold:sell paid:pay won:win lost:lose built:build spent:spend took:take gave:give found:find"
    " held:hold sent:send left:leave began:begin became:become wrote:write drew:draw cut:cut cost:cost beat:beat"
    " lent:lend shot:shoot rose:rise fell:fall met:meet saw:see led:lead ran:run brought:bring caught:catch hit:hit"
    " withdrew:withdraw sank:sink stole:steal flew:fly struck:strike grew:grow"
).split()


def _past(base: str) -> str:
    base, _, doubled = base.partition("+")
    if doubled:
        return f"{base}{doubled}ed"
    if base.endswith("e"):
        return f"{base}d"
    return f"{base[:-1]}ied" if base.endswith("y") and base[-2] not in "aeiou" else f"{base}ed"


BASE_OF = {_past(base): base.partition("+")[0] for base in _REGULAR} | dict(pair.split(":") for pair in _IRREGULAR)
BASES = frozenset(BASE_OF.values())
PARTICIPLES = frozenset(
    "built born held sold shot lost hurt made found given taken won written drawn cut put beaten chosen sent".split()
)
AUXILIARY = frozenset("was were is are has have had will would can could did do does may must".split())
STANDS = ("live", "work", "need", "suffer")  # so things are, on no day in particular
FINITE = re.compile(r"\b(?:" + "|".join([*sorted(AUXILIARY), *BASE_OF, *STANDS]) + r")\b")
# Said of people: with a surname alone, nobody knows of whom.
OF_PEOPLE = frozenset(
    "appointed arrested born died elected injured jailed joined killed married named released resigned retired"
    " sentenced".split()
)
INTRANSITIVE = frozenset(
    "arrived began closed collapsed crashed died disappeared ended erupted escaped exploded expanded fell finished"
    " landed launched married merged moved opened reopened resigned resumed retired returned rose sank started"
    " withdrew".split()
)
WITHOUT_PURPOSE = frozenset("collected raised earned lost cost won donated".split())  # need not be told what for
# One does these: "Who founded ...?" has one answer, "Who visited ...?" has many. The second need their time.
ONE_DID = frozenset("founded built wrote designed invented discovered painted composed directed".split())
ONE_DID_THEN = frozenset("won bought declared led defeated beat replaced succeeded launched sold".split())
LEADS = frozenset(
    "leads heads runs chairs owns manages directs coaches edits commands oversees led headed chaired".split()
)

# -- borders and signs ---------------------------------------------------------------------------

QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_CLAUSE = re.compile(
    r"[;:]|, (?!\d{3})| [-–—] |—| and (?=nobody|no one|\w+ (?:is|are|were|was|have|has|had|will)\b)"
    r"| (?:because|although|while|whereas|but|so that|which)\b"
    r"| (?:since|after|when|as|before|until|where|if) (?:he|she|it|they|his|her|its|their)\b"
)
OPENER = re.compile(
    r"(?:The|A|An|In|On|At|By|For|From|But|And|As|After|Before|When|While|If|It|He|She|They|We|I|This|That|These|Those"
    r"|Then|There|His|Her|Its|Their|Our|My|One|Two|Three|Both|All|Some|Most|Many|Nobody|No|Not|Only|Even|Under|Since"
    rf"|Until|About|According|Asked|Last|Next|Former|Suddenly|Finally|Recently|Currently|Previously|Only|Backstage|{MONTH}|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)
NO_PERSON = re.compile(
    r"\b(?:Party|Company|University|Institute|Union|Bank|Group|Club|Court|Council|Association|Society|Church|Museum"
    r"|School|Hospital|Times|Post|News|Wire|Bureau|Office|Agency|Board|League|Federation|Ministry|Department|Police"
    r"|Railways|Airways|Services?|Foundation|Fund|Trust|Committee|Commission|Army|Navy|Force|House|Spokes\w+|Officials?"
    r"|Channel|Gazette|Tonight|Web|Executive|Director|Chairman|Leader|Administration|Commander)\b"
)
DEATHS = re.compile(
    r"\b(?:died?|dead|deaths?|kill\w*|victims?|stabbed|shot|bod(?:y|ies)|drowned|murder\w*|funeral|late|lost)\b"
)
_TITLES = (
    "Dr|Mr|Mrs|Ms|Sir|Dame|Lord|Lady|Judge|Justice|Captain|Superintendent|Inspector|Sergeant|Colonel|General|Mayor"
    "|President|Senator|Governor|Professor|King|Queen|Prince|Princess|Minister|Secretary|Chancellor|Ambassador|Bishop"
    "|Archbishop|Pope|Commissioner|Chairman|Chairwoman|Officer|CEO|COO|CFO|CTO|MP|Coach|Rep|Sen|Gov|Prof"
)
_TITLED = re.compile(rf"^(?:.*\b)?(?:{_TITLES}|(?i:{PROFESSION}))\.? (?=\S)|^[A-Z]{{3,}} ")
_PAPER = re.compile(
    r"(?:Courier|Post|Tribune|Times|Review|Journal|Herald|Guardian|Telegraph|Chronicle|Gazette|Mail|Mirror|Star|Sun"
    r"|Observer|Independent|Standard|Globe|Press|Echo|Argus|Age|Verge|Record|Monitor|Bulletin|Examiner|Express|Dispatch"
    r"|Inquirer|Sentinel|Advertiser|Ledger|Messenger|BBC)$"
)


def clause(words: str) -> str:
    """Return the words up to the first border of a clause."""
    return _CLAUSE.split(words, maxsplit=1)[0].rstrip(" .,")


def inside(name: str) -> str:
    """Return words that opened a sentence as they stand inside one: "the Bank of Aldria"."""
    return re.sub(r"^(?:The|A|An) ", lambda article: article[0].lower(), name)


def outlet(source: str) -> str:
    """Return an outlet's name inside a sentence: "the Selwyn Courier", "Wikinews"."""
    if source.startswith("The "):
        return f"the {source[4:]}"
    return f"the {source}" if _PAPER.search(source) else source


def untitled(name: str) -> str:
    """Return a person's name without titles and professions before it."""
    return _TITLED.sub("", name)


def longer(name: str, article: Article) -> str:
    """Return the longer name that ends in this one word ("Port Selwyn Athletic" for "Athletic").

    The name itself if the article has none that is longer, "" if it has several.
    """
    bare = name.removeprefix("The ").removeprefix("the ")
    if " " in bare:
        return name
    ends = {found for found in re.findall(NAME, article.text) if found.endswith(f" {bare}") and not OPENER.match(found)}
    return "" if len(ends) > 1 else next(iter(ends), name)


# -- what counts as the answer -------------------------------------------------------------------


def name_aliases(name: str, article: Article) -> tuple[str, ...]:
    """Return a person's name, the same without titles, and the surname unless others in the article bear it."""
    bare = untitled(name)
    last = bare.split()[-1]
    bearers = {untitled(found) for found in re.findall(PERSON, article.text) if found.endswith(f" {last}")}
    if bare == last and len(bearers) == 1:
        return (name, *bearers, last)
    return (name, bare, *([last] if len(bearers | {bare}) == 1 else []))


def count_aliases(words: str) -> tuple[str, ...]:
    """Return a count as written and, below a hundred, in digits or words."""
    low = words.lower()
    tens, _, unit = low.partition("-")
    if tens in NUMBER_WORDS:
        return words, str(NUMBER_WORDS[tens] + NUMBER_WORDS.get(unit, 0))
    return (words, *(word for word, value in NUMBER_WORDS.items() if str(value) == low))


def percent_aliases(words: str) -> tuple[str, ...]:
    """Return a percentage in the usual spellings."""
    number = words.split()[0].rstrip("%")
    return tuple(f"{number}{unit}" for unit in ("%", " per cent", " percent"))


def money_aliases(words: str) -> tuple[str, ...]:
    """Return a sum with its currency, and without if that is a word."""
    return words, re.sub(rf" {_CURRENCY}$", "", words)


def date_aliases(date: str, words: Mapping[str, str]) -> tuple[str, ...]:
    """Return a date as the article has it (`words` tells, by date), and as day and month."""
    found = days(date)
    written = words.get(date, date)
    if not found or not found[0].day:
        return written, date
    month = MONTHS[found[0].month - 1].capitalize()
    return written, f"{found[0].day} {month}", f"{month} {found[0].day}"
