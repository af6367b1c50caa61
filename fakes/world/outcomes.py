"""Playing the sends under an assignment: who gets what, who leaves, and what is bought for it.

`play` is a pure function of the sends (with their draws) and the arms, so playing it again with
everyone in one arm gives each person's potential outcome under that arm, with common random
numbers. `truth.py` is the difference of such plays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fakes.world.catalogue import ASSIGNED, CODES, EXPERIMENT_NEWSLETTER_ID, MESSAGES, Experiment
from fakes.world.orders import COMEBACK, Orders
from fakes.world.people import HAMMERED, People, Town
from fakes.world.settings import HOUR, NEVER, Effects, Flags, Floats, Ints

if TYPE_CHECKING:
    from fakes.world.sends import Sends

ABSENT, TRAPPED, UNDELIVERABLE, DROPPED, BOUNCED, FAILED, DELIVERED = range(7)
"""What becomes of a send. `TRAPPED` is the ghost send of a held-out person."""

EMAIL, SMS, PUSH, IN_APP = range(4)
CHANNEL = np.array([("email", "sms", "push", "in_app").index(m.channel) for m in MESSAGES])
IS_PROMOTION = np.array([message.intent == "promotion" for message in MESSAGES])
IS_MARKETING = np.array([message.intent != "transactional" for message in MESSAGES])

_NULL_MESSAGE = f"weekly_edit_email_{EXPERIMENT_NEWSLETTER_ID}"
_MAKES_LEAVE = IS_MARKETING & np.array([m.name != _NULL_MESSAGE for m in MESSAGES])
"""The message of the true null ends nothing either: a lost subscriber is a lost later order."""

MESSAGE_LIMIT = 5
"""Promotions above this many messages in seven days hit the workspace's message limit."""
_KEPT_AFTER_OPT_OUT = 0.12
_BOUNCE = np.array([0.004, 0.008, 0.03, 0.0])
_FAILURE = np.array([0.001, 0.02, 0.01, 0.005])
_EFFECT_OF_KIND = np.array([1.0, 1.4, 0.4, 0.9, 0.8, 0.5])
_MEAN_DELAY_HOURS = {"cart": 9, "winback": 60, "welcome": 48, "browse": 18, "replenishment": 40}
_COMPLAINT_SHARE = 0.12

Arms = tuple[Ints, ...]
"""For each of `ASSIGNED`, the number of the arm each profile is in."""


@dataclass(frozen=True)
class Played:
    """One play of the world: the fate of each send, and what was bought because of it."""

    state: Ints
    message: Ints
    opted_out_at: tuple[Ints, Ints]
    leaves: Flags
    left_at: Ints
    complains: Flags
    caused: Orders
    caused_by: Ints


def draw_arms(town: Town) -> Arms:
    """Draw every profile's arm in every experiment, as the vendor's random splits would."""
    arms = []
    for experiment in ASSIGNED:
        rng = town.settings.stream(f"arms of {experiment.experiment_id}")
        shares = [arm.share for arm in experiment.arms]
        arms.append(rng.choice(len(shares), town.profiles.count, p=shares).astype(np.int64))
    return tuple(arms)


def entry_message(experiment: Experiment) -> int:
    """The message that is due at the experiment's split, before the arm is looked at."""
    return CODES[experiment.arms[1].message or ""]


def _effects(effects: Effects) -> Floats:
    by_intent = {
        "welcome": effects.welcome,
        "browse": effects.browse,
        "replenishment": effects.replenishment,
        "promotion": effects.promotion,
    }
    rates = np.array([by_intent.get(message.intent, 0.0) for message in MESSAGES])
    rates[CODES["cart_abandonment_email_1"]] = effects.cart_recovery
    rates[CODES["cart_abandonment_sms_1"]] = effects.cart_recovery_sms
    rates[CODES["winback_reminder_email_1"]] = effects.winback_reminder
    rates[CODES["winback_discount_email_1"]] = effects.winback_discount
    rates[CODES[_NULL_MESSAGE]] = effects.newsletter
    return rates


def _resolve(sends: Sends, arms: Arms) -> tuple[Ints, Flags, Flags]:
    """Each send's message once its arm is known; whether it is trapped; whether it is cut off."""
    message = sends.message.copy()
    is_trapped = np.zeros(sends.count, dtype=bool)
    is_cut = np.zeros(sends.count, dtype=bool)
    for experiment, arm in zip(ASSIGNED, arms, strict=True):
        entry = entry_message(experiment)
        codes = np.array([CODES[item.message or ""] for item in experiment.arms])
        at_split = np.flatnonzero(sends.message == entry)
        chosen = arm[sends.profile[at_split]]
        message[at_split] = codes[chosen]
        is_trapped[at_split] = chosen == 0
        if experiment.experiment_id == "cart_recovery_holdout":
            followed_up = sends.message == CODES["cart_abandonment_sms_1"]
            is_cut |= followed_up & (arm[sends.profile] == 0)
    return message, is_trapped, is_cut


