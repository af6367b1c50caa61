"""How addresses, phones and names are written before they are hashed, against known answers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

# The macros that are called by DuckDB's own names, and those that call them.
FOLDERS = ("macros/engines", "macros/match_keys")


class _Adapter:
    """Dispatches as dbt does on DuckDB."""

    def __init__(self) -> None:
        self.macros: Any = None

    def dispatch(self, name: str) -> Any:  # noqa: ANN401 - a macro of jinja's
        return getattr(self.macros, f"duckdb__{name}")


@cache
def macros(variables: tuple[tuple[str, Any], ...] = ()) -> Any:  # noqa: ANN401 - a module of jinja's
    """The project's macros, with some variables set."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.sql"))]
    text = "\n".join(path.read_text() for path in files if "schema_name" not in path.name)
    adapter = _Adapter()
    settings = dict(variables)
    environment = jinja2.Environment(autoescape=False, extensions=["jinja2.ext.do"])  # noqa: S701 - SQL
    environment.globals |= {
        "adapter": adapter,
        "return": lambda value: value,
        "var": settings.get,
    }
    adapter.macros = environment.from_string(text).module
    return adapter.macros


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """One database in memory: opening one costs more than a question."""
    return duckdb.connect(config={"threads": 1})


@cache
def question(macro: str, columns: int, variables: tuple[tuple[str, Any], ...]) -> str:
    """The SQL that applies a macro to lists of texts."""
    names = [f"c{number}" for number in range(columns)]
    expression = getattr(macros(variables), macro)(*names)
    lists = ", ".join(f"unnest(cast(${name} as varchar[])) as {name}" for name in names)
    return (
        f"select {expression} from (select {lists}, unnest(range(len($c0))) as number) "
        "order by number"
    )


def normalise(macro: str, *columns: Iterable[str | None], **variables: object) -> list[str | None]:
    """What a macro makes of rows of texts."""
    lists = {f"c{number}": list(column) for number, column in enumerate(columns)}
    sql = question(macro, len(columns), tuple(variables.items()))
    return [text for (text,) in connection().execute(sql, lists).fetchall()]


def hashed(macro: str, *values: str, **variables: object) -> str | None:
    (text,) = normalise(macro, *[[value] for value in values], **variables)
    expression = macros().sha256_hex("$text")
    found = connection().execute(f"select {expression}", {"text": text}).fetchone()
    (digest,) = found or (None,)
    return None if digest is None else str(digest)


@pytest.mark.parametrize(
    ("macro", "values", "digest"),
    [
        # printed by Meta
        (
            "meta_email",
            ["mary@example.com"],
            "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79",
        ),
        (
            "meta_email",
            [" John_Smith@gmail.com "],
            "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
        ),
        (
            "meta_phone",
            ["+1 (555) 987-6543"],
            "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e",
        ),
        (
            "meta_phone",
            ["001 650 555 1212"],
            "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
        ),
        (
            "matched_name",
            ["Mary"],
            "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
        ),
        (
            "matched_name",
            ["Valéry"],
            "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
        ),
        (
            "matched_name",
            ["정"],
            "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14",
        ),
        (
            "matched_country",
            ["US"],
            "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621",
        ),
        # printed by Google
        (
            "google_email",
            ["AlexZ@example.com "],
            "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a",
        ),
        (
            "google_phone",
            ["+1 800 555 0100"],
            "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
        ),
        # printed by TikTok, and computed: its printed phone is the hash of another number
        (
            "tiktok_email",
            ["janedoe@gmail.com"],
            "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69",
        ),
        (
            "tiktok_phone",
            ["+16577770000"],
            "a6e82c2f4091baff57a4f33d01efb65bfbeacbbfbcfaa9d0ff9f57d28d78fedb",
        ),
    ],
)
def test_the_platforms_own_examples(macro: str, values: list[str], digest: str) -> None:
    assert hashed(macro, *values) == digest


def test_tiktoks_phone_without_its_plus() -> None:
    digest = "8d7bdaaf75196f351d22942fc0dd79304ffabc3eaf3339460ef9da0773e3aec2"
    assert hashed("tiktok_phone", "+16577770000", tiktok_phone_plus=False) == digest


