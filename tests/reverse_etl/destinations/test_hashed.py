"""Of an identifier that is hashed in part nothing leaves, the hashed part included."""

from __future__ import annotations

import hashlib
import json

import pytest

from reverse_etl.contract import Change, Refused
from reverse_etl.destinations.hashed import read_match_keys

ALLOWED = ("EMAIL", "PHONE", "COUNTRY")
DIGEST = hashlib.sha256(b"a@example.com").hexdigest()


def change(**keys: object) -> Change:
    return Change(0, "add", "k", "p", json.dumps(keys), "Buyers", None, "{}", "f")


def test_hashes_alone_are_match_keys() -> None:
    assert read_match_keys(change(EMAIL=DIGEST), ALLOWED) == {"EMAIL": DIGEST}


@pytest.mark.parametrize(
    "plain",
    [
        *("+4915112345678", "b@example.com", "München", "", None, 7, [DIGEST], {"PHONE": DIGEST}),
        *(DIGEST.upper(), DIGEST[:-1], DIGEST + "0", f"{DIGEST}\n", hashlib.md5(b"a").hexdigest()),  # noqa: S324 - what must not pass
    ],
)
@pytest.mark.parametrize("keys", [("EMAIL", "PHONE"), ("PHONE", "EMAIL")])
def test_a_plain_identifier_beside_a_hashed_one_is_refused_without_being_shown(
    plain: object, keys: tuple[str, str]
) -> None:
    hashed, other = keys
    with pytest.raises(Refused) as refused:
        read_match_keys(change(**{hashed: DIGEST, other: plain}), ALLOWED)
    shown = str(refused.value)
    assert DIGEST[:8] not in shown
    assert not plain or str(plain) not in shown