def _fates(sends: Sends, people: People, message: Ints) -> Ints:
    """What would become of each send if nobody had opted out and nobody were held out."""
    channel = CHANNEL[message]
    bounce = _BOUNCE[channel]
    state = np.full(sends.count, DELIVERED, dtype=np.int64)
    state[sends.fate < bounce + _FAILURE[channel]] = FAILED
    state[sends.fate < bounce] = BOUNCED
    has_bad_email = people.has_bad_email[sends.person] & (channel == EMAIL)
    state[has_bad_email] = np.where(sends.is_first_email[has_bad_email], BOUNCED, DROPPED)
    over_limit = (sends.pressure >= MESSAGE_LIMIT) & IS_PROMOTION[message]
    state[over_limit & ~has_bad_email] = UNDELIVERABLE
    return state


def _departures(
    sends: Sends, people: People, message: Ints, is_received: Flags
) -> tuple[Flags, Ints, Flags]:
    """Which received messages make their person leave the channel, when, and with a complaint."""
    channel = CHANNEL[message]
    hazard = 0.0022 * (1 + 0.55 * np.minimum(sends.pressure, 10))
    hazard = np.where(people.kind[sends.person] == HAMMERED, 1.5 * hazard, hazard)
    is_leaving = is_received & (channel <= SMS) & _MAKES_LEAVE[message] & (sends.leaves < hazard)
    part = sends.leaves / hazard
    left_at = sends.at + 15 * 60 + (part * 20 * HOUR).astype(np.int64)
    complains = is_leaving & (channel == EMAIL) & (part < _COMPLAINT_SHARE)
    return is_leaving, left_at, complains


def _opt_outs(
    sends: Sends, people: People, channel: Ints, leaves: Flags, left_at: Ints
) -> tuple[Ints, Ints]:
    by_channel = []
    for code, initial in ((EMAIL, people.opted_out_at), (SMS, np.full(people.count, NEVER))):
        opted_out_at = initial.copy()
        rows = leaves & (channel == code)
        np.minimum.at(opted_out_at, sends.person[rows], left_at[rows])
        by_channel.append(opted_out_at)
    return by_channel[0], by_channel[1]


def play(town: Town, sends: Sends, arms: Arms) -> Played:
    """Play the world once under an assignment."""
    people = town.people
    message, is_trapped, is_cut = _resolve(sends, arms)
    channel = CHANNEL[message]
    state = _fates(sends, people, message)
    is_received = (state == DELIVERED) & ~is_trapped & ~is_cut
    leaves, left_at, complains = _departures(sends, people, message, is_received)
    opted_out_at = _opt_outs(sends, people, channel, leaves, left_at)
    gone_at = np.where(channel == SMS, opted_out_at[1][sends.person], opted_out_at[0][sends.person])
    is_gone = (sends.at > gone_at) & (channel <= SMS)
    state[is_gone] = DROPPED
    state[is_trapped] = TRAPPED
    is_dead = people.has_bad_email[sends.person] & (channel == EMAIL) & ~sends.is_first_email
    state[(is_gone | is_dead) & (sends.kept >= _KEPT_AFTER_OPT_OUT)] = ABSENT
    state[is_cut | (is_gone & (channel == SMS))] = ABSENT
    is_delivered = state == DELIVERED
    caused, caused_by = _purchases(town, sends, message, is_delivered)
    return Played(
        state=state,
        message=message,
        opted_out_at=opted_out_at,
        leaves=leaves & is_delivered,
        left_at=left_at,
        complains=complains & is_delivered,
        caused=caused,
        caused_by=caused_by,
    )


def _purchases(town: Town, sends: Sends, message: Ints, is_delivered: Flags) -> tuple[Orders, Ints]:
    """The orders that delivered messages cause, and which send caused each."""
    kind = town.people.kind[sends.person]
    rate = _effects(town.settings.effects)[message] * _EFFECT_OF_KIND[kind]
    rate = rate * 0.93 ** np.minimum(sends.pressure, 10)
    rows = np.flatnonzero(is_delivered & (sends.buys < rate))
    mean_hours = np.array([_MEAN_DELAY_HOURS.get(m.intent, 24) for m in MESSAGES])[message[rows]]
    delay = (20 * 60 + sends.buys_after[rows] * mean_hours * HOUR).astype(np.int64)
    bought = Orders(sends.person, sends.at, sends.baskets).take(rows)
    bought = replace(bought, at=bought.at + delay)
    is_discounted = message[rows] == CODES["winback_discount_email_1"]
    code = np.where(is_discounted, COMEBACK, bought.baskets.code)
    bought = replace(bought, baskets=replace(bought.baskets, code=code))
    is_in_time = bought.at < town.settings.end
    return bought.take(is_in_time), rows[is_in_time]
