"""Shortcuts through dbt: what it does for each node and nobody looks at is left out.

A build of small tables spends most of its time in dbt's own Python. Of 38 core seconds for the 591
nodes of an empty warehouse these shortcuts take 12. None changes what dbt makes: tests hold each to
dbt's own, for the version that `pyproject.toml` asks for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dbt.compilation
from dbt.clients.jinja import MacroGenerator
from dbt.context.configured import ConfiguredContext
from dbt.context.macro_resolver import TestMacroNamespace
from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
from dbt.context.manifest import ManifestContext
from dbt_common.clients.jinja import MacroFuzzEnvironment
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager, get_event_manager

if TYPE_CHECKING:
    from types import CodeType

    from dbt.artifacts.resources.v1.components import InjectedCTE
    from dbt.contracts.graph.nodes import Macro

_WITH = re.compile(r"(?:\s|--[^\n]*\n)*with\s+(?!\s|--|/\*|recursive\b)", re.IGNORECASE)
_compiled: dict[tuple[type[MacroFuzzEnvironment], str], CodeType] = {}
_compile_template = MacroFuzzEnvironment.compile
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
            name: MacroGenerator(macro, ctx, builder.node, builder.thread_ctx)
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
    key = type(environment), source
    if key not in _compiled:
        _compiled[key] = _compile_template(environment, source)
    return _compiled[key]


def inject(sql: str, ctes: list[InjectedCTE]) -> str:
    """Put the rows of a unit test before a model's own CTEs, without parsing all of its SQL."""
    begins = _WITH.match(sql) if ctes else None
    if begins is None:
        return inject_anywhere(sql, ctes)
    at = begins.end()
    return f"{sql[:at]}{', '.join(cte.sql for cte in ctes)}, {sql[at:]}"
