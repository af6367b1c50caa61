"""Shortcuts through dbt: what it does for each node and nobody looks at is left out.

A build of small tables spends most of its time in dbt's own Python. Of 38 core seconds for the 591
nodes of an empty warehouse these shortcuts take 12. None changes what dbt makes: tests hold each to
dbt's own, for the version that `pyproject.toml` asks for.
"""

from __future__ import annotations

import copy
import functools
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import agate  # type: ignore[import-untyped]
import dbt.artifacts.schemas.base
import dbt.artifacts.schemas.run.v5.run
import dbt.clients.jinja
import dbt.compilation
import dbt.parser.manifest
import dbt_common.clients.jinja
import jinja2
import networkx  # type: ignore[import-untyped]
from dbt.adapters.base.impl import BaseAdapter
from dbt.clients.jinja import MacroGenerator
from dbt.compilation import Linker
from dbt.context.configured import ConfiguredContext
from dbt.context.macro_resolver import TestMacroNamespace
from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
from dbt.context.manifest import ManifestContext
from dbt.context.providers import RuntimeVar, UnitTestVar
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients import agate_helper
from dbt_common.clients.jinja import MacroFuzzEnvironment
from dbt_common.dataclass_schema import dbtClassMixin
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager
from dbt_common.utils.encoding import JSONEncoder

from cio.dbt_kept import in_project
from cio.dbt_schemas import surely

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from dbt.adapters.base.relation import BaseRelation
    from dbt.artifacts.resources.v1.components import InjectedCTE
    from dbt.config.runtime import RuntimeConfig
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import Macro, UnitTestNode

    from cio.dbt_schemas import Check

_WITH = re.compile(r"(?:\s|--[^\n]*\n)*with\s+(?!\s|--|/\*|recursive\b)", re.IGNORECASE)
_LINES = re.compile(r"\r\n|\r|\n")
_kept = in_project()
_checks: dict[type[dbtClassMixin], Check] = {}
_compile_template = MacroFuzzEnvironment.compile
_find_schema = dbtClassMixin.json_schema.__func__  # type: ignore[attr-defined]
_find_mistakes = dbtClassMixin.validate.__func__  # type: ignore[attr-defined]
_make_match = BaseAdapter._make_match  # noqa: SLF001 - dbt asks it for each table it names
_find_cycles = Linker.find_cycles
_build_type_tester = agate_helper.build_type_tester
_make_message = BaseEvent.__init__
inject_anywhere = dbt.compilation.inject_ctes_into_sql


def take_shortcuts() -> None:
    """Let dbt take them in this process; once is enough, and again does no harm."""
    if isinstance(get_event_manager(), Listening):
        return
    ctx_set_event_manager(Listening())
    BaseEvent.__init__ = _keep_fields  # type: ignore[method-assign, assignment]
    BaseEvent.pb_msg = property(_message, _set_message)
    MacroNamespaceBuilder.build_namespace = build_namespace  # type: ignore[method-assign, assignment]
    ManifestContext.to_dict = to_dict  # type: ignore[method-assign]
    dbt.compilation.inject_ctes_into_sql = inject
    MacroFuzzEnvironment.compile = compile_once  # type: ignore[method-assign, assignment]
    BaseAdapter._make_match = make_match  # type: ignore[method-assign, assignment]  # noqa: SLF001 - as above
    Linker.find_cycles = find_cycles  # type: ignore[method-assign]
    Linker.get_graph_summary = get_graph_summary  # type: ignore[method-assign, assignment]
    UnitTestVar.__init__ = set_unit_test_variables  # type: ignore[method-assign, assignment]
    agate_helper.build_type_tester = build_type_tester  # type: ignore[assignment]
    agate_helper.empty_table = functools.cache(agate_helper.empty_table)
    BehaviorFlagRendered._default_source = staticmethod(default_source)  # type: ignore[method-assign]  # noqa: SLF001 - as above
    dbt.clients.jinja._render_cache = Plain()  # noqa: SLF001 - dbt asks it before anything else
    dbt.parser.manifest.parse = parse_description  # type: ignore[attr-defined, assignment]
    dbtClassMixin.json_schema = classmethod(json_schema)  # type: ignore[method-assign, assignment]
    dbtClassMixin.validate = classmethod(validate)  # type: ignore[method-assign, assignment]
    for artifacts in (dbt.artifacts.schemas.base, dbt.artifacts.schemas.run.v5.run):
        vars(artifacts)["write_json"] = write_json


