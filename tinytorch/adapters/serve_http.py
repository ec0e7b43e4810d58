"""Floor 4: the few lines of HTTP that every route shares: bounded bodies, headers, answers, tokens. No route here."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from starlette.types import Message, Receive, Scope, Send

from tinytorch.adapters.open_inference_binary import TOO_LARGE, unpack
from tinytorch.adapters.open_inference_json import ProtocolError

# Four million bytes are 30 thousand numbers as JSON, half a million as binary tensors.
DEFAULT_MAXIMUM_BODY_BYTES = 4_000_000
TOKEN_VARIABLE = "TINYTORCH_TOKEN"
# A token that a person made up in a hurry is guessed; `openssl rand -hex 16` makes 32 characters.
SHORTEST_TOKEN = 16
UNAUTHORIZED, FORBIDDEN = 401, 403
JSON_TYPE = b"application/json"
BINARY_TYPE = b"application/octet-stream"
# The headers that a request is read by, in the lower case in which ASGI hands them over.
CONTENT_LENGTH = b"content-length"
CONTENT_ENCODING = b"content-encoding"
ACCEPT_ENCODING = b"accept-encoding"
JSON_LENGTH = b"inference-header-content-length"
AUTHORIZATION = b"authorization"
_READ_HEADERS = frozenset({CONTENT_LENGTH, CONTENT_ENCODING, ACCEPT_ENCODING, JSON_LENGTH, AUTHORIZATION})


class ClientLeftError(Exception):
    """The client closed the connection before it had sent its request: nobody waits for an answer.

    Examples
    --------
    >>> issubclass(ClientLeftError, Exception)
    True
    """


class Reply(NamedTuple):
    """An answer: status, body, type of the body, and further headers.

    Examples
    --------
    >>> Reply(200, b"{}").content_type
    b'application/json'
    """

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = ()


def read_headers(scope: Scope) -> dict[bytes, str]:
    """Return the headers that requests are read by; the first counts where one comes twice.

    Examples
    --------
    >>> read_headers({"headers": [(b"content-length", b"3"), (b"x-else", b"1")]})
    {b'content-length': '3'}
    """
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _READ_HEADERS and name not in found:
            found[name] = value.decode("latin-1")
    return found


async def read_body(receive: Receive, headers: Mapping[bytes, str], limit_bytes: int) -> bytes:
    """Return a request's whole body, unpacked, and never hold more than `limit_bytes` of it.

    Raises
    ------
    ProtocolError
        If it is too large (413), or packed in a way that is unknown (415) or damaged (400).
    ClientLeftError
        If the connection ends before the body does.
    """
    declared = headers.get(CONTENT_LENGTH, "")
    if declared.isdigit() and int(declared[:20]) > limit_bytes:
        raise _too_large(limit_bytes)
    body = await _receive_all(receive, limit_bytes)
    encoding = headers.get(CONTENT_ENCODING)
    return body if encoding is None else unpack(body, encoding.strip().lower(), limit_bytes)


async def send_reply(send: Send, reply: Reply) -> None:
    """Send an answer whose length is known."""
    start = [
        (b"content-type", reply.content_type),
        (CONTENT_LENGTH, str(len(reply.body)).encode("ascii")),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": start})
    await send({"type": "http.response.body", "body": reply.body})


def closing(send: Send) -> Send:
    """Return a `send` that also tells the client to close the connection after this answer."""

    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return send_and_close


def read_token(path: str | os.PathLike[str] | None) -> str | None:
    """Return the token of a file, or of the environment variable TINYTORCH_TOKEN; None if neither is there.

    Raises
    ------
    ValueError
        If the file cannot be read, or the token is shorter than 16 characters or not plain ASCII.

    Examples
    --------
    >>> read_token("no-such-file")
    Traceback (most recent call last):
    ...
    ValueError: token file must be readable, got 'no-such-file': No such file or directory.
    """
    if path is None:
        token = os.environ.get(TOKEN_VARIABLE, "")
        if not token:
            return None
    else:
        try:
            token = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"token file must be readable, got {str(path)!r}: {error.strerror}.") from error
    token = token.strip()
    if len(token) < SHORTEST_TOKEN or not token.isascii():
        raise ValueError(f"token must be at least {SHORTEST_TOKEN} ASCII characters, got {len(token)}.")
    return token


def check_token(headers: Mapping[bytes, str], token: str | None) -> None:
    """Refuse a request that does not carry `Authorization: Bearer TOKEN`, in the same time whatever it carries.

    Raises
    ------
    ProtocolError
        If the server has no token (403), or the request another or none (401).

    Examples
    --------
    >>> check_token({b"authorization": "Bearer 0123456789abcdef"}, "0123456789abcdef")
    """
    if token is None:
        raise ProtocolError(f"this route needs a token, and the server has none ({TOKEN_VARIABLE}).", FORBIDDEN)
    scheme, _, given = headers.get(AUTHORIZATION, "").partition(" ")
    matches = hmac.compare_digest(given.strip().encode("utf-8"), token.encode("utf-8"))
    if scheme.lower() != "bearer" or not matches:
        raise ProtocolError("this route needs the header Authorization: Bearer TOKEN.", UNAUTHORIZED)


async def _receive_all(receive: Receive, limit_bytes: int) -> bytes:
    """Return all parts of a body; small ones come in one."""
    parts: list[bytes] = []
    n_left = limit_bytes
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            raise ClientLeftError
        parts.append(message.get("body", b""))
        n_left -= len(parts[-1])
        if n_left < 0:
            raise _too_large(limit_bytes)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit_bytes: int) -> ProtocolError:
    """Return the error of a body over the limit."""
    return ProtocolError(f"body must be at most {limit_bytes} bytes, got more.", TOO_LARGE)
