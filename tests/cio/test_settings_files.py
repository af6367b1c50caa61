"""Settings files are added to, never rewritten; and all of them, or none."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cio.settings_files import Edit, Entry, edit, hide, make_private, write
from warehouse.errors import CioError, UsageError

WRITTEN = """# ours, since 2024
[run]
target = "dev"   # on purpose

# orders come nightly
[run.load.orders]
paths = [
  "orders/*.csv",
]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(WRITTEN)
    return path


def test_what_is_there_stays_with_its_comments(config: Path) -> None:
    entries = [
        Entry("run", "target", "prod"),
        Entry("run", "zone", "UTC"),
        Entry("run.load.webhooks"),
        Entry("reverse_etl.mixpanel", "region", "eu", comment="Where it lies."),
    ]
    after = edit(config, entries).after
    assert after == WRITTEN.replace("on purpose\n", 'on purpose\nzone = "UTC"\n') + (
        '\n[run.load.webhooks]\n\n# Where it lies.\n[reverse_etl.mixpanel]\nregion = "eu"\n'
    )


def test_a_value_that_differs_is_replaced_only_by_force(config: Path) -> None:
    asked = [Entry("run", "target", "prod", is_asked=True)]
    with pytest.raises(
        UsageError, match=r"target of \[run\] in .* is 'dev', not \"prod\".*--force"
    ):
        edit(config, asked)
    forced = edit(config, asked, force=True)
    assert forced.after == WRITTEN.replace('"dev"', '"prod"')
    assert [line for line in forced.diff() if line[0] in "+-"][2:] == [
        '-target = "dev"   # on purpose',
        '+target = "prod"   # on purpose',
    ]


def test_an_empty_text_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text('[a.b]\nkey = ""\nother = "kept"\n')
    assert edit(path, [Entry("a.b", "key", "new")]).after == '[a.b]\nkey = "new"\nother = "kept"\n'


@pytest.mark.parametrize(
    "written",
    [
        'run.load = {}\nrun.target = "dev"\n',
        'run = { target = "dev" }\n',
        '[run]\ntarget = """\n[run]\nx"""\n',
        '["run"]\ntarget = "dev"\n',
    ],
)
def test_what_cannot_be_added_to_is_left_alone(tmp_path: Path, written: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(written)
    asked = [Entry("run", "target", "prod", is_asked=True), Entry("run", "zone", "UTC")]
    with pytest.raises(UsageError, match="Nothing was changed"):
        edit(path, asked, force=True)


def test_a_section_that_is_a_value_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[run]\nload = 1\n")
    with pytest.raises(UsageError, match=r"load in .* is not a section: write \[run.load.orders\]"):
        edit(path, [Entry("run.load.orders", "paths", ("a",))])


@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_text_comes_out_as_it_went_in(value: str) -> None:
    made = edit(Path("nowhere.toml"), [Entry("a", "key", value), Entry("a", "list", (value, "x"))])
    assert tomllib.loads(made.after) == {"a": {"key": value, "list": [value, "x"]}}


def test_a_diff_of_secrets_shows_none(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text("[a]\nold = 's3cret-1'\nkey = \"\"")
    made = edit(path, [Entry("a", "key", 's3cret-2"#'), Entry("a", "empty", "")])
    shown = hide(made.diff())
    assert "s3cret" not in "\n".join(shown)
    assert shown[-2:] == ['+key = "…"', '+empty = ""']


def test_files_are_written_for_one_user_or_for_all(tmp_path: Path) -> None:
    folder = tmp_path / ".dlt"
    write([Edit(folder / name, None, "[a]\n") for name in ("config.toml", "secrets.toml")])
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"config.toml": 0o644, "secrets.toml": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "secrets.toml").chmod(0o644)
    assert make_private(folder / "secrets.toml")
    assert not make_private(folder / "secrets.toml")


def test_where_one_cannot_be_written_none_is(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def refuse_secrets(self: Path, target: Path) -> Path:
        if target.name == "secrets.toml":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse_secrets)
    new = tmp_path / "new"
    changes = [
        edit(config, [Entry("run", "zone", "UTC")]),
        Edit(new / "config.toml", None, "[a]\n"),
        Edit(new / "secrets.toml", None, "[a]\n"),
    ]
    with pytest.raises(CioError, match=r"No space left on device\. Nothing was changed"):
        write(changes)
    assert config.read_text() == WRITTEN
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]
