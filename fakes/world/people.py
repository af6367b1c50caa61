"""Who lives in the world: people with their habits, and the profiles the vendor has of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fakes.world import identifiers
from fakes.world.settings import DAY, NEVER, Flags, Floats, Ints, WorldSettings, happens

KINDS = ("regular", "engaged", "hammered", "sms_lover", "gone_cold", "never_engaged")
_KIND_SHARES = (0.52, 0.20, 0.09, 0.07, 0.08, 0.04)
HAMMERED, SMS_LOVER, GONE_COLD = 2, 3, 4

_FIRST_NAMES = (  # noqa: SIM905 - quoted one a line they would be a page
    "Ada Ben Clara David Elif Finn Grace Hugo Ines Jonas "
    "Kira Liam Mara Nils Olga Paul Rosa Sven Tara Umut "
    "Vera Wim Xenia Yara Zoe Anna Bela Carl Dora Emil "
    "Frida Georg Hanna Ivo Julia Kai"
).split()
_LAST_NAMES = (  # noqa: SIM905 - quoted one a line they would be a page
    "Abel Brandt Costa Dietz Evers Falk Graf Huber Ivanov Jansen "
    "Keller Lang Moreau Novak Olsen Peters Quast Rossi Schmidt Thoma "
    "Ulrich Vogel Weber Xu Yilmaz Zimmer Arnold Becker Conti Duarte"
).split()
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")
_COUNTRIES = ("DE", "AT", "NL", "FR", "GB")
_SOURCES = ("paid_social", "organic_search", "referral", "affiliate", "store")
FAMILIES = ("coffee", "tea", "grinders", "machines", "accessories")


@dataclass(frozen=True)
class People:
    """One entry a person in every array; the habits decide what a person does with messages."""

    kind: Ints
    created_at: Ints
    opted_out_at: Ints
    deleted_at: Ints
    cold_from: Ints
    orders_per_day: Floats
    basket: Floats
    family: Ints
    has_customer_id: Flags
    has_sms: Flags
    has_app: Flags
    is_ios: Flags
    is_prefetched: Flags
    is_scanned: Flags
    has_bad_email: Flags
    second_profile: Ints
    merged_at: Ints

    @property
    def count(self) -> int:
        """Number of people."""
        return len(self.kind)


@dataclass(frozen=True)
class Profiles:
    """One entry a profile: first every person's own, then the second profiles of some."""

    person: Ints
    email: pa.Array
    odd_email: pa.Array
    customer_id: pa.Array
    cio_id: pa.Array
    phone: pa.Array
    first_name: pa.Array
    last_name: pa.Array
    country: pa.Array
    source: pa.Array

    @property
    def count(self) -> int:
        """Number of profiles."""
        return len(self.person)


def draw_people(settings: WorldSettings) -> People:
    """Draw everyone's habits and the dates of their lives."""
    rng = settings.stream("people")
    count, start, end = settings.people, settings.start, settings.end
    kind = rng.choice(len(KINDS), count, p=_KIND_SHARES).astype(np.int64)
    is_new = happens(rng.random(count), 0.15)
    created_at = np.where(
        is_new,
        rng.integers(start, end, count),
        rng.integers(start - 2 * 365 * DAY, start, count),
    )
    return People(
        kind=kind,
        created_at=created_at,
        opted_out_at=_opt_outs(rng, settings, created_at),
        deleted_at=np.where(
            happens(rng.random(count), 0.003), rng.integers(start, end, count), NEVER
        ),
        cold_from=np.full(count, end - 50 * DAY, dtype=np.int64),
        orders_per_day=rng.gamma(1.2, 0.5 / 90 / 1.2, count),
        basket=rng.lognormal(np.log(4800), 0.45, count),
        family=rng.integers(0, len(FAMILIES), count),
        has_customer_id=~happens(rng.random(count), 0.08),
        has_sms=happens(rng.random(count), 0.40) | (kind == SMS_LOVER),
        has_app=happens(rng.random(count), 0.30),
        is_ios=happens(rng.random(count), 0.60),
        is_prefetched=happens(rng.random(count), 0.46),
        is_scanned=happens(rng.random(count), 0.025),
        has_bad_email=happens(rng.random(count), 0.012),
        **_second_profiles(rng, settings),
    )


