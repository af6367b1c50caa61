"""What dbt makes on a shortcut is what it makes on its own way."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

import agate
import dbt.compilation
import dbt.context.macros
import dbt_common.clients.jinja
import dbt_common.clients.system
import jinja2
import pytest
from dbt.adapters.duckdb.relation import DuckDBRelation
from dbt.adapters.exceptions import ApproximateMatchError
from dbt.artifacts.resources.v1.components import InjectedCTE
from dbt.clients.jinja import MacroGenerator, MacroStack
from dbt.context.configured import ConfiguredContext
from dbt.context.providers import RuntimeVar
from dbt.contracts.graph.unparsed import UnparsedColumn
from dbt.events.types import FoundStats, MainEncounteredError, WritingInjectedSQLForNode
from dbt.node_types import NodeType
from dbt_common.behavior_flags import Behavior, BehaviorFlagRendered
from dbt_common.clients.jinja import get_template, render_template
from dbt_common.dataclass_schema import ValidationError
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.exceptions.events import EventCompilationError

from cio import dbt_shortcuts
from cio.dbt_release import WRITTEN_FOR, take_known_shortcuts
from cio.dbt_shortcuts import Listening, Plain, build_namespace, inject, take_shortcuts, to_dict
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from dbt.adapters.base.impl import BaseAdapter
    from dbt.context.manifest import ManifestContext
    from dbt.context.providers import UnitTestVar

PACKAGES = ("dbt_duckdb", "dbt", "ours", "theirs")
# each name stands in those packages whose number it has
NAMES = {"everywhere": PACKAGES, "inside": PACKAGES[:2], "outside": PACKAGES[2:]}
NAMES |= {f"only_in_{package}": (package,) for package in PACKAGES}
ROWS = [
    InjectedCTE(id=f"model.{name}", sql=f" __dbt__cte__{name} as (\nselect 1 as with_a\n)")
    for name in ("people", "orders")
]


@pytest.fixture(scope="module")
def own() -> ModuleType:
    return as_on_disk(dbt.context.macros)


@pytest.fixture(scope="module")
def own_compilation() -> ModuleType:
    return as_on_disk(dbt.compilation)


def as_on_disk(replaced: ModuleType) -> ModuleType:
    """A module of dbt's as it comes, whatever was replaced in this process."""
    assert replaced.__file__ is not None
    spec = importlib.util.spec_from_file_location("own_module", replaced.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def macros_by_package() -> dict[str, dict[str, Any]]:
    return {
        package: {
            name: SimpleNamespace(name=name, package_name=package, unique_id=f"{package}.{name}")
            for name, packages in NAMES.items()
            if package in packages
        }
        for package in PACKAGES
    }


def flat(found: object) -> object:
    """What each name stands for: a macro, or all those of a package."""
    if isinstance(found, dict):
        return {name: flat(each) for name, each in found.items()}
    assert isinstance(found, MacroGenerator)
    return found.macro.unique_id, {**vars(found), "macro": None, "stack": id(found.stack)}


@pytest.mark.parametrize("package", ["ours", "theirs", "dbt"])
def test_a_name_stands_for_the_same_macro(own: ModuleType, package: str) -> None:
    stack, context = MacroStack(), {"a": 1}
    builders = [
        module.MacroNamespaceBuilder("ours", package, stack, list(PACKAGES[:2]), "node")
        for module in (own, dbt.context.macros)
    ]
    expected = builders[0].build_namespace(macros_by_package(), context)
    found = build_namespace(builders[1], macros_by_package(), context)
    assert flat(dict(found)) == flat(dict(expected))
    for name in NAMES:
        for where in (None, "dbt", "ours", "theirs"):
            wanted = expected.get_from_package(where, name)
            made = found.get_from_package(where, name)
            assert (made and flat(made)) == (wanted and flat(wanted))
    with patch.object(ConfiguredContext, "to_dict", return_value={"everywhere": 1, "var": 2}):
        told = to_dict(cast("ManifestContext", SimpleNamespace(namespace=found)))
    assert told.pop("var") == 2
    assert flat(told) == flat(dict(expected))


@pytest.mark.parametrize(
    "sql",
    [
        "with people as (select 1) select * from people",
        "\n\n-- with a reason\n--\n  WITH\npeople as (select 1) select * from people",
        "with people as (with a as (select 1) from a), b as (select 'with') from b",
    ],
)
def test_rows_of_unit_tests_go_before_a_models_own(sql: str) -> None:
    with patch.object(dbt_shortcuts, "inject_anywhere") as asked:
        found = inject(sql, ROWS)
    asked.assert_not_called()
    assert found == dbt_shortcuts.inject_anywhere(sql, ROWS)


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "with recursive a as (select 1) from a",
        "with /* why */ recursive a as (select 1) from a",
        "with -- why\n a as (select 1) from a",
        "/* why */ with a as (select 1) from a",
        "select * from (with a as (select 1) from a)",
        "without_a as (select 1)",
    ],
)
def test_all_other_sql_is_left_to_dbt(sql: str) -> None:
    with patch.object(dbt_shortcuts, "inject_anywhere") as asked:
        inject(sql, ROWS)
    asked.assert_called_once_with(sql, ROWS)


