"""Text in an article that speaks to the program and not to a reader: found, and left out of what is evidence; pure.

Passages are material, never instructions. The frame of the prompt says so, and a model may still obey; and a quote of
such a text, however exact, informs nobody. What is found here is shown to no chat model, supports no claim, and is no
answer. The article itself stays as it is, for those who open it.

English, German and Spanish; set on `tests/data/injected.jsonl`. One sign is enough if honest news does not show it,
of others two in a paragraph; what it finds among articles that were not looked at is in docs/evaluation.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from rag.sentences import Span, sentence_spans

_PROGRAM = (
    r"(?:a\.?i\.?s?|assistants?|chat ?bots?|bots?|(?:large )?language models?|llms?|models?|summari[sz](?:er|ers|ation|ies)"
    r"|automated (?:\w+ )?(?:summaries|readers?|systems?|tools?)|digests?|(?:search|retrieval|answer(?:ing)?) (?:engines?|assistants?|systems?)"
    r"|crawlers?|agents?|ki|assistent\w*|sprachmodelle?\w*|asistentes?|modelos? de lenguaje|automatische\w* zusammenfassungen"
    r"|res[uú]menes? autom[aá]tic\w*)"
)
_REPLY = r"(?:answers?|repl(?:y|ies)|responses?|outputs?|completions?|antwort(?:en)?|respuestas?)"
# One of these is enough.
_SURE = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|earlier|preceding|all|any|your|other|every)\b.{0,30}"
    r"\b(?:instructions?|rules?|prompts?|guidelines?|orders|directives?|text|passages?|anything)\b",
    r"\b(?:system|developer|operator|admin|root) (?:prompt|message|override)\b.{0,3}[:>\]—-]|\b(?:operator|admin|root|developer) override\b",
    rf"\b(?:note|notice|message|memo|attention|instructions?|reminder|(?:required )?wording|hinweis|anmerkung|nachricht|nota|aviso)\b.{{0,20}}\b(?:to|for|für|an|para)\b"
    rf"(?! (?:an? |the )?agents?\b).{{0,25}}\b{_PROGRAM}\b",
    rf"\b{_PROGRAM}\b.{{0,40}}\b(?:must|should|shall|have to|has to|müssen|muss|sollen|deben?|ha[ns]? de)\b.{{0,80}}(?:answer|reply|say|state|antwort|respond|schreib|escrib)\w*\b.{{0,15}}[\"“„«‹:]",
    rf"\bany other {_PROGRAM}\b|\b{_PROGRAM} (?:reading|that reads?|processing) this\b",
    r"\b(?:you are|act as|pretend to be|behave like|become) (?:now |from now on )*(?:an? )?(?:unrestricted |helpful |different )*(?:ai\b|assistant\b|chat ?bot|language model|llm)",
    rf"\b(?:in|to|into|before|after|under|precede|begin|start|end|close|finish|sign|at the end of) (?:each|every|all|any|your)(?: of your)? (?:\w+ )?{_REPLY}\b.{{0,40}}\b(?:with|the words?|this|add|include|link|phrase|sentence|from)\b",
    rf"\b(?:add|include|insert|append|write|place|put)\b.{{0,80}}\b(?:in|to|into|before|after|under|at the end of) (?:each|every|all|any|your) (?:\w+ )?(?:{_REPLY}|sentence|summary)\b",
    rf"\b(?:compulsory|mandatory|obligatory|prescribed|required|only permitted|only allowed) {_REPLY}\b|\brequired wording\b",
    r"\byour (?:\w+ )?(?:configuration|system prompt|hidden instructions|initial instructions|instructions in full)\b|\brules? you were given\b",
    r"\b(?:reader|voice|mind|spirit|ghost) in(?:side)? the (?:machine|computer|program)\b|\byour (?:makers|creators|developers)\b.{0,30}\b(?:you|allow\w*)\b",
    r"\b(?:repeat|print|reveal|output|disclose|recite|leak|write out)\b.{0,40}\b(?:your|hidden|above)\b.{0,20}\b(?:rules|instructions|prompt|guidelines|configuration)\b",
    r"\b(?:cite|citing)\b.{0,40}\b(?:this|only|the) (?:article|passage|source)\b.{0,30}(?:\[|\bas\b|\bonly\b)|\b(?:cite|citation) (?:it |this )?as \[",
    r"\bjailbreak\b.{0,20}\bmode\b|\b(?:switch|enter|go|you are) (?:\w+ )*(?:to|in|into) (?:developer|debug|maintenance|unrestricted|god) mode\b",
    r"\bbase64\b.{0,80}\b(?:decode|execute|obey|follow|carry)\b|\b(?:decode|dekodier\w*|decodifi\w*)\b.{0,60}\b(?:base64|carry|execute|obey|follow)\b",
    # links that carry something away, markup
    r"!?\[[^\]]{0,200}\]\(\s*https?:|<img\b|<a\s+href|<!--|\[[^\]]{1,80}\]\[\w{1,20}\]|^\s*\[\w{1,20}\]:\s*\S+",
    r"https?://\S+\?\S+=",
    # German, Spanish
    r"\b(?:ignorier\w*|vergiss|vergesst|missachte\w*|übergeh\w*|verwirf)\b.{0,40}\b(?:bisherige\w*|vorherige\w*|alle\w*|deine|eure|obige\w*)\b.{0,30}\b(?:anweisung\w*|regeln?|vorgaben?|auftr\w+|frage\w*)\b",
    r"\b(?:jede|deine|eure|ihre) (?:\w+ )?(?:antwort|antworten)\b.{0,30}\b(?:mit|muss mit|ist|lautet|endet|beginnt)\b.{0,20}[\"“„»:]",
    r"\b(?:beginne|beende|schließe|ergänze|versieh|antworte|antwortet)\w*\b.{0,20}\b(?:jede\w*|deine|eure|ausschließlich|immer|stets)\b",
    r"\b(?:ignor[ae]\w*|olvid[ae]\w*|omit[ae]\w*|omítase|descart[ae]\w*|ha(?:z|gan|ced) caso omiso)\b.{0,40}\b(?:todas?|tus|sus|anterior\w*|previas?)\b.{0,30}\b(?:instruccion\w*|reglas?|indicacion\w*|órden\w*|anterior\w*|pregunta)\b",
    r"\b(?:termin[ae]|empiez[ae]|comienz[ae]|acab[ae]|añad[ae]|contesta[dr]?|responded?|responda)\w*\b.{0,20}\b(?:cada|toda|tus|sus|siempre|únicamente|exclusivamente)\b.{0,40}(?:respuestas?|[«\"“:])",
    rf"\b{_PROGRAM} (?:müssen|muss|sollen|soll)\b.{{0,120}}\b(?:antworten|schreiben|sagen)\b",
    r"\b(?:todo|cualquier|cada) resumen (?:ha de|debe|tiene que)\b|\bque todo resumen\b",
    r"\beres (?:ahora )?(?:un|una)\b.{0,30}\b(?:asistente|modelo|ia|robot)\b",
)  # fmt: skip
# Of these, two in a paragraph: each alone stands in honest news too.
_LIKELY = (
    r"\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,60}\b(?:instructions?|rules?|prompts?|question|citations?|everything|anything)\b",
    r"\b(?:new|updated|real|true|actual|only) (?:task|instructions?|orders?|rules?|objective)\b\s*(?::|is\b|are\b|follow)",
    r"\b(?:developer|debug|maintenance|unrestricted) mode\b|\bsystem (?:prompt|message|notice)\b|\bprompt injection\b|\baudit\b",
    rf"(?:^|[\"“.!?(]\s*)(?:dear |hey |hello |attention,? |to )?{_PROGRAM}\s*[,:!]",
    rf"\b(?:as|for|to) (?:an? |any |every |all )?{_PROGRAM}\b",
    rf"\b{_PROGRAM}\b.{{0,30}}\b(?:must|should|shall|are to|have to|has to|is to|müssen|muss|deben?)\b",
    r"\b(?:speak|answer|reply|respond|write) (?:from (?:here|now) on )?as (?:a |an |the )?[A-Z]|\bfrom (?:here|now) on\b",
    rf"\b(?:your|each|every|whole|final|entire) (?:\w+ )?(?:{_REPLY}|summar(?:y|ies))\b",
    r"\b(?:reply|respond|answer|end|close|begin|start|open|closing|ending)\b.{0,30}\b(?:only|solely|just|nothing but|single word|the words?|with)\b",
    r"^(?:question|answer|frage|antwort|pregunta|respuesta)\s*:",
    r"\b(?:user|reader)'?s?'? (?:question|query|request)s?\b|\bthe (?:user|reader) has (?:asked|authori[sz]ed|agreed)\b",
    r"\bwhen (?:asked|answering|summari[sz]ing|citing)\b|\b(?:in the )?original wording\b|\bin full\b|\bas you were given\b|\bas instructed\b",
    r"\b(?:include|insert|append|add|put|place|render|embed|print|display|show)\b.{0,60}\b(?:link|image|url|markdown|sentence|phrase|words|address|code)\b",
    r"\b(?:do not|don't|never) (?:mention|reveal|tell|cite|answer|check|verify|use|attribute|name)\b|\bwithout (?:citation|naming|mentioning)\b",
    r"\b(?:state|report|present|write|give|treat) (?:it|this|that|the following)\b.{0,40}\bas (?:a |an |the )?(?:fact|confirmed|true|certain|source|outlet|established)\b",
    r"\bas (?:a )?(?:fact|confirmed fact|certain|established)\b|\battribute (?:this|it|that)?\s?to\b|\bname .{0,40} as the source\b",
    r"\byou will (?:say|write|state|report|answer)\b|\breport that\b.{0,10}\baccording to\b|\b(?:execute|obey|comply)\b",
    r"\b(?:this|the following) (?:text|passage|article|item|source|note)\b.{0,40}\b(?:overrides?|replaces?|only|empty|unread|locked|restricted|gesperrt)\b",
    r"\b(?:deine|eure|ihre|jede|jeder) (?:\w+ )?(?:antworten?|anweisungen|regeln|vorgaben)\b|\bsystemprompt\b|\bwartungsmodus\b|\bvorgabe des betreibers\b",
    r"\b(?:hinweis|nachricht|anweisung|achtung|anmerkung)\b.{0,30}\b(?:an|für)\b|\b(?:als fakt|nur mit|ausschließlich|einzig(?:e|en)? (?:gültige|richtige|verlässliche|zulässige)\w* quelle)\b",
    r"\bzusammenfassung\w*\b.{0,40}\b(?:muss|müssen|soll\w*)\b|\b(?:zitiere\w*|gib|nenne|bestätige|schreib\w*)\b.{0,30}\b(?:nur|immer|stets|folgende\w*|aus|link|wort|fakt)\b",
    r"\brichtig ist vielmehr\b|\bbitte (?:antworte\w*|schreib\w*|zitier\w*)\b|\bohne (?:quelle|prüfung)\b",
    r"\b(?:tus?|sus?|cada|toda) (?:\w+ )?(?:respuestas?|instrucciones|reglas|indicaciones)\b|\btodo resumen\b|\batribúyase\b|\bcítese\b|\bcomo hecho\b",
    r"\b(?:nota|mensaje|aviso|instrucción|atención)\b.{0,25}\b(?:para|a)\b.{0,25}\b(?:ia|asistentes?|modelos?|sistemas?|chatbots?|resúmenes|buscadores?)\b",
    r"\b(?:respond[ae]\w*|contest[ae]\w*|escrib[ae]\w*|repit[ae]\w*|muestr[ae]\w*|escribiendo)\b.{0,50}\b(?:solo|sólo|siempre|únicamente|exclusivamente|palabras?|enlace|instrucciones|reglas)\b",
)  # fmt: skip
# Other people's frames: what they hold goes on to the next empty line.
_FRAMES = (
    r"<\|[^|>]{1,40}\|>|</?\w{3,20}>|\[/?INST\]|<</?SYS>>|</s>|#{2,} ?(?:instruction|system|response|input|assistant|user)s?\b",
    r"[<‹]\s*/?\s*(?:passages?|question|answer|system|instructions?|trusted\w*|user|assistant|document|context|prompt)\b[^>›]{0,200}[>›]",
    r"^\s*(?:system|assistant|user|human|ai|tool|developer)\s*(?:\([^)]{0,30}\))?\s*:(?!\s*[\"“„«])",
    r"-{4,}\s*(?:end|begin|start)\b|\bend of (?:archive|passages|prompt|context|instructions)\b|\bbegin (?:prompt|instructions)\b",
    r"\[\d{1,3}\]\s*\[\d{1,3}\]|\[\d{1,3}\](?=[.,;:!?]|\s*$)",
)  # fmt: skip
_IS_FRAME = re.compile("|".join(f"(?:{pattern})" for pattern in _FRAMES), re.IGNORECASE)
_IS_SURE = re.compile("|".join(f"(?:{pattern})" for pattern in (*_SURE, *_FRAMES)), re.IGNORECASE)
_IS_LIKELY = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _LIKELY)
_CLOSES = re.compile(r"/|im_end|eot|endof", re.IGNORECASE)
_BRIDGED = 3  # paragraphs between two of them that belong to the same frame


@lru_cache(maxsize=256)
def instructed_spans(text: str) -> tuple[Span, ...]:
    """Return the parts of a text that speak to the program, in order: from the first such sentence to its paragraph's end.

    Paragraphs between two that do, close to each other, belong to one frame; so does what a foreign delimiter heads, and
    what shows any sign after one. Ask for whole articles: a passage may begin in the middle of it.
    """
    paragraphs = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+", text)]
    begins: dict[int, int] = {}
    in_frame = headed = False
    for place, (start, end) in enumerate(paragraphs):
        part = text[start:end]
        sure = bool(_IS_SURE.search(part))
        likely = [pattern for pattern in _IS_LIKELY if pattern.search(part)]
        if not (sure or len(likely) > 1 or headed or (in_frame and likely)):
            in_frame = headed = False
            continue
        signs = [_IS_SURE, *likely]
        hits = [span for span in sentence_spans(part) if any(sign.search(part[slice(*span)]) for sign in signs)]
        begins[place] = start + hits[0][0] if hits and not headed else start
        delimiters = list(_IS_FRAME.finditer(part))
        in_frame = in_frame or bool(delimiters)
        headed = bool(delimiters) and not (
            _CLOSES.search(delimiters[-1][0]) or any(sign.isalnum() for sign in part[delimiters[-1].end() :])
        )
    places = sorted(begins)
    for one, other in pairwise(places):
        if other - one <= _BRIDGED:
            begins |= {between: paragraphs[between][0] for between in range(one + 1, other)}
    return tuple((begin, paragraphs[place][1]) for place, begin in sorted(begins.items()))


def spans_in(spans: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    """Return what of an article's spans lies in [start, end), counted from `start`."""
    return tuple((max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and start < b)


def without(text: str, spans: Sequence[Span]) -> str:
    """Return the text without the spans (in order); a "[…]" stands for each."""
    for start, end in reversed(spans):
        text = f"{text[:start]}[…]{text[end:]}"
    return text


def plain(text: str) -> str:
    """Return a whole text, as a headline, without what in it speaks to the program."""
    return without(text, instructed_spans(text))


def touches(span: Span, others: Sequence[Span]) -> bool:
    """Tell whether a span shares characters with one of the others."""
    return any(span[0] < stop and begin < span[1] for begin, stop in others)
