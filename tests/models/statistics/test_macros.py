"""What holds for the SQL of all macros."""

import re
from pathlib import Path

import yaml

_ROOT = Path(__file__).resolve().parents[3]
_BOTH_ENGINES_HAVE = {"exp", "ln", "sqrt", "abs", "power", "sign", "least", "greatest"}
_BOTH_ENGINES_HAVE |= {"cast", "coalesce", "nullif", "sum", "min", "max", "count", "row_number"}
_BOTH_ENGINES_HAVE |= {"lead", "ceil", "bool_or"}
_KEYWORDS = {"and", "as", "by", "case", "else", "end", "from", "in", "not", "or", "over", "select"}
_KEYWORDS |= {"then", "when"}


def _without_comments(sql: str) -> str:
    return re.sub(r"--.*", "", sql)


def test_the_sql_calls_only_functions_that_duckdb_and_spark_share(compiled: dict[str, str]) -> None:
    for name, sql in compiled.items():
        called = set(re.findall(r"\b([a-z_]\w*)\s*\(", _without_comments(sql)))
        dialect = {"md5", "substr"} if name == "bucket" else set()
        assert called - _KEYWORDS <= _BOTH_ENGINES_HAVE | dialect, name


def test_no_number_is_a_decimal_which_would_overflow(compiled: dict[str, str]) -> None:
    for name, sql in compiled.items():
        numbers = re.findall(r"(?<![\w.])\d+\.\d+\w*", _without_comments(sql))
        assert not [number for number in numbers if "e" not in number], name


def test_every_macro_is_described_with_its_arguments() -> None:
    described = yaml.safe_load((_ROOT / "macros/experiments/_macros.yml").read_text())["macros"]
    documented = {
        macro["name"]: [argument["name"] for argument in macro.get("arguments", [])]
        for macro in described
        if macro["description"] and all(a["description"] for a in macro.get("arguments", []))
    }
    files = [*(_ROOT / "macros" / "experiments").glob("*.sql")]
    files += [_ROOT / "macros" / "engines" / "hash_bucket.sql"]
    written = {}
    for file in files:
        for name, signature in re.findall(r"macro (\w+)\(([^)]*)\)", file.read_text()):
            if "__" not in name:  # the engines' own versions are described once, by the first
                arguments = [argument.split("=")[0].strip() for argument in signature.split(",")]
                written[name] = [argument for argument in arguments if argument]
    assert documented == written