def keep() -> None:
    """Keep what was worked out, for the processes that come."""
    _kept.write()


class Listening(EventManager):
    """Makes no message of an event for debugging while no log is kept: twenty a node."""

    def fire_event(
        self,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: object = None,
        force_warn_or_error_handling: bool = False,  # noqa: FBT001, FBT002 - as dbt has it
    ) -> None:
        """Tell of an event, if somebody may want to hear of it."""
        is_for_debugging = (level or e.level_tag()) is EventLevel.DEBUG
        if self.loggers or force_warn_or_error_handling or not is_for_debugging:
            super().fire_event(e, level, node, force_warn_or_error_handling)


def _keep_fields(event: BaseEvent, *args: object, **fields: object) -> None:
    vars(event)["fields"] = args, fields


def _message(event: BaseEvent) -> Any:  # noqa: ANN401 - a message of dbt's, whose type is made at run time
    """The message of an event, made when somebody asks for it."""
    if "message_made" not in vars(event):
        args, fields = vars(event)["fields"]
        _make_message(event, *args, **fields)
    return vars(event)["message_made"]


def _set_message(event: BaseEvent, message: Any) -> None:  # noqa: ANN401 - as above
    vars(event)["message_made"] = message


def build_namespace(
    builder: MacroNamespaceBuilder,
    macros_by_package: dict[str, dict[str, Macro]],
    ctx: dict[str, Any],
) -> MacroNamespace:
    """What the macros of a node's context are, without asking of each where it belongs."""
    made = {
        package: {
            name: _generator(macro, ctx, builder.node, builder.thread_ctx)
            for name, macro in macros.items()
        }
        for package, macros in macros_by_package.items()
    }
    of_dbt = {}
    # the first of the list is to win
    for package in reversed(builder.internal_package_names_order):
        of_dbt.update(made.get(package, {}))
    others = {
        package: macros
        for package, macros in made.items()
        if package not in builder.internal_package_names
    }
    is_root = builder.search_package == builder.root_package
    return MacroNamespace(
        global_namespace={} if is_root else others.get(builder.root_package, {}),
        local_namespace=others.get(builder.search_package, {}),
        global_project_namespace=of_dbt,
        packages=others,
    )


def _generator(
    macro: Macro,
    context: dict[str, Any],
    node: object,
    stack: object,
) -> MacroGenerator:
    """One of 760 a context: calling two constructors took most of the time it takes."""
    made = object.__new__(MacroGenerator)
    made.__dict__ = {"context": context, "macro": macro, "node": node, "stack": stack}
    return made


def to_dict(context: ManifestContext) -> dict[str, Any]:
    """The context with its macros, without looking each of them up in five places."""
    found: dict[str, Any] = ConfiguredContext.to_dict(context)
    namespace = context.namespace
    if isinstance(namespace, TestMacroNamespace):
        found.update(namespace.local_namespace)
        found.update(namespace.project_namespace)
    else:
        for macros in reversed(list(namespace._search_order())):  # noqa: SLF001 - the order is dbt's
            found.update(macros)
    return found


def compile_once(environment: MacroFuzzEnvironment, source: str) -> CodeType:
    """The code of a template: the environments that dbt makes, one a template, are all alike."""
    found: CodeType = _kept.get(
        (type(environment).__name__, source), lambda: _compile_template(environment, source)
    )
    return found


class Plain(dict[str, Any]):
    """What text without anything to fill in comes to: itself, with lines as templates have them."""

    def __contains__(self, text: object) -> bool:
        """Whether it is known: of all text, but not of what is told apart from it."""
        return type(text) is str

    def __getitem__(self, text: str) -> str:
        """The text that a template of its own would give."""
        lines = _LINES.split(text)
        return "\n".join(lines if lines[-1] else lines[:-1])


