"""The shape of the dbt project, where the linter of its manifest cannot say it or does not run."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.destinations import DESTINATIONS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.project.conftest import Manifest

pytestmark = pytest.mark.slow

LAYERS = ("staging", "intermediate", "marts", "audiences", "outbound", "operations")
PUBLIC = frozenset(LAYERS[2:])

# The estimators read what the public statistics hold, and `experiment_results` reads them.
BACKWARDS = {("int_experiment_comparisons", "experiment_statistics")}

OUTBOUND_COLUMNS = frozenset(
    {
        *("record_key", "person_id", "occurred_at", "label", "payload", "fingerprint"),
    }
)
# What names a person: an id of theirs, or hashes alone where an ad platform is to get them.
IDENTITY_COLUMNS = frozenset({"customer_id", "email", "cio_id"})
MATCH_KEYS = "_match_keys"
# What is about no person, and so names none.
ABOUT_NOBODY = frozenset({"outbound_campaign_lookup", "outbound_weekly_numbers"})

Node = dict[str, Any]


def layer(node: Node) -> str:
    """The folder below models/ that a node lies in; empty for a company's own and for seeds."""
    folder, name = node["original_file_path"].split("/")[:2]
    return name if folder == "models" else ""


def models(manifest: Manifest, *layers: str) -> list[Node]:
    """The models of some layers, of which there must be some."""
    found = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and layer(node) in layers
    ]
    assert {layer(node) for node in found} == set(layers)
    return found


def attached_tests(manifest: Manifest, node: Node) -> set[str]:
    """Names of the generic tests attached to a model."""
    return {
        test["test_metadata"]["name"]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and test.get("attached_node") == node["unique_id"]
    }


def test_every_model_lies_in_a_layer(manifest: Manifest) -> None:
    assert len(models(manifest, *LAYERS)) == len(list((ROOT / "models").rglob("*.sql")))


def test_no_reference_points_backwards(manifest: Manifest) -> None:
    ranks = {name: rank for rank, name in enumerate(LAYERS)}
    backwards = {
        (node["name"], parent["name"])
        for node in models(manifest, *LAYERS)
        for parent in (manifest["nodes"].get(name) for name in node["depends_on"]["nodes"])
        if parent is not None
        and parent["resource_type"] == "model"
        and ranks.get(layer(parent), ranks["audiences"]) > ranks[layer(node)]
    }
    assert backwards == BACKWARDS


def test_what_takes_loads_after_another_model_is_built_after_it(manifest: Manifest) -> None:
    """Or it may run first, take nothing, and lack the events of a load until the next build."""
    waiting = {
        (node["name"], upstream, upstream in parents)
        for node in models(manifest, *LAYERS)
        for parents in [{name.split(".")[-1] for name in node["depends_on"]["nodes"]}]
        for hook in node["config"]["post-hook"]
        for upstream in re.findall(r"record_loads\(.*upstream='(\w+)'", hook["sql"])
    }
    assert len(waiting) > 3
    assert [name for name, _, is_parent in waiting if not is_parent] == []


def test_what_grows_with_loads_is_of_all_time(manifest: Manifest) -> None:
    """Windows move without events: what depends on the instant of a build is made anew by each."""
    growing = [
        node
        for node in models(manifest, *LAYERS)
        if node["config"]["materialized"] == "incremental" and layer(node) != "operations"
    ]
    assert len(growing) > 8
    assert [node["name"] for node in growing if "as_of()" in node["raw_code"]] == []


def test_what_reads_all_of_history_in_each_build_says_why_it_must(manifest: Manifest) -> None:
    """Audiences look back as far as their windows; other tables do, or a comment says why not."""
    facts = {
        *("int_message_events", "int_message_occurrences", "int_deliveries"),
        *("int_person_deliveries", "int_message_responses", "int_behaviour_events"),
        *("int_message_pressure", "int_touches", "message_events", "message_responses"),
        *("deliveries", "behaviour_events", "message_pressure", "touch_ledger"),
    }
    reading = [
        node
        for node in models(manifest, "intermediate", "marts", "operations")
        if node["config"]["materialized"] == "table"
        and facts & {name.split(".")[-1] for name in node["depends_on"]["nodes"]}
    ]
    assert len(reading) > 30
    unsaid = [
        node["name"]
        for node in reading
        if not re.search(r"-- All of history: |in_window\(", node["raw_code"])
    ]
    # the longest cap of a seed is its window
    assert unsaid == ["person_caps"]


def test_what_compares_with_who_was_held_out_asks_whether_it_may_be_believed(
    manifest: Manifest,
) -> None:
    """A number of an experiment that its health refuses would be believed, wherever it stood."""
    comparing = [
        node
        for node in models(manifest, "marts", "operations", "outbound")
        if {"control_arm", "share_without_order", "incremental_revenue", "held_out_rate"}
        & set(node["columns"])
    ]
    assert len(comparing) > 5
    unasked = [
        node["name"]
        for node in comparing
        # estimates and results ask the refusals themselves, and have no number of what is refused
        if not {"experiment_refusals", "experiment_estimates", "experiment_results"}
        & {name.split(".")[-1] for name in node["depends_on"]["nodes"]}
    ]
    assert unasked == []


