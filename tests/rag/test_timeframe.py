from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.timeframe import window_of

SEPTEMBER = datetime(2025, 9, 1, 12, tzinfo=UTC)  # a Monday
NEW_YEAR = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)  # a Thursday
LAST_OF_MARCH = datetime(2025, 3, 31, 23, 59, tzinfo=UTC)  # a Monday


def days(question, now):
    window = window_of(question, now)
    if window is None:
        return None
    return " ".join(f"{moment:%Y-%m-%d}" if moment else "..." for moment in (window.since, window.until))


# Since and until (which is not in it); "..." is open.
IN_SEPTEMBER = [
    ("Which minister resigned in June?", "2025-06-01 2025-07-01"),
    ("Which minister resigned in June 2025?", "2025-06-01 2025-07-01"),
    ("Which minister resigned in June 2024?", "2024-06-01 2024-07-01"),
    ("Which minister resigned in June last year?", "2024-06-01 2024-07-01"),
    ("In May, which sawmill laid off workers?", "2025-05-01 2025-06-01"),
    ("What was decided in Sept.?", "2025-09-01 2025-10-01"),
    ("who was arrested in march?", "2025-03-01 2025-04-01"),
    ("who was arrested in may over the exam paper?", "2025-05-01 2025-06-01"),
    ("Who was arrested in December?", "2024-12-01 2025-01-01"),
    ("Who was arrested in June and July?", "2025-06-01 2025-08-01"),
    ("What happened last week?", "2025-08-25 2025-09-01"),
    ("What happened this week?", "2025-09-01 2025-09-08"),
    ("How many homes lost power last month?", "2025-08-01 2025-09-01"),
    ("What did last month’s by-election decide?", "2025-08-01 2025-09-01"),
    ("What happened yesterday?", "2025-08-31 2025-09-01"),
    ("Yesterday, who spoke in parliament?", "2025-08-31 2025-09-01"),
    ("Who was hurt last night?", "2025-08-31 2025-09-02"),
    ("What is in today's papers?", "2025-09-01 2025-09-02"),
    ("What has happened since 3 July?", "2025-07-03 ..."),
    ("What has happened since July 3rd?", "2025-07-03 ..."),
    ("What has happened after 3 July?", "2025-07-04 ..."),
    ("What has been said since the start of August?", "2025-08-01 ..."),
    ("What has been said since the beginning of the year?", "2025-01-01 ..."),
    ("What has been said since last month?", "2025-08-01 ..."),
    ("What has been said since yesterday?", "2025-08-31 ..."),
    ("What has been said since 2024?", "2024-01-01 ..."),
    ("What was known before June?", "... 2025-06-01"),
    ("What was known before 4 July?", "... 2025-07-04"),
    ("What was known until 4 July?", "... 2025-07-05"),
    ("What did they decide before December?", "... 2024-12-01"),
    ("What was said between 3 and 9 July?", "2025-07-03 2025-07-10"),
    ("What was said between 3 July and 9 July?", "2025-07-03 2025-07-10"),
    ("What was said from 3 July to 9 July?", "2025-07-03 2025-07-10"),
    ("What was said from 3 to 9 July 2024?", "2024-07-03 2024-07-10"),
    ("What was said between July 3 and July 9, 2024?", "2024-07-03 2024-07-10"),
    ("What was said between 2025-07-03 and 2025-07-09?", "2025-07-03 2025-07-10"),
    ("What was said from June to August?", "2025-06-01 2025-09-01"),
    ("What was said between May and now?", "2025-05-01 2025-09-02"),
    ("What was said from June onwards?", "2025-06-01 ..."),
    ("Who was charged in early June?", "2025-06-01 2025-06-11"),
    ("Who was charged in mid-June?", "2025-06-11 2025-06-21"),
    ("Who was charged in late June?", "2025-06-21 2025-07-01"),
    ("Who was charged at the beginning of July?", "2025-07-01 2025-07-11"),
    ("Who was charged at the end of June?", "2025-06-21 2025-07-01"),
    ("Who was charged in the first week of July?", "2025-07-01 2025-07-08"),
    ("Who was charged in the last week of February?", "2025-02-22 2025-03-01"),
    ("Who was charged in the second half of May?", "2025-05-16 2025-06-01"),
    ("In the reports of the weekend of 5 and 6 July, how many died?", "2025-07-05 2025-07-07"),
    ("How many died on the weekend of 6 July?", "2025-07-05 2025-07-07"),
    ("What happened in the week of 7 July?", "2025-07-07 2025-07-14"),
    ("What happened last weekend?", "2025-08-30 2025-09-01"),
    ("How did the team do over the weekend?", "2025-08-30 2025-09-01"),
    ("What did the mayor say on Tuesday?", "2025-08-26 2025-08-29"),
    ("What did the mayor say last Monday about the bridge?", "2025-08-25 2025-08-28"),
    ("How many trains were late since Friday?", "2025-08-29 ..."),
    ("What was said in the 1990s about wolves?", "1990-01-01 2000-01-01"),
    ("What had the council decided by 5 May 2025?", "... 2025-05-06"),
    ("July 2024: who won?", "2024-07-01 2024-08-01"),
    ("Floods, 30 July to 2 August 2025", "2025-07-30 2025-08-03"),
    ("Reports of the autumn of 2024 about wolves", "2024-09-01 2024-12-01"),
    ("from 28 march to 3 april 2024 anything on wolves", "2024-03-28 2024-04-04"),
    ("What happened in the past two weeks?", "2025-08-18 2025-09-02"),
    ("What happened in past two weeks?", "2025-08-18 2025-09-02"),
    ("What happened in the last three days?", "2025-08-29 2025-09-02"),
    ("What happened over the last few days?", "2025-08-29 2025-09-02"),
    ("What happened in the past 24 hours?", "2025-08-31 2025-09-02"),
    ("What happened in the past week?", "2025-08-25 2025-09-02"),
    ("What happened in the last year?", "2024-09-01 2025-09-02"),
    ("What happened three days ago?", "2025-08-29 2025-09-01"),
    ("What happened two weeks ago?", "2025-08-18 2025-08-25"),
    ("How big was the crowd at this year's cup final?", "2025-01-01 2026-01-01"),
    ("What was the budget last year?", "2024-01-01 2025-01-01"),
    ("Who won the song contest in 2025?", "2025-01-01 2026-01-01"),
    ("How many marched on 14 July?", "2025-07-14 2025-07-17"),
    ("How many marched on Monday, 14 July?", "2025-07-14 2025-07-17"),
    ("How many marched on July 14th, 2024?", "2024-07-14 2024-07-17"),
    ("How many marched on the 14th of July?", "2025-07-14 2025-07-17"),
    ("How many marched on 5 and 6 July?", "2025-07-05 2025-07-09"),
    ("How many marched on 2025-07-14?", "2025-07-14 2025-07-17"),
    ("How many marched on 4 September last year?", "2024-09-04 2024-09-07"),
    ("How many marched on 29 February?", "2024-02-29 2024-03-03"),
    ("What did July's floods cost?", "2025-07-01 2025-08-01"),
    ("What did July’s floods cost?", "2025-07-01 2025-08-01"),
    ("What was agreed in the spring?", "2025-03-01 2025-06-01"),
    ("What was agreed in the autumn of 2023?", "2023-09-01 2023-12-01"),
    ("What was agreed this spring?", "2025-03-01 2025-06-01"),
    ("How many wolves were shot last winter?", "2024-12-01 2025-03-01"),
    ("How many were built in the first half of 2025?", "2025-01-01 2025-07-01"),
    ("How many were built in the second quarter of 2025?", "2025-04-01 2025-07-01"),
    ("How many were built in the second quarter?", "2025-04-01 2025-07-01"),
    ("How many were built last quarter?", "2025-04-01 2025-07-01"),
    ("How many were built in early 2025?", "2025-01-01 2025-05-01"),
    ("How many were built at the end of last year?", "2024-09-01 2025-01-01"),
    ("Who won the match last July?", "2025-07-01 2025-08-01"),
    ("Do the papers agree? In July Norrgate was silent.", "2025-07-01 2025-08-01"),
]
AT_NEW_YEAR = [
    ("What happened yesterday?", "2025-12-31 2026-01-01"),
    ("What happened last week?", "2025-12-22 2025-12-29"),
    ("What happened last weekend?", "2025-12-27 2025-12-29"),
    ("What happened last month?", "2025-12-01 2026-01-01"),
    ("What happened this month?", "2026-01-01 2026-02-01"),
    ("What happened last year?", "2025-01-01 2026-01-01"),
    ("What happened in June?", "2025-06-01 2025-07-01"),
    ("What happened in January?", "2026-01-01 2026-02-01"),
    ("What was known before June?", "... 2025-06-01"),
    ("What happened on 31 December?", "2025-12-31 2026-01-03"),
    ("What happened between November and January 2026?", "2025-11-01 2026-02-01"),
    ("What happened from 28 December to 1 January?", "2025-12-28 2026-01-02"),
    ("What happened this winter?", "2025-12-01 2026-03-01"),
    ("What happened last winter?", "2024-12-01 2025-03-01"),
    ("What happened last quarter?", "2025-10-01 2026-01-01"),
    ("What happened in the last three days?", "2025-12-29 2026-01-02"),
]
ON_31_MARCH = [
    ("What happened last month?", "2025-02-01 2025-03-01"),
    ("What happened this month?", "2025-03-01 2025-04-01"),
    ("What happened in March?", "2025-03-01 2025-04-01"),
    ("What happened in April?", "2024-04-01 2024-05-01"),
    ("What happened in the past month?", "2025-02-28 2025-04-01"),
    ("What happened on 31 March?", "2025-03-31 2025-04-03"),
    ("What happened last weekend?", "2025-03-29 2025-03-31"),
    ("What happened last winter?", "2024-12-01 2025-03-01"),
    ("What happened in the spring?", "2025-03-01 2025-06-01"),
    ("What happened in the first quarter?", "2025-01-01 2025-04-01"),
    ("What happened at the end of February?", "2025-02-21 2025-03-01"),
]
NO_WINDOW = [
    "When did the Second World War end?",
    "What may happen to the harbour?",
    "May the union strike again?",
    "In what way may the union strike again?",
    "How many took part in the march in Port Selwyn?",
    "How many people marched?",
    "Who spoke after march organisers left?",
    "Who plays the lead in the August Strindberg play?",
    "What is said in August Strindberg's diaries?",
    "Who played the late June Whitfield?",
    "Who took part in March for Justice?",
    "What is open on May Day?",
    "What was said before May Day?",
    "Who became leader after May resigned?",
    "What did Theresa May's cabinet decide?",
    "Who is June Osborne?",
    "Who is the mayor of Augusta?",
    "Did the unions march in Meridian?",
    "Was the ferry late?",
    "Who works on Tuesday?",
    "How much sun does a child need in winter?",
    "What happens over the weekend?",
    "What will happen on Friday?",
    "What did they agree on the last day?",
    "What happened on this day?",
    "What happened in the last week of the campaign?",
    "Who died in the last year of the war?",
    "For the last time, who did it?",
    "Who came last?",
    "How many goals fell in the first half?",
    "Who scored in the second quarter of the game?",
    "Which party won the second half of the vote?",
    "What role did he play in the fall of the government?",
    "What explains this fall in prices?",
    "Did prices fall?",
    "Who supplies the spring water?",
    "Which firm makes the summer tyres?",
    "Who lives in Summer Street?",
    "Did the drivers spring a surprise?",
    "What is planned for next week?",
    "Who plays tomorrow?",
    "What happens in 2028?",
    "How many seats were won on 3 July 2026?",
    "How many homes are to be built before 2030?",
    "What must be settled before December?",
    "Will children be allowed to keep their phones this autumn?",
    "What will the council decide on 4 September?",
    "How many people can sleep on the night train that returns in December?",
    "What will be built by the end of October?",
    "How many died in the battle of 1815?",
    "What happened in 1813?",
    "What was known before 1899?",
    "How much damage was done in 2000 homes?",
    "How far is it from 1990 to 2000 metres?",
    "What happened on 31 June?",
    "What happened between 31 June and 40 July?",
    "What was said from 9 July to 3 July?",
    "Who won 3 of 5 matches?",
    "What did the 2025 budget say about schools?",
    "How high was inflation forecast to be for July?",
    "How does the marching band practise?",
    "What does the decree say?",
    "Who wrote the song Yesterday?",
    "Which outlet is called This Morning?",
    "What does Jan Kowalski want?",
    "Who has the second week off?",
    "What happened on 9999-12-31?",
    "",
    "?",
]


