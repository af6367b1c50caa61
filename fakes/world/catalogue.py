"""What this company sends: its messages with the vendor's ids, and its experiments.

Ids are those that `fakes/company/seeds` refers to. Names follow `<intent>_<channel>_<number>`.
"""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = ("email", "sms", "push", "in_app")
NEWSLETTER_WEEKS = 13
LAST_NEWSLETTER_ID = 63
EXPERIMENT_NEWSLETTER_ID = 57


@dataclass(frozen=True)
class Message:
    """One sendable message: an action of a flow, a newsletter variant, or a transactional one."""

    name: str
    channel: str
    intent: str
    subject: str = ""
    campaign_id: int | None = None
    action_id: int | None = None
    parent_action_id: int | None = None
    broadcast_id: int | None = None
    trigger_id: int | None = None
    newsletter_id: int | None = None
    content_id: int | None = None
    transactional_message_id: int | None = None

    @property
    def has_journey(self) -> bool:
        """Only campaigns and triggered broadcasts walk a person along a journey."""
        return self.campaign_id is not None or self.broadcast_id is not None

    @property
    def links(self) -> tuple[str, str]:
        """The two tracked links of the message."""
        query = f"utm_source=customerio&utm_campaign={self.name}"
        return (
            f"https://shop.example.com/{self.intent}?{query}",
            f"https://shop.example.com/new?{query}",
        )


@dataclass(frozen=True)
class Arm:
    """One arm of an experiment: the message that marks it, and its share of people."""

    name: str
    message: str | None
    share: float
    is_control: bool = False


@dataclass(frozen=True)
class Experiment:
    """A randomised comparison. The first arm is the control; its message is trapped, never sent."""

    experiment_id: str
    label: str
    kind: str
    starts_days_before_end: int
    ends_days_before_end: int
    window_hours: int
    primary_metric: str
    holdout_share: float
    covers: str
    owner: str
    arms: tuple[Arm, ...]

    @property
    def is_assigned(self) -> bool:
        """Whether the world records an assignment for it at all."""
        return all(arm.message is not None for arm in self.arms)


def _newsletters() -> tuple[Message, ...]:
    ids = range(LAST_NEWSLETTER_ID - NEWSLETTER_WEEKS + 1, LAST_NEWSLETTER_ID + 1)
    return tuple(
        Message(
            f"weekly_edit_email_{number}",
            "email",
            "promotion",
            "This week: new arrivals and offers",
            newsletter_id=number,
            content_id=number * 100 + 1,
        )
        for number in ids
    )


MESSAGES: tuple[Message, ...] = (
    Message("welcome_email_1", "email", "welcome", "Welcome in", campaign_id=10, action_id=1001),
    Message("welcome_email_2", "email", "welcome", "How we work", campaign_id=10, action_id=1002),
    Message(
        "cart_abandonment_email_1",
        "email",
        "cart",
        "You left something behind",
        campaign_id=11,
        action_id=1101,
        parent_action_id=1100,
    ),
    Message(
        "cart_abandonment_holdout",
        "email",
        "cart",
        "You left something behind",
        campaign_id=11,
        action_id=1102,
        parent_action_id=1100,
    ),
    Message(
        "cart_abandonment_sms_1",
        "sms",
        "cart",
        campaign_id=11,
        action_id=1103,
        parent_action_id=1100,
    ),
    Message(
        "browse_abandonment_email_1",
        "email",
        "browse",
        "Still looking?",
        campaign_id=12,
        action_id=1201,
    ),
    Message(
        "winback_reminder_email_1",
        "email",
        "winback",
        "It has been a while",
        campaign_id=13,
        action_id=1301,
        parent_action_id=1300,
    ),
    Message(
        "winback_discount_email_1",
        "email",
        "winback",
        "20 % off, because it has been a while",
        campaign_id=13,
        action_id=1302,
        parent_action_id=1300,
    ),
    Message(
        "winback_holdout",
        "email",
        "winback",
        "It has been a while",
        campaign_id=13,
        action_id=1303,
        parent_action_id=1300,
    ),
    Message(
        "replenishment_email_1",
        "email",
        "replenishment",
        "Running low?",
        campaign_id=14,
        action_id=1401,
    ),
    Message("replenishment_sms_1", "sms", "replenishment", campaign_id=14, action_id=1402),
    Message(
        "education_email_1",
        "email",
        "education",
        "Getting the most out of it",
        campaign_id=15,
        action_id=1501,
    ),
    Message("education_in_app_1", "in_app", "education", campaign_id=15, action_id=1502),
    Message("app_tips_in_app_1", "in_app", "education", campaign_id=16, action_id=1601),
    Message("promotion_sms_1", "sms", "promotion", broadcast_id=21, trigger_id=1, action_id=2101),
    Message("promotion_push_1", "push", "promotion", broadcast_id=22, trigger_id=1, action_id=2201),
    *(
        Message(
            f"flash_sale_email_{number}",
            "email",
            "promotion",
            "Flash sale, while stocks last",
            broadcast_id=23,
            trigger_id=number,
            action_id=2301,
        )
        for number in (1, 2, 3)
    ),
    *_newsletters(),
    Message(
        "weekly_edit_holdout",
        "email",
        "promotion",
        "This week: new arrivals and offers",
        newsletter_id=EXPERIMENT_NEWSLETTER_ID,
        content_id=EXPERIMENT_NEWSLETTER_ID * 100 + 2,
    ),
    Message(
        "order_receipt_email",
        "email",
        "transactional",
        "Your receipt",
        transactional_message_id=2,
    ),
    Message("order_shipped_push", "push", "transactional", transactional_message_id=3),
)

CODES: dict[str, int] = {message.name: code for code, message in enumerate(MESSAGES)}
"""A message's place in `MESSAGES`, by name."""

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "cart_recovery_holdout",
        "Cart recovery, 10 % held out",
        "campaign",
        90,
        0,
        72,
        "conversion_rate",
        0.10,
        "11",
        "retention",
        (
            Arm("held_out", "cart_abandonment_holdout", 0.10, is_control=True),
            Arm("messaged", "cart_abandonment_email_1", 0.90),
        ),
    ),
    Experiment(
        "winback_discount_test",
        "Winback with and without a discount, 20 % held out",
        "campaign",
        85,
        0,
        336,
        "conversion_rate",
        0.20,
        "13",
        "retention",
        (
            Arm("held_out", "winback_holdout", 0.20, is_control=True),
            Arm("reminder", "winback_reminder_email_1", 0.40),
            Arm("discount", "winback_discount_email_1", 0.40),
        ),
    ),
    Experiment(
        "newsletter_holdout",
        "Weekly edit, 10 % held out",
        "campaign",
        48,
        45,
        168,
        "revenue_per_person",
        0.10,
        "57",
        "crm",
        (
            Arm("held_out", "weekly_edit_holdout", 0.10, is_control=True),
            Arm("messaged", "weekly_edit_email_57", 0.90),
        ),
    ),
    Experiment(
        "replenishment_holdout",
        "Replenishment, a holdout that was planned and never assigned",
        "warehouse",
        90,
        0,
        336,
        "orders_per_person",
        0.10,
        "14",
        "retention",
        (Arm("held_out", None, 0.10, is_control=True), Arm("messaged", None, 0.90)),
    ),
)

ASSIGNED: tuple[Experiment, ...] = tuple(item for item in EXPERIMENTS if item.is_assigned)
"""The experiments whose arms the world really draws."""
