"""How a text becomes a value of a kind, in SQL."""

from __future__ import annotations

from typing import Literal

Kind = Literal["text", "instant", "day", "money", "rate", "quantity", "count", "flag"]

# Nine or ten digits are unix seconds (since 1973); else ISO 8601, without an offset in UTC.
_INSTANT = (
    "case when regexp_full_match({value}, '[0-9]{{9,10}}') "
    "then make_timestamp(try_cast({value} as bigint) * 1000000) "
    "when {value}[1] between '0' and '9' "
    "then timezone('UTC', try_cast({value} as timestamp with time zone)) end"
)
_AS: dict[Kind, str] = {
    "text": "{value}",
    "instant": _INSTANT,
    # a day has no zone: what follows it, such as 00:00:00, is not looked at
    "day": (
        "case when regexp_matches({value}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([ T].*)?$') "
        "then try_cast({value}[:10] as date) end"
    ),
    "money": "try_cast({value} as decimal(18, 4))",
    "rate": (
        "case when try_cast({value} as decimal(18, 8)) > 0 "
        "then try_cast({value} as decimal(18, 8)) end"
    ),
    "quantity": "try_cast({value} as decimal(18, 4))",
    "count": (
        "case when regexp_full_match({value}, '[0-9]+([.]0*)?') "
        "then try_cast(split_part({value}, '.', 1) as bigint) end"
    ),
    "flag": (
        "case when lower({value}) in ('true', '1', 'yes') then true "
        "when lower({value}) in ('false', '0', 'no') then false end"
    ),
}
_WANTED: dict[Kind, str] = {
    "text": "a text",
    "instant": "an instant in ISO 8601 or unix seconds",
    "day": "a day such as 2026-01-31",
    "money": "an amount such as 1234.50",
    "rate": "a rate above zero such as 1.0825",
    "quantity": "a quantity such as 2 or 0.75",
    "count": "a whole number",
    "flag": "true or false",
}


def typed(kind: Kind, value: str) -> str:
    """The expression that makes a value of a kind of a text; null where the text does not fit.

    Amounts are exact: a text is read as decimal digits, never by way of a float.
    """
    return _AS[kind].format(value=value)


def wanted(kind: Kind) -> str:
    """What a text of a kind looks like, in words."""
    return _WANTED[kind]