def test_audiences_and_outbound_read_nothing_behind_the_marts(manifest: Manifest) -> None:
    parents = {
        (node["name"], name)
        for node in models(manifest, "audiences", "outbound")
        for name in node["depends_on"]["nodes"]
        if name.startswith("source.")
        or layer(manifest["nodes"][name]) in {"staging", "intermediate"}
    }
    assert parents == set()


def test_public_models_have_contract_owner_grain_and_descriptions(manifest: Manifest) -> None:
    wrong = []
    for node in models(manifest, *sorted(PUBLIC)):
        checks = {
            "access": node["config"]["access"] == "public",
            "contract": node["config"]["contract"]["enforced"],
            "group": node["config"]["group"] in {g["name"] for g in manifest["groups"].values()},
            "owner": bool(node["config"]["meta"].get("owner")),
            "description": node["description"].startswith("One row "),
            "uniqueness": bool(attached_tests(manifest, node) & {"unique", "unique_combination"}),
            "columns": all(column["description"] for column in node["columns"].values()),
            "types": all(column["data_type"] for column in node["columns"].values()),
        }
        wrong += [f"{node['name']}: {name}" for name, holds in checks.items() if not holds]
    assert wrong == []


def test_other_models_are_protected_and_described(manifest: Manifest) -> None:
    wrong = [
        node["name"]
        for node in models(manifest, "staging", "intermediate")
        if node["config"]["access"] != "protected"
        or not node["description"].startswith("One row ")
        or not node["columns"]
        or not all(column["description"] for column in node["columns"].values())
    ]
    assert wrong == []


def test_a_model_is_described_beside_itself_under_its_own_name(manifest: Manifest) -> None:
    wrong = [
        node["name"]
        for node in models(manifest, *LAYERS)
        if node["patch_path"].partition("://")[2]
        != node["original_file_path"].removesuffix(".sql") + ".yml"
    ]
    assert wrong == []


def test_at_least_two_fifths_of_public_models_have_unit_tests(manifest: Manifest) -> None:
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    public = {node["name"] for node in models(manifest, *sorted(PUBLIC))}
    assert len(tested & public) >= 0.4 * len(public), sorted(public - tested)


def test_every_source_and_its_columns_are_described(manifest: Manifest) -> None:
    sources = manifest["sources"].values()
    assert sources
    wrong = [
        f"{source['source_name']}.{source['name']}"
        for source in sources
        if not source["description"]
        or not source["source_description"]
        or not source["columns"]
        or not all(c["description"] and c["data_type"] for c in source["columns"].values())
    ]
    assert wrong == []


def test_every_macro_and_its_arguments_are_described(manifest: Manifest) -> None:
    macros = [
        macro
        for macro in manifest["macros"].values()
        if macro["package_name"] == "customerio_warehouse"
        and macro["original_file_path"].startswith("macros/")
    ]
    assert macros
    wrong = [
        macro["name"]
        for macro in macros
        if not macro["description"]
        or not all(argument["description"] for argument in macro["arguments"])
    ]
    assert wrong == []


def test_a_sync_sends_one_outbound_model_to_a_registered_destination(manifest: Manifest) -> None:
    outbound = {node["name"]: node for node in models(manifest, "outbound")}
    syncs = [e for e in manifest["exposures"].values() if e["config"]["meta"].get("sync")]
    assert syncs
    for exposure in syncs:
        sync = exposure["config"]["meta"]["sync"]
        assert sync["destination"] in DESTINATIONS
        assert exposure["depends_on"]["nodes"] == [outbound[sync["model"]]["unique_id"]]
        assert exposure["owner"]["name"]
        assert exposure["description"]


def test_outbound_models_have_the_columns_syncs_read(manifest: Manifest) -> None:
    missing = {}
    for node in models(manifest, "outbound"):
        columns = set(node["columns"])
        is_hashed = any(column.endswith(MATCH_KEYS) for column in columns)
        is_nameless = is_hashed or node["name"] in ABOUT_NOBODY
        needed = OUTBOUND_COLUMNS | (frozenset() if is_nameless else IDENTITY_COLUMNS)
        missing[node["name"]] = sorted(needed - columns)
        assert not (is_nameless and columns & IDENTITY_COLUMNS), node["name"]
    assert {name: columns for name, columns in missing.items() if columns} == {}


def test_every_listed_audience_is_a_model_with_a_label_of_its_own(manifest: Manifest) -> None:
    members = manifest["nodes"]["model.customerio_warehouse.audience_members"]
    reads = [manifest["nodes"][name] for name in members["depends_on"]["nodes"]]
    # and people, for nobody else can be told of
    listed = [node for node in reads if node["name"] != "people"]
    assert {node["name"] for node in models(manifest, "audiences")} == {
        members["name"],
        *(node["name"] for node in listed),
    }
    labels = Counter(node["config"]["meta"]["audience"]["label"] for node in listed)
    assert max(labels.values()) == 1
