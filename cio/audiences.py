"""The gate in front of audiences: what a definition must say, and what it must not do.

Pure functions over dbt's manifest. A rule gives findings; each names the file, and the way out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from warehouse.definitions import audience_macros, checksum, spaced, without_comments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MEMBERS = "audience_members"
FIELDS = (
    *("label", "decision", "purpose", "use", "owner", "monitor", "next_action_owner", "window"),
    *("version", "refresh", "latency", "consent", "activation_mode", "suppression_owner"),
    *("discount_policy", "expected_size"),
)
USES = frozenset({"activate", "suppress", "analyse"})
MODES = frozenset({"analyse", "export"})
PURCHASES = frozenset({"orders", "person_purchases"})
CONSENT = frozenset({"person_consent"})
CHANNEL_PURPOSES = frozenset({"diagnostic", "bidding"})
SEED = "lookalike_seed"
SEED_PEOPLE = 100
"""Meta makes a lookalike of 100 people of one country or more
(https://www.facebook.com/business/help/164749007013531)."""
MOST_ACTIVATED = 10
"""A team can act on so many; beyond them lies a graveyard of lists."""

_HOURS = {"hour": 1, "h": 1, "day": 24, "d": 24}
_WINDOW = re.compile(r"(?:(\d+)\s*[-_]\s*)?(\d+)\s*(hour|day|h|d)s?")
_LABEL = re.compile(r"CIO \| ([^|]*[^| ]) \| ([^|]+)")
_SUFFIX = re.compile(r"_((?:\d+_)?\d+[hd]|ever)$")


@dataclass(frozen=True)
class Window:
    """How old what qualifies a person may be, in hours; both none for ever."""

    after_hours: int | None
    hours: int | None


@dataclass(frozen=True)
class Audience:
    """One audience as dbt knows it.

    Attributes:
        name: Its model.
        file: Its YAML file, relative to the project.
        meta: `config.meta.audience`.
        sql: Its SQL as written.
        macros: SQL of the audience macros it uses, by name.
        parents: Models it reads, itself or through other audiences.
        audiences: Those of them that are audiences.
        is_used: Whether the variable `audiences` lists it, or an exposure depends on it.
    """

    name: str
    file: str
    meta: Mapping[str, Any]
    sql: str
    macros: Mapping[str, str] = field(default_factory=dict)
    parents: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()
    is_used: bool = True

    @property
    def is_activated(self) -> bool:
        """Whether somebody is to be reached because of it, outside Customer.io too."""
        return self.use == "activate" and self.meta.get("activation_mode") == "export"

    @property
    def use(self) -> str:
        """`activate`, `suppress` or `analyse`."""
        return str(self.meta.get("use"))

    @property
    def logic(self) -> str:
        """Its SQL as written, and that of the audience macros it uses."""
        return "\n".join([self.sql, *self.macros.values()])

    @property
    def checksum(self) -> str:
        """A digest of its logic: comments and white space do not count, its macros do."""
        return checksum(self.sql, self.macros)


@dataclass(frozen=True)
class Finding:
    """What is wrong with an audience, and the way out."""

    rule: str
    audience: str
    message: str
    is_warning: bool = False


def read_audiences(manifest: Mapping[str, Any]) -> tuple[Audience, ...]:
    """The audiences of a manifest, by name: models with `config.meta.audience`.

    Args:
        manifest: dbt's `manifest.json`.
    """
    nodes = manifest["nodes"]
    metas = {
        key: node["config"].get("meta", {}).get("audience")
        for key, node in nodes.items()
        if node["resource_type"] == "model"
    }
    used = {
        parent
        for dependent in (
            *(node for node in nodes.values() if node["name"] == MEMBERS),
            *manifest.get("exposures", {}).values(),
        )
        for parent in dependent["depends_on"]["nodes"]
    }
    found = []
    for key, meta in metas.items():
        if meta is None:
            continue
        node = nodes[key]
        parents = _parents(key, nodes, metas)
        found.append(
            Audience(
                name=node["name"],
                file=(node.get("patch_path") or node["original_file_path"]).partition("://")[2]
                or node["original_file_path"],
                meta=meta,
                sql=node["raw_code"],
                macros=audience_macros(manifest, node),
                parents=frozenset(parent.rpartition(".")[2] for parent in parents),
                audiences=frozenset(
                    parent.rpartition(".")[2] for parent in parents if metas.get(parent)
                ),
                is_used=key in used,
            )
        )
    return tuple(sorted(found, key=lambda audience: audience.name))


def check(audiences: Sequence[Audience]) -> list[Finding]:
    """Every finding of every rule about definitions; the lock has its own."""
    findings = [finding for rule in _RULES for one in audiences for finding in rule(one)]
    findings += _twins(audiences)
    findings += _opens_by_inheritance(audiences)
    findings += _strangers(audiences)
    activated = [one.name for one in audiences if one.is_activated]
    if len(activated) > MOST_ACTIVATED:
        message = (
            f"{len(activated)} audiences are activated, more than {MOST_ACTIVATED}: "
            f"{', '.join(activated)}. Export fewer, and act on them."
        )
        findings.append(Finding("many_activated", "", message, is_warning=True))
    return findings


def parse_window(text: str) -> Window | None:
    """A window from `7 days`, `45-60 days`, `0-7d`, `6_24h` or `ever`; none if it is none of them.

    A range's first age is 0 where it is not given.
    """
    if text.strip() == "ever":
        return Window(None, None)
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        return None
    unit = _HOURS[match[3]]
    return Window(int(match[1] or 0) * unit, int(match[2]) * unit)


def consent_channels(audience: Audience) -> frozenset[str]:
    """Channels whose opt-outs its SQL leaves out: by `opted_out_of`, or by a macro's `consent`."""
    sql = without_comments(audience.logic)
    return frozenset(re.findall(r"(?:opted_out_of\(|\bconsent=)'(\w+)'", sql))


def _parents(
    key: str, nodes: Mapping[str, Any], metas: Mapping[str, Any], seen: frozenset[str] = frozenset()
) -> set[str]:
    found: set[str] = set()
    for parent in nodes[key]["depends_on"]["nodes"]:
        found.add(parent)
        if metas.get(parent) and parent not in seen:
            found |= _parents(parent, nodes, metas, seen | {key})
    return found


def _finding(audience: Audience, rule: str, text: str) -> Finding:
    return Finding(rule, audience.name, f"{audience.file}: {text}")


def _fields(audience: Audience) -> Iterator[Finding]:
    for name in FIELDS:
        if audience.meta.get(name) in (None, "", []):
            text = f"config.meta.audience.{name} is missing; every audience says it"
            yield _finding(audience, "fields", text)


def _words(audience: Audience) -> Iterator[Finding]:
    use, mode = audience.meta.get("use"), audience.meta.get("activation_mode")
    if use is not None and use not in USES:
        text = f"use is {use}; it may be {', '.join(sorted(USES))}"
        yield _finding(audience, "use", text)
    if mode is not None and (not isinstance(mode, str) or mode not in MODES):
        text = (
            f"activation_mode is {mode}; it is either analyse (Customer.io acts, this is looked "
            "at) or export (other tools act), never both"
        )
        yield _finding(audience, "activation_mode", text)


def _label(audience: Audience) -> Iterator[Finding]:
    label, said = str(audience.meta.get("label", "")), str(audience.meta.get("window", ""))
    match = _LABEL.fullmatch(label)
    shown = parse_window(match[2]) if match else None
    if shown is None:
        text = f'the label "{label}" is not "CIO | Intent | window", as in "CIO | Clicked | 0-7d"'
        yield _finding(audience, "label", text)
    elif shown != parse_window(said):
        text = f'the label "{label}" and window: {said} are two different windows'
        yield _finding(audience, "label_window", text)
    suffix = _SUFFIX.search(audience.name)
    if suffix is None or parse_window(suffix[1]) != parse_window(said):
        text = f"the name {audience.name} does not end with its window, {said}"
        yield _finding(audience, "name_window", text)


def _latency(audience: Audience) -> Iterator[Finding]:
    window = parse_window(str(audience.meta.get("window", "")))
    latency = parse_window(str(audience.meta.get("latency", "")))
    if audience.meta.get("latency") and latency is None:
        text = f"latency: {audience.meta['latency']} is not a number of hours or days"
        yield _finding(audience, "latency", text)
    if window and latency and window.hours and latency.hours and latency.hours >= window.hours:
        text = "it is stale before it arrives (latency >= window); decide this in Customer.io"
        yield _finding(audience, "latency", text)


def _exclusions(audience: Audience) -> Iterator[Finding]:
    if audience.use != "activate":
        return
    # Whom a seed is made of is not who is reached; it still holds nobody who opted out.
    if not audience.parents & PURCHASES and audience.meta.get("purpose") != SEED:
        text = "use: activate without a purchase exclusion; leave out buyers by person_purchases"
        yield _finding(audience, "purchases", text)
    if not audience.parents & CONSENT:
        text = "use: activate without a consent exclusion; leave out opted_out_of its channel"
        yield _finding(audience, "consent", text)
    elif not _excludes_channel(audience):
        text = f"consent: {audience.meta.get('consent')} is not the channel its SQL leaves out"
        yield _finding(audience, "consent", text)


def _excludes_channel(audience: Audience) -> bool:
    channels = consent_channels(audience)
    return not channels or audience.meta.get("consent") in channels


def _names(audience: Audience) -> Iterator[Finding]:
    for column in sorted(set(re.findall(r"\b\w+_name\b", _code(audience.logic)))):
        text = (
            f"{column} is for people to read; go by ids or by message_class, which renaming keeps"
        )
        yield _finding(audience, "names", text)


def _opens(audience: Audience) -> Iterator[Finding]:
    uses_opens = bool(re.search(r"\b(\w*_)?open(s|ed)(_\w+)?\b", _code(audience.logic)))
    yield from _opens_declared(audience, is_dependent=uses_opens)


def _opens_declared(audience: Audience, *, is_dependent: bool) -> Iterator[Finding]:
    is_declared = audience.meta.get("opens_dependent") is True
    if is_dependent and not is_declared:
        text = "it goes by opens; say opens_dependent: true, or go by clicks"
        yield _finding(audience, "opens", text)
    if is_declared and (
        audience.use != "analyse" or audience.meta.get("activation_mode") != "analyse"
    ):
        text = "opens_dependent: true may be analysed (use, activation_mode), never acted upon"
        yield _finding(audience, "opens_activated", text)


def _channel(audience: Audience) -> Iterator[Finding]:
    """A click on a channel says where somebody is reached, not what they want."""
    code = _code(audience.sql)
    is_intent = re.search(r"\b(message_class|is_promotional|campaign_id|tags?)\b", code)
    is_by_clicks_alone = {"human_clicks"} <= audience.parents <= {"human_clicks"} | CONSENT
    if not re.search(r"\bchannel\b", code) or is_intent or not is_by_clicks_alone:
        return
    if audience.meta.get("purpose") not in CHANNEL_PURPOSES:
        text = (
            "it goes by a channel alone; say what the messages were about, or purpose: "
            f"{' or '.join(sorted(CHANNEL_PURPOSES))}"
        )
        yield _finding(audience, "channel", text)


def _use_of_it(audience: Audience) -> Iterator[Finding]:
    if not audience.is_used:
        text = "nothing uses it; list it in the variable audiences of dbt_project.yml, or remove it"
        yield _finding(audience, "unused", text)


def _size(audience: Audience) -> Iterator[Finding]:
    band = audience.meta.get("expected_size")
    if band in (None, []):
        return
    if not (isinstance(band, list) and len(band) == 2 and band[0] <= band[1]):  # noqa: PLR2004 - a pair
        yield _finding(audience, "size", "expected_size must be [fewest, most], two whole numbers")
    elif audience.meta.get("purpose") == SEED and band[0] < SEED_PEOPLE:
        text = f"a lookalike seed of fewer than {SEED_PEOPLE} people is refused; expect as many"
        yield _finding(audience, "size", text)


_RULES: tuple[Callable[[Audience], Iterator[Finding]], ...] = (
    *(_fields, _words, _label, _latency, _exclusions, _names, _opens, _channel, _use_of_it, _size),
)


def _twins(audiences: Sequence[Audience]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for audience in audiences:
        other = first.setdefault(_logic(audience.sql), audience.name)
        if other != audience.name:
            yield _finding(audience, "twins", f"its logic is that of {other}; keep one of the two")


def _opens_by_inheritance(audiences: Sequence[Audience]) -> Iterator[Finding]:
    dependent = {one.name for one in audiences if one.meta.get("opens_dependent") is True}
    for audience in audiences:
        if audience.audiences & dependent and audience.name not in dependent:
            yield from _opens_declared(audience, is_dependent=True)


def _strangers(audiences: Sequence[Audience]) -> Iterator[Finding]:
    names = {one.name for one in audiences}
    for audience in audiences:
        for sibling in sorted(set(audience.meta.get("siblings") or []) - names):
            yield _finding(audience, "siblings", f"its sibling {sibling} is no audience")


def _code(sql: str) -> str:
    """SQL without comments and texts, but for the one text that is a metric here."""
    kept = without_comments(sql).replace("'opened'", "opened")
    return re.sub(r"'[^']*'", "''", kept)


def _logic(sql: str) -> str:
    """What decides membership: not how the reason is worded, nor what a macro is to word it."""
    unworded = re.sub(r",? (reason|noun)='[^']*'", "", spaced(sql))
    return re.sub(r"as expires_at, .*? as reason", "as expires_at", unworded)