@pytest.mark.parametrize("is_native", [False, True])
def test_a_template_that_was_compiled_before_reads_as_it_did(*, is_native: bool) -> None:
    take_shortcuts()
    text = "{% if a %}{{ a | as_number }}{% else %}{{ modules }}{% endif %}"
    found = [
        render_template(get_template(text, {}, native=is_native), {"a": given, "modules": [given]})
        for given in ("1", "", "2")
    ]
    assert found == ([1, [""], 2] if is_native else ["1", "['']", "2"])


def test_a_model_without_rows_stays_as_it_is() -> None:
    assert inject("with a as (select 1) from a", []) == "with a as (select 1) from a"


def test_events_are_heard_but_those_for_debugging_of_which_there_is_no_log() -> None:
    take_shortcuts()
    take_shortcuts()
    assert isinstance(get_event_manager(), Listening)
    heard: list[Any] = []
    manager = Listening()
    manager.add_callback(heard.append)
    manager.fire_event(FoundStats(stat_line="two models"))
    manager.fire_event(MainEncounteredError(exc="broken"))
    manager.fire_event(WritingInjectedSQLForNode(node_info={"node_name": "a"}))
    manager.fire_event(FoundStats(stat_line="none"), EventLevel.DEBUG)
    told = [(each.info.name, each.info.level, each.info.msg) for each in heard]
    assert told == [
        ("FoundStats", "info", "Found two models"),
        ("MainEncounteredError", "error", "Encountered an error:\nbroken"),
    ]
    manager.fire_event(WritingInjectedSQLForNode(node_info={"node_name": "a"}), EventLevel.WARN)
    assert (heard[-1].info.level, heard[-1].data.node_info.node_name) == ("warn", "a")
    manager.warn_error = True
    with pytest.raises(EventCompilationError):
        manager.fire_event(
            FoundStats(stat_line="x"), EventLevel.DEBUG, force_warn_or_error_handling=True
        )
    manager.loggers.append(SimpleNamespace(filter=lambda _: True, write_line=heard.append))
    manager.fire_event(FoundStats(stat_line="all"), EventLevel.DEBUG)
    assert [each.info.msg for each in heard[-2:]] == ["Found all"] * 2


def test_the_shortcuts_are_for_the_releases_that_are_installed_here() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    assert {name: pinned[name] for name in WRITTEN_FOR} == WRITTEN_FOR
    assert take_known_shortcuts()


def test_with_another_release_dbt_goes_its_own_way() -> None:
    code = (
        "import sys\n"
        "from cio import dbt_release\n"
        "dbt_release.WRITTEN_FOR['dbt-core'] = '1.11.0'\n"
        "taken = dbt_release.take_known_shortcuts()\n"
        "print(taken, 'cio.dbt_shortcuts' in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a",
            "1",
            "[1]",
            "'a'",
            "true",
            "None",
            " a\t",
            "a\n",
            "a\n\n",
            "\n",
            "\r\n",
            "a\r\nb\rc",
        )
    ],
)
def test_text_without_anything_to_fill_in_is_what_its_template_gives(text: str) -> None:
    assert text in Plain()
    assert Plain()[text] == render_template(get_template(text, {}, native=True), {})


def test_a_value_that_is_no_text_is_not_known() -> None:
    assert 1 not in Plain()
    assert StrEnum("Kind", ["a"])("a") not in Plain()  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    "text", ["a person", "", "{{ doc('a') }} and {{ doc('ours', 'b') }}", "a { b", "{# why #}"]
)
def test_a_description_refers_to_the_same(text: str) -> None:
    ways = [dbt_shortcuts.parse_description, dbt_common.clients.jinja.parse]
    found, expected = (list(way(text).find_all(jinja2.nodes.Call)) for way in ways)
    assert found == expected


