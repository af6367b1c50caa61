"""How often intervals hold the truth: `python benchmarks/worlds.py [--worlds N] [--people N]`.

Each seeded world is generated, loaded and built as a company's data are, up to
`experiment_results`. What messages did to its people is known without sampling error
(`fakes/world/truth.py`), so every 95 % interval either holds its planted effect or does not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from cio.demo import load_world
from fakes.population import WorldSettings, generate
from warehouse.connection import open_warehouse
from warehouse.home import Home

ROOT = Path(__file__).resolve().parents[1]
FIRST_SEED = 20_260_901
_RESULTS = """
select experiment_id, arm, metric, method, effect, ci_low, ci_high, is_headline, verdict
from dev_as_of_{as_of}_marts.experiment_results
where segment = 'all' and method <> 'between_arms' and ci_low is not null
order by experiment_id, arm, metric, method
"""
# an effect on who was delivered to is another number than what was planted on everybody
_OTHER = frozenset({"cace"})


def main() -> None:
    """Build the worlds one after the other, and write which intervals held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=5)
    parser.add_argument("--people", type=int, default=12_000)
    given = parser.parse_args()
    found = [
        row for number in range(given.worlds) for row in _world(FIRST_SEED + number, given.people)
    ]
    methods: dict[str, list[bool]] = defaultdict(list)
    for row in found:
        methods[row["method"]].append(row["holds"])
        if row["is_headline"]:
            methods["what verdicts rest on"].append(row["holds"])
    told = {
        "worlds": given.worlds,
        "people": given.people,
        "held": {name: f"{sum(held)} of {len(held)}" for name, held in sorted(methods.items())},
        "missed": [row for row in found if not row["holds"]],
    }
    text = json.dumps(told, indent=2)
    (ROOT / "benchmarks" / "results" / "worlds.json").write_text(text + "\n", encoding="utf-8")
    print(text)  # noqa: T201 - the result


def _world(seed: int, people: int) -> list[dict[str, Any]]:
    """Each interval of one world beside what was planted."""
    settings = WorldSettings(people=people, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "world"
        generate(settings, world)
        home = Home(Path(folder) / "home")
        home.make()
        load_world(home, world, settings.ends_at)
        _build(home, settings)
        truth = json.loads((world / "truth.json").read_text(encoding="utf-8"))["experiments"]
        as_of = f"{settings.ends_at:%Y%m%dt%H%M%S}"
        with open_warehouse(home, purpose="benchmark") as warehouse:
            rows = warehouse.execute(_RESULTS.format(as_of=as_of)).to_arrow_table().to_pylist()
    found = []
    for row in rows:
        planted = truth[row["experiment_id"]]["arms"][row["arm"]]["metrics"].get(row["metric"])
        if planted is not None and row["method"] not in _OTHER:
            effect = planted["true_effect"]
            holds = row["ci_low"] <= effect <= row["ci_high"]
            found.append({"seed": seed, **row, "planted": effect, "holds": holds})
    return found


def _build(home: Home, settings: WorldSettings) -> None:
    subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "dbt.cli.main", "--quiet", "--log-level-file", "none", "build"),
            *("--select", "+experiment_results", "--exclude-resource-type", "unit_test", "test"),
            *("--target-path", str(home.root / "target"), "--threads", "2"),
            *("--vars", json.dumps({"as_of": settings.ends_at.isoformat()})),
        ],
        cwd=ROOT,
        env=os.environ
        | {"CIO_HOME": str(home.root), "CIO_COMPANY": "fakes/company", "PYTHONPATH": str(ROOT)},
        check=True,
    )


if __name__ == "__main__":
    main()
