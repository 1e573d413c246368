"""Days that a question names: "on 7 May 2023", "in July", "last summer", "two weeks ago".

English, and ISO dates in any language. What is not exact is read as the latest such time that is not in the future.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial

from ..records import stamp

#: First and last day, both included.
Days = tuple[date, date]

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_SHORT = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_ANY_MONTH = {**_MONTHS, **_SHORT}
_WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
#: The month in which each begins; three months.
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_NUMBERS = {
    **{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8},
    **{"nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "couple of": 2, "a couple of": 2, "few": 3, "a few": 3},
}

_MONTH = rf"(?P<month>{'|'.join(sorted(_ANY_MONTH, key=len, reverse=True))})\.?"
_WHOLE_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_SEASON = rf"(?P<season>{'|'.join(_SEASONS)})"
_COUNT = rf"(?P<count>\d\d?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
#: Words that may stand beside a time without saying anything else.
_AROUND = frozenset("on in at from since until till to by of the and during around about between".split())
_BEFORE_MONTH = r"(?:in|during|since|by|until|till|of|from|this|early|late|mid)[ -]"


def days_named(text: str, today: date) -> list[Days]:
    """The days, months, seasons and years that a text names, against today. What is no date is passed over."""
    return _read(text, today)[0]


def days_meant(text: str, today: date) -> Days:
    """First and last day of a text that is nothing but a time: a day, "last week", "in May", "yesterday", "2 days ago".

    A moment with a time zone is the local day on which it was.

    Raises:
        ValueError: it is anything else.
    """
    said = "today" if text.strip().lower() == "now" else text.strip().strip(".")
    try:
        moment = datetime.fromisoformat(said[:-1] + "+00:00" if said[-1:] in "zZ" else said)
        day = moment.astimezone().date() if moment.tzinfo else moment.date()
        return day, day
    except (ValueError, OverflowError, OSError):
        for before in ("", "in ", "last "):  # "May", "Monday"
            found, rest = _read(before + said, today)
            if found and not {*rest.split()} - _AROUND:
                return min(first for first, _ in found), max(last for _, last in found)
    raise ValueError(f"{text[:40]!r} is not a day. Write YYYY-MM-DD, or a time such as yesterday, last week or in May.")


def _read(text: str, today: date) -> tuple[list[Days], str]:
    """The times that a text names, and what is left of it without them."""
    rest, found = text.lower(), []
    for pattern, read in _FORMS:

        def take(match: re.Match[str], read: Callable[[re.Match[str], date], Days] = read) -> str:
            try:
                found.append(read(match, today))
            except (ValueError, OverflowError):  # such as 31 June
                return match[0]
            return " "

        rest = pattern.sub(take, rest)
    return found, rest


def _on(match: re.Match[str], today: date) -> Days:
    month = match["month"]
    number = int(month) if month.isdigit() else _ANY_MONTH[month]
    if "year" in match.re.groupindex:
        day = date(int(match["year"]), number, int(match["day"]))
    else:
        day = date(today.year, number, int(match["day"]))
        if day > today:
            day = day.replace(year=today.year - 1)
    return day, day


def _in_month(match: re.Match[str], today: date, *, passed: bool = False) -> Days:
    """``passed``: not the present month."""
    number = _ANY_MONTH[match["month"]]
    if "year" in match.re.groupindex:
        return _month(int(match["year"]), number)
    return _month(today.year - (number > today.month or (passed and number == today.month)), number)


def _in_season(match: re.Match[str], today: date) -> Days:
    month = _SEASONS[match["season"]]
    if "year" in match.re.groupindex:
        year = int(match["year"])
    else:
        year = today.year - (_month(today.year, month + 2)[1] >= today)
    return date(year, month, 1), _month(year, month + 2)[1]


def _in_year(match: re.Match[str], today: date) -> Days:
    return _year(int(match["year"]))


def _ago(match: re.Match[str], today: date) -> Days:
    count = int(match["count"]) if match["count"].isdigit() else _NUMBERS[match["count"]]
    if match["unit"] == "day":
        return (today - timedelta(count),) * 2
    if match["unit"] == "week":
        around = today - timedelta(weeks=count)
        return around - timedelta(3), around + timedelta(3)
    return _month(today.year, today.month - count) if match["unit"] == "month" else _year(today.year - count)


def _last(match: re.Match[str], today: date) -> Days:
    monday = today - timedelta(today.weekday())
    if match["unit"] == "week":
        return monday - timedelta(7), monday - timedelta(1)
    if match["unit"] == "weekend":
        return monday - timedelta(2), monday - timedelta(1)
    return _month(today.year, today.month - 1) if match["unit"] == "month" else _year(today.year - 1)


def _past(match: re.Match[str], today: date) -> Days:
    first = _ago(match, today)[0]
    return (first + timedelta(3) if match["unit"] == "week" else first), today


def _this(match: re.Match[str], today: date) -> Days:
    starts = {
        "week": today - timedelta(today.weekday()),
        "month": today.replace(day=1),
        "year": today.replace(month=1, day=1),
    }
    return starts[match["unit"]], today


def _last_weekday(match: re.Match[str], today: date) -> Days:
    day = today - timedelta((today.weekday() - _WEEKDAYS[match["weekday"]] - 1) % 7 + 1)
    return day, day


def _days_before(match: re.Match[str], today: date, *, days: int) -> Days:
    return (today - timedelta(days),) * 2


def _month(year: int, number: int) -> Days:
    """``number`` may lie outside of 1 to 12: months of the years around."""
    year, index = divmod(12 * year + number - 1, 12)
    return date(year, index + 1, 1), date(year, index + 1, calendar.monthrange(year, index + 1)[1])


def _year(year: int) -> Days:
    return date(year, 1, 1), date(year, 12, 31)


#: Most exact first: what one has read, the next does not see.
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Days]], ...] = tuple(
    (re.compile(rf"\b{form}\b"), read)
    for form, read in (
        (rf"{_YEAR}-(?P<month>\d\d?)-(?P<day>\d\d?)", _on),
        (rf"{_DAY}(?: of)? {_MONTH},? {_YEAR}", _on),
        (rf"{_MONTH} {_DAY},? {_YEAR}", _on),
        (rf"{_MONTH},?(?: of)? {_YEAR}", _in_month),
        (rf"{_SEASON}(?: of)? {_YEAR}", _in_season),
        (rf"{_DAY}(?: of)? {_MONTH}", _on),
        (rf"{_MONTH} {_DAY}", _on),
        (rf"last {_SEASON}", _in_season),
        (rf"last {_WHOLE_MONTH}", partial(_in_month, passed=True)),
        (rf"{_BEFORE_MONTH}{_WHOLE_MONTH}", _in_month),
        (_YEAR, _in_year),
        (rf"{_COUNT} (?P<unit>day|week|month|year)s? ago", _ago),
        (rf"(?:last|past) {_COUNT} (?P<unit>day|week|month|year)s?", _past),
        (r"(?:the )?day before yesterday", partial(_days_before, days=2)),
        ("yesterday", partial(_days_before, days=1)),
        ("today", partial(_days_before, days=0)),
        (r"last (?P<unit>weekend|week|month|year)", _last),
        (r"this (?P<unit>week|month|year)", _this),
        (rf"last (?P<weekday>{'|'.join(_WEEKDAYS)})", _last_weekday),
    )
)


def earlier(one: date | None, other: date | None) -> date | None:
    """The earlier of two days, where None is no bound."""
    return min((day for day in (one, other) if day is not None), default=None)


def bounds_of(first: date | None, last: date | None) -> tuple[str, str]:
    """The stamps between which the moments of these days lie: from the one, before the other; local time, inclusive.

    None is no bound; the days at either end of the calendar may begin beyond it in UTC, and are then beyond all stamps.
    """
    return _begin(first) if first else "", _begin(last, 1) if last else "a"


def _begin(day: date, after: int = 0) -> str:
    try:
        return stamp(datetime.combine(day + timedelta(days=after), time.min).astimezone())
    except (OverflowError, ValueError, OSError):
        return "" if day.year < 5000 else "a"
