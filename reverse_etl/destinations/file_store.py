"""A folder of any store that fsspec reaches: written to, looked for, and what hinders either.

https://filesystem-spec.readthedocs.io/en/latest/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reverse_etl.contract import Denied, Later, Stop, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsspec import AbstractFileSystem

    from reverse_etl.contract import Reply

T = TypeVar("T")


def write(folder: str, files: Mapping[str, bytes]) -> Reply:
    """Write files in their order, into a folder that is made if it is not there."""

    def act(system: AbstractFileSystem, path: str) -> Reply:
        system.makedirs(path, exist_ok=True)
        for name, content in files.items():
            system.pipe_file(f"{path}/{name}", content)
        return Taken()

    return attempt(folder, act)


def exists(folder: str) -> bool | Reply:
    """Whether a folder is there, or what hindered looking."""
    return attempt(folder, lambda system, path: bool(system.exists(path)))


def attempt(folder: str, act: Callable[[AbstractFileSystem, str], T]) -> T | Reply:
    """What an act came to, or what hindered it.

    A store's own words may name people's files: they are not kept. Its client is loaded only here.
    """
    try:
        import fsspec  # noqa: PLC0415 - 0.1 s that no other command should pay

        return act(*fsspec.core.url_to_fs(folder))
    except PermissionError:
        return Denied(403)
    except ImportError as error:
        return Stop(f"needs the package of its store ({error.name}), which is not installed")
    except ValueError:
        return Stop("has a base_url whose kind fsspec does not know")
    except Exception as error:  # noqa: BLE001 - each store's client raises errors of its own
        return Later(f"could not write ({type(error).__name__})", is_maybe_accepted=True)
