"""Commands whose modules are imported when they are run, so that `cio` itself starts at once.

Reading files with dlt, drawing charts and speaking to vendors each import packages for a second or
more; `cio --help` needs none of them, and no command needs all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping


class Command(NamedTuple):
    """One command, as the list of commands shows it.

    Attributes:
        place: `module:name` of its function, or of its group when it has commands of its own.
        help: What it does: the first paragraph of its own help.
        example: An example, for the end of its help; a group's commands have theirs.
    """

    place: str
    help: str
    example: str = ""

    def load(self, name: str) -> Any:  # noqa: ANN401 - a command of the click that Typer carries
        """Import the command's module and make the command.

        Args:
            name: What it is called.
        """
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            made = typer.main.get_group(found)
            made.name = name
            return made
        one = typer.Typer(add_completion=False)
        one.command(name, epilog=f"Example: {self.example}")(found)
        return typer.main.get_command(one)


def lazy_group(commands: Mapping[str, Command]) -> type[TyperGroup]:
    """A group of commands, each of which is imported only when it is called for by its name.

    Args:
        commands: The commands by name, in the order in which the help lists them.

    Returns:
        A class for `Typer(cls=…)`.
    """

    class Group(TyperGroup):
        """The commands by name; what its own help lists is what we say of them here."""

        def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - whatever Typer gives
            super().__init__(**attributes)
            listed = {
                name: TyperCommand(name, help=one.help, rich_markup_mode=self.rich_markup_mode)
                for name, one in commands.items()
            }
            self.commands = {**listed, **self.commands}

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - of Typer's click
            lazy = commands.get(cmd_name)
            return super().get_command(ctx, cmd_name) if lazy is None else lazy.load(cmd_name)

        def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - of Typer's click
            listing = TyperGroup(
                name=self.name,
                commands=dict(self.commands),
                params=self.params,
                help=self.help,
                epilog=self.epilog,
                rich_markup_mode=self.rich_markup_mode,
            )
            listing.format_help(ctx, formatter)

    return Group
