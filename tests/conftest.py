"""What tests share: homes of their own, one trust store, and an order that ends early."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import signal
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from cio.dbt import Project, run_dbt
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(__file__).resolve().parent.parent

# Files that take longest, measured; with them last, one worker would end long after the others.
LONGEST = (
    "cio/test_demo.py",
    "cio/test_tiny_warehouses.py",
    "models/test_increments.py",
    "reverse_etl/test_conformance.py",
    "real_data/test_starbucks.py",
    "real_data/test_hillstrom.py",
    "reverse_etl/test_killed.py",
    "cio/test_documented_commands.py",
    "cio/test_explain.py",
    "reverse_etl/test_run.py",
    "models/test_feeds.py",
    "models/test_random_loads.py",
    "models/test_mparticle.py",
    "reverse_etl/test_plan.py",
    "loaders/customerio/test_api_killed.py",
    "loaders/test_killed_loads.py",
    "cio/test_mistakes.py",
    "models/test_app_api.py",
    "models/test_arms.py",
    "models/test_identity.py",
)


def pytest_configure() -> None:
    """A run in the background ignores Ctrl-C, and so would every process that its tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: to look for garbage in it again and again took a fifth of it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longest files first; the order within a file stays."""
    ranks = {str(ROOT / "tests" / name): rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(str(item.path), len(ranks)))


@pytest.fixture(scope="session", autouse=True)
def _one_trust_store() -> Iterator[None]:
    """Reads the certificates once: each client of httpx reads them, 30 ms and more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home of the test's own."""
    monkeypatch.setenv("CIO_HOME", str(tmp_path / "home"))
    return Home.resolve()


@pytest.fixture(scope="session")
def manifest_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of this project alone, whatever company this machine is set up for.

    Parsed once, in full and without a warning, for all workers of a run.
    """
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    manifest = folder / "project" / "target" / "manifest.json"
    with FileLock(folder / "project.lock"):
        if not manifest.exists():
            _parse_project(folder / "project")
    return manifest


def _parse_project(folder: Path) -> None:
    home = Home(folder / "home")
    home.make()
    # for the target that `cio` names, or its builds would have to parse again
    run_dbt(
        Project(home, company=ROOT / "company"),
        "parse",
        ["--no-partial-parse", "--warn-error", "--target-path", str(folder / "target")],
    )


@pytest.fixture
def parsed_home(tmp_path: Path, manifest_file: Path) -> Path:
    """A home whose commands find the project parsed, so that they need not."""
    home = tmp_path / "home"
    (home / "target").mkdir(parents=True)
    shutil.copyfile(manifest_file, home / "target" / "manifest.json")
    return home


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Public data sets kept beside the repository, never in it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the public data sets are not here: {folder} is absent")
    return folder
