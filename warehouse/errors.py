"""Errors that a user can act on, named by how to recover from them."""


class CioError(Exception):
    """Something a user can mend; the message says what is wrong and the way out.

    The command line prints the message alone, without a traceback, and exits with 1.
    """

    exit_code = 1


class UsageError(CioError):
    """Bad usage or configuration; the command line exits with 2."""

    exit_code = 2


class WarehouseBusy(CioError):  # noqa: N818 - says what the caller meets, as `filelock.Timeout` does
    """Another process kept the warehouse open for longer than the caller would wait."""
