# SPDX-License-Identifier: Apache-2.0
"""Values of requests and replies: each has one spelling on the wire."""

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Union

from .errors import ProtocolError, RequestError

NUMBER_MAX = 2**63 - 1
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,12})\.[0-9]{2}\Z")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_INSTANT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:(Z)|([+-])(\d{2}):(\d{2}))\Z", re.ASCII
)

AmountLike = Union[Decimal, int, str]
InstantLike = Union[datetime, str]
DayLike = Union[date, str]


def write_number(value: int, what: str) -> str:
    """A number; `what` names it where it is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= NUMBER_MAX:
        raise RequestError(f"{what} takes a whole number from 0 to 2^63 - 1")
    return str(value)


def write_amount(value: AmountLike, what: str) -> str:
    """Pesos with two decimals. Floating point is refused, and so is more than two decimals: nothing is rounded here."""
    if isinstance(value, (bool, float)):
        raise RequestError(f"{what} takes a Decimal, an int or text as 4310.22, not floating point")
    if isinstance(value, str):
        text = value
    else:
        exact = Decimal(value)
        fits = exact.is_finite() and abs(exact) < Decimal(10) ** 13 and exact == exact.quantize(Decimal("0.01"))
        text = f"{exact:.2f}" if fits else ""
    if not _AMOUNT.match(text):
        raise RequestError(f"{what} takes pesos with two decimals, as 4310.22")
    return text


def write_instant(value: InstantLike, what: str) -> str:
    """An instant with its offset. A datetime without a time zone is refused: it names no instant."""
    if isinstance(value, str):
        if not _INSTANT.match(value):
            raise RequestError(f"{what} takes an instant, as 2024-03-04T15:42:10-06:00")
        return value
    offset = value.utcoffset()
    if offset is None:
        raise RequestError(f"{what} takes a datetime with a time zone")
    if offset % timedelta(minutes=1):
        value = value.astimezone(timezone.utc)
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def write_day(value: DayLike, what: str) -> str:
    """A day, as 2024-03-11."""
    if isinstance(value, datetime):
        raise RequestError(f"{what} takes a date, not a datetime")
    try:
        text = value if isinstance(value, str) else value.isoformat()
        if len(text) != 10 or date.fromisoformat(text).isoformat() != text:
            raise ValueError
    except ValueError:
        raise RequestError(f"{what} takes a day, as 2024-03-11") from None
    return text


def write_name(value: str, what: str) -> str:
    """A name: 1 to 64 letters, digits, points, underscores and hyphens."""
    if not isinstance(value, str) or not _NAME.match(value):
        raise RequestError(f"{what} takes 1 to 64 of A-Z a-z 0-9 . _ -")
    return value


def read_number(text: str, what: str) -> int:
    """A number of a reply."""
    if not _NUMBER.match(text) or int(text) > NUMBER_MAX:
        raise ProtocolError(f"{what} is not a number")
    return int(text)


def read_instant(text: str, what: str) -> datetime:
    """An instant of a reply, with its time zone."""
    match = _INSTANT.match(text)
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
        micro = int((match.group(7) or "").ljust(6, "0"))
        zone = timezone.utc
        if match.group(8) is None:
            offset = timedelta(hours=int(match.group(10)), minutes=int(match.group(11)))
            zone = timezone(-offset if match.group(9) == "-" else offset)
        return datetime(year, month, day, hour, minute, second, micro, zone)
    except ValueError:
        raise ProtocolError(f"{what} is not an instant") from None


def read_amount(text: str, what: str) -> Decimal:
    """Pesos of a reply."""
    if not _AMOUNT.match(text.lstrip("-")):
        raise ProtocolError(f"{what} is not an amount")
    return Decimal(text)


def read_bytes(text: str, what: str) -> bytes:
    """Lowercase hexadecimal of a reply."""
    try:
        if text != text.lower():
            raise ValueError
        return bytes.fromhex(text)
    except ValueError:
        raise ProtocolError(f"{what} is not lowercase hexadecimal") from None
