"""The metrics page, in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from loaders.receiver.counters import BOUNDS
from loaders.receiver.refusals import Refusal

if TYPE_CHECKING:
    from loaders.receiver.counters import Counters
    from loaders.receiver.spool import SpoolSize

CONTENT_TYPE = "text/plain; version=0.0.4"

_NAME = "cio_receive_"
_QUANTILES = (0.5, 0.9, 0.99)


def render(counters: Counters, spool: SpoolSize) -> str:
    """The page: counts of all workers since the receiver started, and the spool as it is."""
    parts = [
        _counter("accepted_total", "Requests acknowledged, on disk.", counters.total("accepted")),
        _counter(
            "enclosed_total",
            "Of those, bodies that cannot be an event; a load puts them into quarantine.",
            counters.total("enclosed"),
        ),
        _family("refused_total", "Requests refused, by reason.", "counter"),
        *(
            f'{_NAME}refused_total{{reason="{refusal.value}"}} {counters.total(refusal.count):.0f}'
            for refusal in Refusal
        ),
        _counter(
            "received_bytes_total", "Bytes of accepted bodies.", counters.total("received_bytes")
        ),
        _counter("fsyncs_total", "Groups of events put on disk.", counters.total("fsyncs")),
        _gauge("spool_files", "Files waiting for a load, open ones included.", spool.files),
        _gauge("spool_bytes", "Bytes waiting for a load.", spool.size_bytes),
        *_latency(counters),
    ]
    return "\n".join(parts) + "\n"


def _latency(counters: Counters) -> list[str]:
    """A histogram of seconds, and quantiles read off it for those who have no Prometheus."""
    cumulated = list(accumulate(counters.buckets()))
    count = cumulated[-1]
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    name = f"{_NAME}latency_seconds"
    return [
        _family("latency_seconds", "From a request to its acknowledgement.", "histogram"),
        *(
            f'{name}_bucket{{le="{bound}"}} {number:.0f}'
            for bound, number in zip(bounds, cumulated, strict=True)
        ),
        f"{name}_sum {counters.total('latency_sum'):.6f}",
        f"{name}_count {count:.0f}",
        _family("latency_at_most_seconds", "Latency by quantile, as a bucket's bound.", "gauge"),
        *(
            f'{_NAME}latency_at_most_seconds{{quantile="{quantile:g}"}} '
            f"{_quantile(cumulated, quantile)}"
            for quantile in _QUANTILES
        ),
    ]


def _quantile(cumulated: list[float], quantile: float) -> str:
    count = cumulated[-1]
    if not count:
        return "NaN"
    reached = next(i for i, number in enumerate(cumulated) if number >= quantile * count)
    return f"{BOUNDS[reached]:g}" if reached < len(BOUNDS) else "+Inf"


def _family(name: str, text: str, kind: str) -> str:
    return f"# HELP {_NAME}{name} {text}\n# TYPE {_NAME}{name} {kind}"


def _counter(name: str, text: str, value: float) -> str:
    return f"{_family(name, text, 'counter')}\n{_NAME}{name} {value:.0f}"


def _gauge(name: str, text: str, value: float) -> str:
    return f"{_family(name, text, 'gauge')}\n{_NAME}{name} {value:.0f}"
