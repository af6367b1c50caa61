"""Each rule of the gate, with an audience that breaks it and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cio.audience_lock import bump, check_lock, write_lock
from cio.audiences import Audience, Finding, check, parse_window, read_audiences
from tests.cio.command import cio
from warehouse.definitions import Locked, read_lock
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

META: dict[str, Any] = {
    "label": "CIO | Clicked Cart No Order | 0-3d",
    "decision": "Show the cart creative.",
    "purpose": "cart_recovery",
    "use": "activate",
    "owner": "retention",
    "monitor": "data",
    "next_action_owner": "retention",
    "window": "3 days",
    "version": 1,
    "refresh": "hourly",
    "latency": "2 hours",
    "consent": "email",
    "activation_mode": "export",
    "suppression_owner": "warehouse",
    "discount_policy": "none",
    "expected_size": [1, 1000],
}
SQL = """
select
    person_id,
    occurred_at as entered_at,
    occurred_at as expires_at,
    'clicked a cart message' as reason
from {{ ref('human_clicks') }}
where
    message_class = 'cart'
    and person_id not in (
        select person_id from {{ ref('person_consent') }} where {{ opted_out_of('email') }}
    )
"""
PARENTS = ("human_clicks", "person_purchases", "person_consent")
GOOD = Audience(
    name="clicked_cart_no_order_3d",
    file="models/audiences/clicked_cart_no_order_3d.yml",
    meta=META,
    sql=SQL,
    parents=frozenset(PARENTS),
)


def said(**meta: object) -> Audience:
    """The good audience, but for some of what it says."""
    return replace(GOOD, meta=META | meta)


BY_CHANNEL = replace(
    said(use="analyse", activation_mode="analyse", purpose="bidding"),
    sql="select person_id from {{ ref('human_clicks') }} where channel = 'sms'",
    parents=frozenset({"human_clicks"}),
)


def rules(*audiences: Audience) -> set[str]:
    return {finding.rule for finding in check(audiences)}


def test_a_good_audience_passes() -> None:
    assert check([GOOD]) == []


@pytest.mark.parametrize("field", sorted(META))
def test_a_missing_field_is_named_with_its_file(field: str) -> None:
    without = {name: value for name, value in META.items() if name != field}
    messages = [
        finding.message
        for finding in check([replace(GOOD, meta=without)])
        if finding.rule == "fields"
    ]
    assert len(messages) == 1
    assert messages[0].startswith(f"{GOOD.file}: config.meta.audience.{field} is missing")


@pytest.mark.parametrize(
    ("audience", "rule"),
    [
        (said(label="Clicked Cart No Order | 0-3d"), "label"),
        (said(label="CIO | Clicked Cart No Order"), "label"),
        (said(label="CIO | Clicked Cart No Order | lately"), "label"),
        (said(label="CIO | Clicked Cart No Order | 0-7d"), "label_window"),
        (said(label="CIO | Clicked Cart No Order | 1-3d"), "label_window"),
        (replace(GOOD, name="clicked_cart_no_order"), "name_window"),
        (replace(GOOD, name="clicked_cart_no_order_7d"), "name_window"),
        (said(decision=""), "fields"),
        (said(use="market"), "use"),
        (said(activation_mode="both"), "activation_mode"),
        (said(activation_mode=["analyse", "export"]), "activation_mode"),
        (said(latency="soon"), "latency"),
        (said(latency="3 days"), "latency"),
        (replace(GOOD, parents=frozenset({"human_clicks", "person_consent"})), "purchases"),
        (replace(GOOD, parents=frozenset({"human_clicks", "person_purchases"})), "consent"),
        (said(consent="sms"), "consent"),
        (replace(GOOD, sql=SQL + "and campaign_name = 'Cart'"), "names"),
        (replace(GOOD, sql=SQL + "and metric = 'opened'"), "opens"),
        (replace(GOOD, sql=SQL + "and first_human_opened_at is not null"), "opens"),
        (replace(GOOD, sql=SQL + "and human_opens > 0"), "opens"),
        (said(opens_dependent=True), "opens_activated"),
        (said(opens_dependent=True, use="analyse"), "opens_activated"),
        (said(opens_dependent=True, activation_mode="analyse"), "opens_activated"),
        (replace(BY_CHANNEL, meta=BY_CHANNEL.meta | {"purpose": "high_intent"}), "channel"),
        (replace(GOOD, is_used=False), "unused"),
        (said(expected_size=[10, 1]), "size"),
        (said(expected_size=5), "size"),
        (said(purpose="lookalike_seed", expected_size=[99, 1000]), "size"),
        (said(siblings=["nobody_3d"]), "siblings"),
    ],
)
def test_a_broken_rule_is_the_only_finding(audience: Audience, rule: str) -> None:
    assert rules(audience) == {rule}
    assert not any(finding.is_warning for finding in check([audience]))


@pytest.mark.parametrize(
    "audience",
    [
        replace(said(use="suppress"), parents=frozenset({"human_clicks"})),
        BY_CHANNEL,
        replace(BY_CHANNEL, meta=BY_CHANNEL.meta | {"purpose": "diagnostic"}),
        replace(
            said(purpose="lookalike_seed", expected_size=[100, 1000]),
            parents=frozenset({"human_clicks", "person_consent"}),
        ),
        replace(
            said(opens_dependent=True, use="analyse", activation_mode="analyse"),
            sql=SQL + "and metric = 'opened'",
        ),
        replace(GOOD, sql=SQL + "-- campaign_name and opens are not read\n"),
        replace(GOOD, sql=SQL + "and href <> 'campaign_name opened'"),
        replace(said(label="CIO | Gone | ever", window="ever"), name="gone_ever"),
        replace(said(label="CIO | Late | 6-24h", window="6-24 hours"), name="late_6_24h"),
    ],
)
def test_what_looks_alike_and_is_allowed(audience: Audience) -> None:
    assert check([audience]) == []


def test_the_same_logic_twice_is_refused_however_it_is_written() -> None:
    twin = replace(
        GOOD,
        name="clicked_cart_again_3d",
        sql=SQL.replace("\n", "\n\n").replace("'clicked a cart message'", "'another reason'")
        + "-- a comment\n",
    )
    assert rules(GOOD, twin) == {"twins"}
    assert rules(GOOD, replace(twin, sql=SQL.replace("'cart'", "'browse'"))) == set()


def made_by_macro(*, consent: str, clicks: str = "cart", reason: str = "clicked") -> Audience:
    """An audience that is a macro's alone: what it is of, it says in the macro's arguments."""
    arguments = f"\"message_class = '{clicks}'\", consent='{consent}', reason='{reason}'"
    return replace(GOOD, sql="{{ people_who_clicked_without_order(" + arguments + ") }}")


def test_what_a_macro_is_told_counts_as_what_the_sql_says() -> None:
    by_email = made_by_macro(consent="email")
    assert check([by_email]) == []
    assert rules(made_by_macro(consent="sms")) == {"consent"}
    reworded = replace(made_by_macro(consent="email", reason="again"), name="clicked_again_3d")
    assert rules(by_email, reworded) == {"twins"}
    other = replace(made_by_macro(consent="email", clicks="browse"), name="clicked_browse_3d")
    assert rules(by_email, other) == set()


def test_an_audience_made_of_an_opens_based_one_is_opens_based() -> None:
    opens = replace(
        said(opens_dependent=True, use="analyse", activation_mode="analyse"),
        name="opened_3d",
        sql=SQL + "and metric = 'opened'",
    )
    child = replace(GOOD, audiences=frozenset({"opened_3d"}))
    assert rules(opens, child) == {"opens"}


def test_more_than_ten_activated_is_a_warning() -> None:
    def some(count: int) -> list[Audience]:
        return [
            replace(GOOD, name=f"audience_{number}_3d", sql=SQL + f"limit {number}")
            for number in "abcdefghijklm"[:count]
        ]

    assert check(some(10)) == []
    (finding,) = check(some(11))
    assert (finding.rule, finding.is_warning) == ("many_activated", True)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("7 days", (0, 168)),
        ("0-7d", (0, 168)),
        ("7d", (0, 168)),
        ("6_24h", (6, 24)),
        ("45-60 days", (1080, 1440)),
        ("1 hour", (0, 1)),
        ("ever", (None, None)),
    ],
)
def test_windows_are_read_alike_from_labels_names_and_fields(
    text: str, hours: tuple[int | None, int | None]
) -> None:
    window = parse_window(text)
    assert window is not None
    assert (window.after_hours, window.hours) == hours


def version_findings(audience: Audience, lock: dict[str, Locked]) -> list[Finding]:
    return [finding for finding in check_lock([audience], lock) if finding.rule == "version"]


@pytest.fixture
def lock() -> dict[str, Locked]:
    return {GOOD.name: Locked(version=1, checksum=GOOD.checksum, changed="First version.")}


def test_comments_and_white_space_change_no_definition(lock: dict[str, Locked]) -> None:
    assert version_findings(GOOD, lock) == []
    rewritten = replace(GOOD, sql="-- why\n" + SQL.replace("\n", "\n  "))
    assert version_findings(rewritten, lock) == []


def test_a_changed_definition_needs_another_version(lock: dict[str, Locked]) -> None:
    changed = replace(GOOD, sql=SQL.replace("'cart'", "'browse'"))
    (finding,) = version_findings(changed, lock)
    assert "its logic changed and its version is still 1" in finding.message
    assert f"cio audiences bump {GOOD.name}" in finding.message
    macro = replace(GOOD, macros={"in_window": "{{ instant }} > 1"})
    assert len(version_findings(macro, lock)) == 1


def test_a_version_nobody_wrote_down_is_refused(lock: dict[str, Locked]) -> None:
    assert len(version_findings(said(version=2), lock)) == 1
    assert len(version_findings(GOOD, {})) == 1


def test_an_audience_that_is_gone_is_a_warning(lock: dict[str, Locked]) -> None:
    (finding,) = check_lock([], lock)
    assert finding.is_warning


def test_bump_raises_the_version_in_the_file_and_writes_what_changed(
    lock: dict[str, Locked], tmp_path: Path
) -> None:
    file = tmp_path / GOOD.file
    file.parent.mkdir(parents=True)
    file.write_text("version: 2\n\nmodels:\n  - config:\n          version: 1\n")
    changed = replace(GOOD, sql=SQL.replace("'cart'", "'browse'"))
    after = bump(changed, lock, changed="browse, not cart", root=tmp_path)
    assert after[GOOD.name] == Locked(2, changed.checksum, "browse, not cart")
    assert yaml.safe_load(file.read_text()) == {
        "version": 2,
        "models": [{"config": {"version": 2}}],
    }
    write_lock(tmp_path / "lock.yml", after)
    assert read_lock(tmp_path / "lock.yml") == after


def test_bump_refuses_nothing_changed_and_nothing_said(
    lock: dict[str, Locked], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="nothing to bump"):
        bump(GOOD, lock, changed="words", root=tmp_path)
    with pytest.raises(UsageError, match="say what changed"):
        bump(said(version=2), lock, changed=" ", root=tmp_path)


def manifest() -> dict[str, Any]:
    """A manifest as dbt writes it, as far as the gate reads it."""

    def model(name: str, parents: tuple[str, ...], **meta: object) -> dict[str, Any]:
        return {
            "resource_type": "model",
            "name": name,
            "raw_code": SQL,
            "patch_path": f"shop://models/audiences/{name}.yml",
            "original_file_path": f"models/audiences/{name}.sql",
            "config": {"meta": {"owner": "retention"} | meta},
            "depends_on": {
                "nodes": [f"model.shop.{parent}" for parent in parents],
                "macros": ["macro.shop.in_window", "macro.dbt.type_string"],
            },
        }

    marts = {f"model.shop.{name}": model(name, ()) for name in PARENTS}
    return {
        "nodes": {
            **marts,
            "model.shop.base_3d": model("base_3d", PARENTS, audience=META),
            "model.shop.child_3d": model("child_3d", ("base_3d",), audience=META),
            "model.shop.audience_members": model("audience_members", ("child_3d",)),
        },
        "macros": {
            "macro.shop.in_window": {
                "original_file_path": "macros/audiences/windows.sql",
                "macro_sql": "between",
                "depends_on": {"macros": ["macro.shop.window_edge", "macro.shop.in_window"]},
            },
            "macro.shop.window_edge": {
                "original_file_path": "macros/audiences/windows.sql",
                "macro_sql": "and",
            },
            "macro.dbt.type_string": {"original_file_path": "macros/x.sql", "macro_sql": "text"},
        },
        "exposures": {},
    }


def test_a_manifest_is_read_with_lineage_through_other_audiences() -> None:
    base, child = read_audiences(manifest())
    assert base.file == "models/audiences/base_3d.yml"
    assert (base.is_used, child.is_used) == (False, True)
    assert child.parents >= {"base_3d", "person_purchases", "person_consent"}
    assert child.audiences == {"base_3d"}
    assert child.macros == {"macro.shop.in_window": "between", "macro.shop.window_edge": "and"}


def test_the_command_refuses_by_its_exit_code_and_bump_makes_it_pass(tmp_path: Path) -> None:
    parsed = manifest()
    del parsed["nodes"]["model.shop.base_3d"]
    parsed["nodes"]["model.shop.child_3d"]["depends_on"]["nodes"] = [
        f"model.shop.{name}" for name in PARENTS
    ]
    (tmp_path / "manifest.json").write_text(json.dumps(parsed))
    places = (
        *("--manifest", str(tmp_path / "manifest.json")),
        *("--lock", str(tmp_path / "lock.yml")),
    )
    refused = cio("audiences", "check", *places, home=tmp_path / "home")
    assert refused.exit_code == 1
    assert "models/audiences/child_3d.yml: audiences.lock.yml does not list it" in refused.err
    bumped = cio("audiences", "bump", "child_3d", "-m", "First.", *places, home=tmp_path / "home")
    assert bumped.exit_code == 0, bumped.err
    passed = cio("audiences", "check", "--json", *places, home=tmp_path / "home")
    assert (passed.exit_code, passed.json) == (0, {"audiences": 1, "findings": []})
    unknown = cio("audiences", "bump", "nobody", "-m", "x", *places, home=tmp_path / "home")
    assert unknown.exit_code == 2
    assert "cio audiences list" in unknown.err


def test_the_list_shows_what_each_audience_is_for(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(manifest()))
    listed = cio(
        *("audiences", "list", "--json", "--manifest", str(tmp_path / "manifest.json")),
        home=tmp_path / "home",
    )
    assert [row["name"] for row in listed.json["audiences"]] == ["base_3d", "child_3d"]
    assert {row["decision"] for row in listed.json["audiences"]} == {"Show the cart creative."}