def parse_description(text: str) -> jinja2.nodes.Template:
    """What a description refers to: without a brace, nothing."""
    if "{" not in text:
        return jinja2.nodes.Template([])
    return dbt_common.clients.jinja.parse(text)


def json_schema(of: type[dbtClassMixin]) -> dict[str, Any]:
    """The schema of a class, which never changes."""
    key = "schema", of.__module__, of.__qualname__
    found: dict[str, Any] = _kept.get(key, lambda: json.loads(json.dumps(_find_schema(of))))
    return found


def validate(of: type[dbtClassMixin], data: Any) -> None:  # noqa: ANN401 - whatever a file has
    """Find out whether data keeps to the schema of a class; what is wrong with it dbt says."""
    if of not in _checks:
        _checks[of] = surely(of.json_schema())
    if not _checks[of](data):
        _find_mistakes(of, data)


def write_json(path: str, data: dict[str, Any]) -> bool:
    """Write an artifact at once, in the same bytes: piece by piece took five times as long."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(data, cls=JSONEncoder), encoding="utf-8")
    return True


def make_match(
    adapter: BaseAdapter,
    relations: list[BaseRelation],
    database: str,
    schema: str,
    identifier: str,
) -> list[BaseRelation]:
    """The relations that are meant, held against those alone whose name may be it."""
    name = identifier.lower().strip('"')
    near = [one for one in relations if str(one.identifier).lower().strip('"') == name]
    return _make_match(adapter, near, database, schema, identifier)


def find_cycles(linker: Linker) -> str | None:
    """A cycle of nodes, looked for edge by edge only if there is one."""
    if networkx.is_directed_acyclic_graph(linker.graph):
        return None
    found: str | None = _find_cycles(linker)  # type: ignore[no-untyped-call]
    return found


def get_graph_summary(linker: Linker, manifest: Manifest) -> dict[int, dict[str, Any]]:
    """What follows what, without writing every node out for the name of its kind."""
    numbers = {name: number for number, name in enumerate(linker.graph)}
    found: dict[int, dict[str, Any]] = {}
    for name, number in numbers.items():
        found[number] = {"name": name, "type": manifest.expect(name).resource_type.value}
        if followers := [numbers[one] for one in linker.graph.successors(name)]:
            found[number]["succ"] = followers
    return found


def default_source() -> str:
    """The module that asks for flags, without reading the source of all that called it."""
    frame = sys._getframe(1)  # noqa: SLF001 - what `inspect` is made of
    while frame.f_back and frame.f_globals.get("__name__") == BehaviorFlagRendered.__module__:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "Unknown"))


def build_type_tester(
    text_columns: Iterable[str], string_null_values: Iterable[str] = ("null", "")
) -> agate.TypeTester:
    """What types columns may have: the types themselves, with two calendars, are made once."""
    types = _types(tuple(string_null_values))
    return agate.TypeTester(force=dict.fromkeys(text_columns, types[-1]), types=types)


@functools.cache
def _types(string_null_values: tuple[str, ...]) -> list[agate.DataType]:
    made: list[agate.DataType] = _build_type_tester((), string_null_values)._possible_types  # noqa: SLF001 - they are told nowhere else
    return made


def set_unit_test_variables(
    var: UnitTestVar, context: dict[str, Any], config: RuntimeConfig, node: UnitTestNode
) -> None:
    """The variables that a unit test gives, over those of a configuration not copied whole."""
    if node.overrides and node.overrides.vars:
        config = copy.copy(config)
        config.cli_vars = {**config.cli_vars, **node.overrides.vars}
    RuntimeVar.__init__(var, context, config, node=node)


def inject(sql: str, ctes: list[InjectedCTE]) -> str:
    """Put the rows of a unit test before a model's own CTEs, without parsing all of its SQL."""
    begins = _WITH.match(sql) if ctes else None
    if begins is None:
        return inject_anywhere(sql, ctes)
    at = begins.end()
    return f"{sql[:at]}{', '.join(cte.sql for cte in ctes)}, {sql[at:]}"
