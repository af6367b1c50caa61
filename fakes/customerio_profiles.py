"""The people of a workspace as Customer.io keeps them: profiles, and who is in which segment.

Profiles are entries of the workspace that the App API answers from, so that what is written
through one API is read through the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.customerio_app import Workspace

Json = dict[str, Any]


@dataclass
class Profiles:
    """Who is there, by every identifier.

    Attributes:
        workspace: Where profiles and segments are kept.
        failures: What was answered with 200 and then not done, in words.
        suppressed: Identifiers, with their kind, that nobody may bear again.
    """

    workspace: Workspace
    failures: list[str] = field(default_factory=list)
    suppressed: set[tuple[str, str]] = field(default_factory=set)
    _found: dict[tuple[str, str], Json] = field(default_factory=dict)
    _made: int = 0

    def __post_init__(self) -> None:
        """Know the people who are there."""
        for person in self.workspace.people:
            self._index(person)

    def find(self, kind: str, value: str) -> Json | None:
        """A profile by one identifier; an address in whatever case."""
        return self._found.get((kind, value.lower() if kind == "email" else value))

    def identify(self, kind: str, value: str, attributes: Json) -> None:
        """Create or update a profile. A new id takes over a profile that has only the address."""
        if self.is_suppressed(kind, value):
            self.failures.append("ignored: the identifier is suppressed")
            return
        person = self.find(kind, value)
        email = attributes.get("email")
        if person is None and kind == "id" and isinstance(email, str):
            person = self._free(email)
            if person is not None:
                person["identifiers"]["id"] = person["id"] = value
        if person is None and kind == "cio_id":
            self.failures.append("attribute update failure: no such cio_id")
            return
        person = person or self._make(kind, value)
        if isinstance(email, str):
            self._readdress(person, email)
        if "unsubscribed" in attributes:
            person["unsubscribed"] = attributes["unsubscribed"]
        for name, given in attributes.items():
            if given is None:
                person["attributes"].pop(name, None)
            elif name not in {"email", "unsubscribed"}:
                person["attributes"][name] = given
        self._index(person)

    def delete(self, kind: str, value: str) -> None:
        """Remove a profile, from its segments too."""
        person = self.find(kind, value)
        if person is None:
            return
        self._found = {key: one for key, one in self._found.items() if one is not person}
        self.workspace.people.remove(person)
        for segment in list(self.workspace.members):
            self.remove(segment, [person])

    def suppress(self, kind: str, value: str) -> None:
        """Remove a profile, and keep its identifiers from coming back.

        Of a profile that has an id and an address, both are suppressed.
        """
        person = self.find(kind, value)
        named = {kind: value} if person is None else person["identifiers"] | {kind: value}
        self.suppressed |= {
            (each, text.lower() if each == "email" else text)
            for each, text in named.items()
            if text is not None
        }
        self.delete(kind, value)

    def unsuppress(self, kind: str, value: str) -> None:
        """Let an identifier be borne again; the profile is gone all the same."""
        self.suppressed.discard((kind, value.lower() if kind == "email" else value))

    def merge(self, primary: tuple[str, str], secondary: tuple[str, str]) -> None:
        """Add to a profile what it lacks of another, which is removed then; segments go with it."""
        kept, gone = self.find(*primary), self.find(*secondary)
        if kept is None or gone is None or kept is gone:
            self.failures.append("merge failure: there are no two such profiles")
            return
        kept["attributes"] = gone["attributes"] | kept["attributes"]
        segments = [
            segment
            for segment, members in self.workspace.members.items()
            if gone["identifiers"] in members
        ]
        self.delete(*secondary)
        for segment in segments:
            self.add(segment, [kept])
        for name, value in gone["identifiers"].items():
            kept["identifiers"][name] = kept["identifiers"][name] or value
        kept["id"] = kept["identifiers"]["id"]
        self._index(kept)

    def is_suppressed(self, kind: str, value: str) -> bool:
        """Whether an identifier is suppressed."""
        return (kind, value.lower() if kind == "email" else value) in self.suppressed

    def members(self, segment: str) -> list[Json]:
        """The identifiers of the people in a segment."""
        return self.workspace.members.setdefault(segment, [])

    def add(self, segment: str, people: Iterable[Json]) -> None:
        """Put people into a segment; whoever is in it stays."""
        members = self.members(segment)
        known = {each["cio_id"] for each in members}
        for person in people:
            if person["identifiers"]["cio_id"] not in known:
                known.add(person["identifiers"]["cio_id"])
                members.append(person["identifiers"])

    def remove(self, segment: str, people: Iterable[Json]) -> None:
        """Take people out of a segment; who is not in it stays out."""
        gone = {person["identifiers"]["cio_id"] for person in people}
        members = self.members(segment)
        members[:] = [each for each in members if each["cio_id"] not in gone]

    def _free(self, email: str) -> Json | None:
        person = self.find("email", email)
        return person if person is not None and person["identifiers"]["id"] is None else None

    def _make(self, kind: str, value: str) -> Json:
        self._made += 1
        identifiers = {"cio_id": f"0f{self._made:010x}", "id": None, "email": None}
        if kind in identifiers:
            identifiers[kind] = value
        person: Json = {
            "id": identifiers["id"],
            "identifiers": identifiers,
            "attributes": {} if kind in identifiers else {kind: value},
            "unsubscribed": False,
        }
        self.workspace.people.append(person)
        return person

    def _readdress(self, person: Json, email: str) -> None:
        if (person["identifiers"]["email"] or "").lower() == email.lower():
            return
        other = self.find("email", email)
        if other is not None and other is not person:
            self.failures.append("attribute update failure: the address belongs to another profile")
            return
        person["identifiers"]["email"] = email

    def _index(self, person: Json) -> None:
        for kind, value in person["identifiers"].items():
            if value is not None and kind == "email":
                # several may bear one address: the first is who is found by it
                self._found.setdefault((kind, value.lower()), person)
            elif value is not None:
                self._found[kind, value] = person
        if "phone" in person["attributes"]:
            self._found["phone", person["attributes"]["phone"]] = person
