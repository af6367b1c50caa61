r"""One body, one line: how whatever was posted is kept in a file of JSON lines.

An event is kept as it came. White space around it goes, and a line break inside it becomes a
space: in valid JSON those can only stand between tokens, for inside a text they are written `\n`.
What cannot be a line of its own (not JSON, not an object, empty, cut off at the limit) is kept in
an envelope, `{"cio_receive": {"reason": …, "body": base64}}`, and a load puts its bytes into
quarantine with that reason.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import NoReturn

import orjson
import pyarrow as pa
import pyarrow.compute as pc

PREFIX = b'{"cio_receive":'

_SPACE = b" \t\r\n"
_NO_BREAKS = bytes.maketrans(b"\r\n", b"  ")


def to_line(body: bytes) -> bytes:
    """The line to keep for a body, with its newline.

    Whether a body without line breaks is valid JSON is left to the load, which says why not.
    """
    is_object = body.startswith(b"{") and body.endswith(b"}") and not body.startswith(PREFIX)
    if is_object and b"\n" not in body:
        return body + b"\n"
    bare = body.strip(_SPACE)
    reason = _fault(bare)
    if reason is not None:
        return enclose(body, reason)
    return bare.translate(_NO_BREAKS) + b"\n"


def enclose(body: bytes, reason: str) -> bytes:
    """An envelope with a body that cannot be an event, as a line."""
    content = {"reason": reason, "body": base64.b64encode(body).decode()}
    return orjson.dumps({"cio_receive": content}, option=orjson.OPT_APPEND_NEWLINE)


def _fault(bare: bytes) -> str | None:
    """Why a body cannot be an event; nothing if its line breaks may safely go."""
    if not bare:
        return "the body is empty"
    if bare.startswith(PREFIX):
        return "the body looks like an envelope of the receiver"
    try:
        # not orjson: it refuses unpaired surrogates, which a load may well take
        value = json.loads(bare.decode(), parse_constant=_refuse)
    except UnicodeDecodeError:
        return "not valid UTF-8"
    except (ValueError, RecursionError):
        return "not valid JSON"
    return None if isinstance(value, dict) else "not a JSON object"


def _refuse(constant: str) -> NoReturn:
    """NaN and the infinities are not JSON, though Python reads them."""
    raise ValueError(constant)


def open_envelopes(reasons: pa.Array, originals: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Take lines that are envelopes out of them.

    Args:
        reasons: Why each line is no event.
        originals: The lines' bytes, as many.

    Returns:
        Both again: for an envelope, its reason and the bytes that were posted.
    """
    is_envelope = pc.starts_with(originals, PREFIX)
    if not pc.any(is_envelope).as_py():
        return reasons, originals
    texts, contents = reasons.to_pylist(), originals.to_pylist()
    for index, content in enumerate(contents):
        opened = _open(content)
        if opened is not None:
            texts[index], contents[index] = opened
    return pa.array(texts, reasons.type), pa.array(contents, originals.type)


def _open(line: bytes) -> tuple[str, bytes] | None:
    """The reason and the body; nothing if the line is no envelope, or a torn one."""
    if not line.startswith(PREFIX):
        return None
    try:
        content = orjson.loads(line)["cio_receive"]
        return str(content["reason"]), base64.b64decode(content["body"], validate=True)
    except (orjson.JSONDecodeError, KeyError, TypeError, binascii.Error):
        return None