def test_artifacts_are_the_same_bytes(tmp_path: Path) -> None:
    data = {
        "é": [1.5, None, True, float("inf"), ("a",)],
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "more": {"amount": Decimal("1.5"), "nothing": jinja2.Undefined(), 1: "one"},
    }
    dbt_shortcuts.write_json(str(tmp_path / "new" / "a.json"), data)
    dbt_common.clients.system.write_json(str(tmp_path / "b.json"), data)
    assert (tmp_path / "new" / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("name", ["people", "PEOPLE", '"people"', "nobody", "orders"])
def test_the_same_tables_are_meant_by_a_name(name: str) -> None:
    relations = [
        DuckDBRelation.create(database="w", schema=schema, identifier=identifier)
        for schema in ("marts", "Marts")
        for identifier in ("people", "orders", "people_2")
    ]
    adapter = cast(
        "BaseAdapter",
        SimpleNamespace(
            _make_match_kwargs=lambda *given: dict(
                zip(("database", "schema", "identifier"), given, strict=True)
            )
        ),
    )

    def outcome(way: Any) -> object:  # noqa: ANN401 - ours or dbt's
        try:
            return way(adapter, relations[:3], "w", "marts", name)
        except ApproximateMatchError as error:
            return str(error)

    assert outcome(dbt_shortcuts.make_match) == outcome(dbt_shortcuts._make_match)  # noqa: SLF001 - dbt's own


def test_a_mistake_in_a_file_is_told_in_dbts_words() -> None:
    take_shortcuts()
    with pytest.raises(ValidationError, match="'name' is a required property"):
        UnparsedColumn.validate({"description": "of nothing"})
    UnparsedColumn.validate({"name": "person_id"})


@pytest.mark.parametrize("edges", [["ab", "bc", "ac"], ["ab", "bc", "ca"], ["aa"], []])
def test_cycles_are_found_and_the_summary_of_a_graph_is_the_same(
    own_compilation: ModuleType, edges: list[str]
) -> None:
    nodes = {name: SourceOf(name) for name in "abcd"}
    manifest: Any = SimpleNamespace(expect=nodes.get)
    ours, theirs = dbt.compilation.Linker(), own_compilation.Linker()
    for linker in (ours, theirs):
        linker.graph.add_nodes_from(nodes)
        linker.graph.add_edges_from(edges)
    assert dbt_shortcuts.find_cycles(ours) == theirs.find_cycles()
    assert dbt_shortcuts.get_graph_summary(ours, manifest) == theirs.get_graph_summary(manifest)


class SourceOf(SimpleNamespace):
    """A node as far as a summary tells of it."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, resource_type=NodeType.Source)

    def to_dict(self, *, omit_none: bool) -> dict[str, str]:
        assert omit_none
        return {"name": self.name, "resource_type": "source"}


def test_flags_are_told_to_come_from_where_dbt_says() -> None:
    flag: Any = {"name": "a", "default": False, "description": "a flag"}
    sources = [inspect.getattr_static(BehaviorFlagRendered, "_default_source").__func__]
    sources.append(dbt_shortcuts.default_source)
    found = []
    for source in sources:
        with patch.object(BehaviorFlagRendered, "_default_source", staticmethod(source)):
            made = Behavior([flag], {}).a._behavior_change_event  # noqa: SLF001 - where it is told
        found.append(made.flag_source)
    assert found == [__name__, __name__]


def test_columns_are_of_the_types_that_dbt_finds() -> None:
    names = ["text", "told", "day", "instant", "whole", "broken", "flag", "nothing"]
    rows = [
        ["1", "2026-01-02", "2026-01-02", "2026-01-02 03:04:05", "7", "1.5", "true", "null"],
        ["", "x", "2026-01-03", "2026-01-02T03:04:05", "8", "", "false", ""],
    ]
    for texts, nulls in ((["text", "told"], ()), ([], ("null", "")), (["text"], ("null", ""))):
        testers = [dbt_shortcuts.build_type_tester, dbt_shortcuts._build_type_tester]  # noqa: SLF001 - dbt's own
        found, expected = (
            agate.Table(rows, names, column_types=way(texts, nulls)) for way in testers
        )
        kinds = [[type(kind) for kind in table.column_types] for table in (found, expected)]
        assert kinds[0] == kinds[1]
        assert [tuple(row) for row in found.rows] == [tuple(row) for row in expected.rows]


def test_a_unit_tests_variables_are_its_own() -> None:
    given: Any = SimpleNamespace(cli_vars={"a": 1, "b": {"c": 1}})
    node: Any = SimpleNamespace(overrides=SimpleNamespace(vars={"b": 2}))
    plain: Any = SimpleNamespace(overrides=None)
    with patch.object(RuntimeVar, "__init__") as made:
        dbt_shortcuts.set_unit_test_variables(cast("UnitTestVar", object()), {}, given, node)
        dbt_shortcuts.set_unit_test_variables(cast("UnitTestVar", object()), {}, given, plain)
    configs = [call.args[2] for call in made.call_args_list]
    assert configs[0].cli_vars == {"a": 1, "b": 2}
    assert configs[1] is given
    assert given.cli_vars == {"a": 1, "b": {"c": 1}}
