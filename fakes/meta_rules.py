"""What the stand-in of Meta's Graph API reads of a request, and how it refuses one.

Source: https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from fakes.wire import Refusal, parse

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_ROWS = 10_000
KEYS = frozenset(
    {
        *("EXTERN_ID", "EMAIL", "PHONE", "GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "FI", "CT"),
        *("ST", "ZIP", "MADID", "COUNTRY"),
    }
)
ALONE = {
    "EMAIL_SHA256": "EMAIL",
    "PHONE_SHA256": "PHONE",
    "MOBILE_ADVERTISER_ID": "MADID",
    "EXTERN_ID": "EXTERN_ID",
}
"""Schemas of one key, whose rows are texts."""


def content(request: Request, body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The parameters: a JSON body, a form as Meta's own client sends it, or the query."""
    if request.headers.get("content-type", "").startswith("application/json") and body:
        found = parse(body)
        if not isinstance(found, dict):
            raise refusal(100, "(#100) The request body is not a JSON object")
        return found
    given = parse_qs(body.decode()) or {k: [v] for k, v in request.query_params.items()}
    return {
        key: parse(texts[0].encode()) if key in {"payload", "session"} else texts[0]
        for key, texts in given.items()
    }


def read_session(body: Any) -> tuple[int, int, bool]:  # noqa: ANN401 - any JSON
    """A request's session: its number, the number of the batch, and whether it is the last."""
    session = body.get("session")
    fields = {"session_id": int, "batch_seq": int, "last_batch_flag": bool}
    if not isinstance(session, dict) or any(
        type(session.get(name)) is not kind for name, kind in fields.items()
    ):
        raise refusal(100, "(#100) The parameter session is required")
    if not 0 <= session["session_id"] < 1 << 63:
        raise refusal(100, "(#100) session_id must be a positive 64 bit integer")
    return session["session_id"], session["batch_seq"], session["last_batch_flag"]


def read_payload(body: Any) -> tuple[list[str], list[list[str]]]:  # noqa: ANN401 - any JSON
    """The schema of a request, and its rows: as many cells in each as the schema has keys.

    Raises:
        Refusal: They are none.
    """
    payload = body.get("payload") if isinstance(body, dict) else None
    schema = payload.get("schema") if isinstance(payload, dict) else None
    rows = payload.get("data") if isinstance(payload, dict) else None
    if isinstance(schema, str) and schema in ALONE and isinstance(rows, list):
        schema, rows = [ALONE[schema]], [[row] for row in rows]
    if not isinstance(schema, list) or not schema or not set(map(str, schema)) <= KEYS:
        raise refusal(100, "(#100) Invalid schema in payload")
    if not isinstance(rows, list) or not rows:
        raise refusal(100, "(#100) payload has no data")
    if len(rows) > MAX_ROWS:
        raise refusal(100, f"(#100) payload has more than {MAX_ROWS} entries")
    for row in rows:
        is_row = isinstance(row, list) and len(row) == len(schema)
        if not is_row or not all(isinstance(cell, str) for cell in row):
            raise refusal(100, "(#100) A row has another number of columns than the schema")
    return schema, rows


def refusal(
    code: int, message: str, *, subcode: int | None = None, status: int = 400, kind: str = "Api"
) -> Refusal:
    """A refusal as the Graph API words it."""
    error = {"message": message, "type": kind, "code": code, "fbtrace_id": "Afake"}
    return Refusal(status, {"error": error | ({"error_subcode": subcode} if subcode else {})})