@pytest.mark.parametrize(("question", "expected"), IN_SEPTEMBER)
def test_a_plain_limit_makes_a_window(question, expected):
    assert days(question, SEPTEMBER) == expected


@pytest.mark.parametrize(("question", "expected"), AT_NEW_YEAR)
def test_windows_cross_the_turn_of_the_year(question, expected):
    assert days(question, NEW_YEAR) == expected


@pytest.mark.parametrize(("question", "expected"), ON_31_MARCH)
def test_windows_on_the_last_of_a_long_month(question, expected):
    assert days(question, LAST_OF_MARCH) == expected


@pytest.mark.parametrize("question", NO_WINDOW)
def test_what_is_no_limit_makes_no_window(question):
    assert days(question, SEPTEMBER) is None


def test_the_day_is_counted_in_utc():
    late = datetime(2025, 9, 1, 1, tzinfo=timezone(timedelta(hours=2)))  # 31 August, 23:00 UTC
    assert days("What happened yesterday?", late) == "2025-08-30 2025-08-31"


def test_the_window_names_the_words_it_was_read_from():
    window = window_of("Which minister resigned in June, and why?", SEPTEMBER)
    assert window is not None
    assert window.inferred_from == "in June"


def test_last_weekend_on_a_sunday_is_not_the_one_that_is_running():
    assert days("What happened last weekend?", datetime(2025, 8, 31, 9, tzinfo=UTC)) == "2025-08-23 2025-08-25"


WORDS = (
    "in on since before until between and from to the first last past this second week month year quarter half of "
    "early mid- late end weekend 3 31 31st 2024 2025-07-03 9999-12-31 may March june's July, december spring fall "
    "few a two days ago yesterday today now"
).split()


@given(
    st.lists(st.sampled_from(WORDS), max_size=9), st.datetimes(timezones=st.just(UTC), min_value=datetime(1990, 1, 1))
)
def test_no_question_breaks_it_and_no_window_is_empty(words, now):
    if now.year > 2100:
        return
    window = window_of(" ".join(words), now)
    if window and window.since and window.until:
        assert window.since < window.until