@pytest.mark.parametrize(
    ("macro", "given", "expected"),
    [
        ("google_email", "Jane.Doe+Shop@Gmail.com", "janedoe@gmail.com"),
        ("google_email", "jane.doe@googlemail.com", "janedoe@googlemail.com"),
        ("google_email", "jane.doe+shop@example.com", "jane.doe+shop@example.com"),
        ("google_email", "+shop@gmail.com", None),
        ("google_email", "jane.doe@notgmail.com", "jane.doe@notgmail.com"),
        ("tiktok_email", " Jane. Doe@Gmail.com ", "jane.doe@gmail.com"),
        ("meta_email", "jane doe@gmail.com", None),
        ("meta_email", "jane", None),
        ("meta_email", "a@b@c", None),
        ("meta_email", "", None),
        ("meta_email", None, None),
        ("e164_phone", "+49 (0)30 123 45-67", "+49301234567"),
        ("e164_phone", "0049.30.1234567", "+49301234567"),
        ("e164_phone", "030 1234567", None),
        ("e164_phone", "+49 30 1234567 ext 9", None),
        ("e164_phone", "+1234567890123456", None),
        ("e164_phone", "+1", None),
        ("e164_phone", "", None),
        ("e164_phone", None, None),
        ("matched_name", " O'Hara-Smith ", "oharasmith"),
        ("matched_name", "Anna  Maria", "anna maria"),
        ("matched_name", "...", None),
        ("matched_country", "Germany", None),
        ("matched_country", " de ", "de"),
    ],
)
def test_what_is_written_how(macro: str, given: str | None, expected: str | None) -> None:
    assert normalise(macro, [given]) == [expected]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("plain", "jane.doe+x@shop.example"),
        ("strip_plus", "jane.doe@shop.example"),
        ("strip_plus_dots", "janedoe@shop.example"),
    ],
)
def test_tiktoks_three_rules(rule: str, expected: str) -> None:
    found = normalise("tiktok_email", ["Jane.Doe+x@shop.example"], tiktok_email_normalisation=rule)
    assert found == [expected]


@pytest.mark.parametrize(
    ("code", "country", "expected"),
    [("94045-1234", "US", "94045"), ("SW1A 1AA", "GB", "sw1a1aa"), ("00-950", None, "00950")],
)
def test_postal_codes(code: str, country: str | None, expected: str) -> None:
    assert normalise("matched_postal_code", [code], [country]) == [expected]


def test_a_number_at_home_is_completed_by_the_variable() -> None:
    given = ["030 1234567", "+43 1 2345678", "0041 44 123 45 67"]
    found = normalise("e164_phone", given, phone_calling_code="49")
    assert found == ["+49301234567", "+4312345678", "+41441234567"]


TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
LOCALS = st.text("abcXYZ.+ 09", min_size=0, max_size=12)
DOMAINS = st.sampled_from(["gmail.com", "Googlemail.com", "example.com", "x.gmail.com"])
ADDRESSES = st.one_of(TEXTS, st.builds(lambda a, b: f"{a}@{b}", LOCALS, DOMAINS))
PHONES = st.one_of(TEXTS, st.text("+0123456789 ()-.", max_size=22))


@settings(deadline=None, max_examples=25)
@given(st.lists(ADDRESSES, min_size=1, max_size=60))
@pytest.mark.parametrize("macro", ["meta_email", "google_email", "tiktok_email"])
def test_what_is_normalised_stays_as_it_is(macro: str, given: list[str]) -> None:
    once = normalise(macro, given)
    assert normalise(macro, once) == once
    assert all(text is None or (text == text.strip() and text.count("@") == 1) for text in once)


@settings(deadline=None, max_examples=25)
@given(st.lists(PHONES, min_size=1, max_size=60))
def test_a_phone_is_e164_or_none(given: list[str]) -> None:
    once = normalise("e164_phone", given)
    assert normalise("e164_phone", once) == once
    assert all(
        text is None or (text[0] == "+" and text[1:].isdecimal() and 8 <= len(text[1:]) <= 15)
        for text in once
    )


@settings(deadline=None, max_examples=25)
@given(st.lists(TEXTS, min_size=1, max_size=60))
def test_a_name_keeps_no_punctuation_and_stays_as_it_is(given: list[str]) -> None:
    once = normalise("matched_name", given)
    assert normalise("matched_name", once) == once
    assert all(text is None or not set(text) & set("'-.,;!\"()@") for text in once)
