"""How far vendors are with what `cio erase` asked of them, into the proof of each case."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from cio.erase_proof import read_record, write_proof
from reverse_etl.deletion import VendorRequest, follow_vendors

if TYPE_CHECKING:
    from reverse_etl.run import Room


@dataclass(frozen=True)
class CaseStatus:
    """What the vendors of one case say.

    Attributes:
        case: Its name, made of the identifier's hash.
        requests: What they were asked, and how far they are.
        proof: The file that says so.
    """

    case: str
    requests: tuple[VendorRequest, ...]
    proof: str

    @property
    def is_ok(self) -> bool:
        """Whether nothing failed, and every vendor that can say how far it is does."""
        return not any(one.problem or one.end == "failed" for one in self.requests)

    def to_json(self) -> dict[str, Any]:
        """The same for a script."""
        return asdict(self)


def follow_cases(room: Room) -> list[CaseStatus]:
    """Ask every vendor how far each request is that is not over, and write it into the proofs.

    Args:
        room: The home; nothing is erased and no sync is read.

    Returns:
        The cases in which a vendor took a request, by name.
    """
    cases = room.home.root / "erasures"
    found = []
    with FileLock(room.home.locks / "erase.lock"):
        for journal in sorted(cases.glob("*/requests.ndjson")):
            requests = tuple(follow_vendors(room, journal))
            proof = journal.with_name("proof.json")
            body = read_record(proof)
            told = [asdict(one) for one in requests]
            if body is not None and body.get("requests") != told:
                write_proof(proof, body | {"requests": told})
            found.append(CaseStatus(journal.parent.name, requests, str(proof)))
    return found