def _opt_outs(rng: np.random.Generator, settings: WorldSettings, created_at: Ints) -> Ints:
    """Opt-outs that no message of this world caused: before it began, or from the preferences."""
    count, start, end = settings.people, settings.start, settings.end
    long_ago = happens(rng.random(count), 0.03) & (created_at < start)
    in_preferences = happens(rng.random(count), 0.015)
    during = np.minimum(np.maximum(rng.integers(start, end, count), created_at + DAY), end)
    opted_out_at = np.where(in_preferences, during, NEVER)
    return np.where(long_ago, np.maximum(created_at, start - 30 * DAY), opted_out_at)


def _second_profiles(rng: np.random.Generator, settings: WorldSettings) -> dict[str, Ints]:
    count = settings.people
    has_second = happens(rng.random(count), 0.02)
    second = np.full(count, -1, dtype=np.int64)
    second[has_second] = count + np.arange(int(has_second.sum()))
    merged = rng.integers(
        settings.start + (settings.end - settings.start) // 20, settings.end, count
    )
    return {"second_profile": second, "merged_at": np.where(has_second, merged, NEVER)}


def build_profiles(settings: WorldSettings, people: People) -> Profiles:
    """The vendor's profiles: identifiers, names, attributes.

    Some pairs of people share one address (a household, both with a customer id); second
    profiles have no customer id, and half of them use an address of their own.
    """
    rng = settings.stream("profiles")
    count = people.count
    persons = np.concatenate([np.arange(count), np.flatnonzero(people.second_profile >= 0)])
    first = pa.array(_FIRST_NAMES).take(pa.array(rng.integers(0, len(_FIRST_NAMES), count)))
    last = pa.array(_LAST_NAMES).take(pa.array(rng.integers(0, len(_LAST_NAMES), count)))
    own = pa.array(persons)
    first, last = first.take(own), last.take(own)
    mailbox = _mailboxes(rng, people, persons)
    domain = pa.array(_DOMAINS).take(pa.array(mailbox % len(_DOMAINS)))
    owner_first, owner_last = first.take(pa.array(mailbox)), last.take(pa.array(mailbox))
    local = pc.binary_join_element_wise(
        owner_first, owner_last, pc.cast(pa.array(mailbox + 1), pa.string()), "."
    )
    email = pc.binary_join_element_wise(pc.utf8_lower(local), domain, "@")
    odd = pc.binary_join_element_wise(local, pc.utf8_upper(domain), "@")
    has_id = np.append(people.has_customer_id, np.zeros(len(persons) - count, dtype=bool))
    ids = pc.binary_join_element_wise(
        "C", pc.utf8_lpad(pc.cast(pa.array(persons + 1), pa.string()), 7, "0"), ""
    )
    phone = pc.binary_join_element_wise(
        "+1555", pc.utf8_lpad(pc.cast(own, pa.string()), 7, "0"), ""
    )
    return Profiles(
        person=persons,
        email=email,
        odd_email=pc.binary_join_element_wise(odd, " ", ""),
        customer_id=pc.if_else(pa.array(has_id), ids, None),
        cio_id=identifiers.cio_ids(np.arange(1, len(persons) + 1)),
        phone=pc.if_else(pa.array(people.has_sms[persons]), phone, None),
        first_name=first,
        last_name=last,
        country=pa.array(_COUNTRIES).take(pa.array(rng.integers(0, 5, count))).take(own),
        source=pa.array(_SOURCES).take(pa.array(rng.integers(0, 5, count))).take(own),
    )


def _mailboxes(rng: np.random.Generator, people: People, persons: Ints) -> Ints:
    """Which profile's name and number make the address of each profile."""
    count = people.count
    mailbox = np.arange(len(persons))
    sharer = np.flatnonzero(happens(rng.random(count), 0.015))
    sharer = sharer[sharer > 0]
    is_safe = (
        people.has_customer_id[sharer]
        & people.has_customer_id[sharer - 1]
        & (people.second_profile[sharer] < 0)
        & (people.second_profile[sharer - 1] < 0)
    )
    sharer = sharer[is_safe]
    sharer = sharer[np.diff(sharer, prepend=-2) > 1]
    mailbox[sharer] = sharer - 1
    second = np.arange(count, len(persons))
    keeps_address = happens(rng.random(len(second)), 0.5)
    mailbox[second[keeps_address]] = persons[second[keeps_address]]
    return mailbox


@dataclass(frozen=True)
class Town:
    """The settings of a world with everyone who lives in it."""

    settings: WorldSettings
    people: People
    profiles: Profiles


def settle(settings: WorldSettings) -> Town:
    """Draw everyone who lives in a world, and the profiles the vendor has of them."""
    people = draw_people(settings)
    return Town(settings, people, build_profiles(settings, people))
