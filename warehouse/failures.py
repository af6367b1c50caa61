"""What failed inside a load, found under the layers that wrapped it."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def recoverable(purpose: str, stands: str = "Nothing of this load counts") -> Iterator[None]:
    """Turn what dlt and DuckDB raise into errors a user can act on.

    Args:
        purpose: What was being done, for the message: `load orders`.
        stands: What is left of it, for the message.

    Raises:
        CioError: The one that our own code raised within; or the disk is full; or else the
            innermost failure.
    """
    try:
        yield
    except CioError:
        raise
    except Exception as error:
        raise recoverable_error(error, purpose, stands) from error


def recoverable_error(error: BaseException, purpose: str, stands: str) -> CioError:
    """The error that `recoverable` raises for another.

    Args:
        error: What dlt, DuckDB or the system raised.
        purpose: What was being done: `load orders`.
        stands: What is left of it.
    """
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, CioError):
            return link
    if any(is_disk_full(link) for link in chain):
        return CioError(
            f"cannot {purpose}: the disk is full. {stands}; make room in the folder of CIO_HOME "
            "and run it again."
        )
    innermost = chain[-1]
    return CioError(
        f"cannot {purpose}: {type(innermost).__name__}: {innermost}. {stands}; run it again once "
        "that is mended."
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that the disk has no room, as the system or DuckDB words it."""
    is_full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    # what DuckDB spills is bounded by the room that the disk had when it began
    words = ("No space left on device", "'max_temp_directory_size' setting")
    return is_full or any(each in str(error) for each in words)
