"""Sums with known results, and the types the tests share.

They are those of the published Hillstrom e-mail test (K. Hillstrom, MineThatData, 2008): spend in
the two weeks after, 64,000 people in three random arms. What the tests expect of them was computed
with scipy and statsmodels.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Row = dict[str, Any]
# Runs the query of this name over rows, which it finds as `arguments` with their order as `i`.
Compute = Callable[[str, Iterable[Row]], list[Row]]

CONTROL = {
    "n_c": 21306,
    "sum_y_c": 13908.33,
    "sum_yy_c": 2870050.3621,
    "sum_yyy_c": 879704458.992219,
}
MENS = {
    "n_t": 21307,
    "sum_y_t": 30311.69,
    "sum_yy_t": 6759024.4973,
    "sum_yyy_t": 2172894663.4204907,
}
WOMENS = {
    "n_t": 21387,
    "sum_y_t": 23038.11,
    "sum_yy_t": 4911446.5763,
    "sum_yyy_t": 1472945181.929277,
}
WOMENS_AS_CONTROL = {key.replace("_t", "_c"): value for key, value in WOMENS.items()}


def close(value: object, relative: float = 1e-9) -> Any:  # noqa: ANN401 - pytest.approx has no type
    """What equals the value up to a relative error."""
    return pytest.approx(value, rel=relative, abs=0)


def sums(y_t: npt.NDArray[np.float64], y_c: npt.NDArray[np.float64]) -> Row:
    """The sums of two samples, as `welch_results` takes them."""
    return {
        "n_t": len(y_t),
        "sum_y_t": float(y_t.sum()),
        "sum_yy_t": float((y_t**2).sum()),
        "n_c": len(y_c),
        "sum_y_c": float(y_c.sum()),
        "sum_yy_c": float((y_c**2).sum()),
    }
