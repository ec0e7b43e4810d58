"""Floor 4: uvicorn's HTTP protocol with a limit on the head of a request: it would take a megabyte of headers."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

# A browser with many cookies sends about 8 KB; other servers stop at 8 to 64.
DEFAULT_MAXIMUM_HEAD_BYTES = 16_384
HEAD_TOO_LARGE = 431


class HeadLimitProtocol(HttpToolsProtocol):
    """Refuses a request whose head is too large with 431, and closes its connection.

    Attributes
    ----------
    in_head : bool
        Whether a request has begun whose head has not ended; True before the first.

    Examples
    --------
    >>> HeadLimitProtocol.maximum_head_bytes
    16384
    """

    maximum_head_bytes = DEFAULT_MAXIMUM_HEAD_BYTES

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.in_head = True
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take bytes in; those of a header that never ends count too, which the parser keeps to itself."""
        super().data_received(data)
        if self.in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.maximum_head_bytes and not self.transport.is_closing():
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """See a request begin."""
        super().on_message_begin()
        self.in_head = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """See a header; the parser stops at one too many, and `send_400_response` says why."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self.maximum_head_bytes:
            raise ValueError("the head of the request is too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """See the head end."""
        super().on_headers_complete()
        self.in_head = False
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request with 400, and a head that is too large with 431."""
        if self._head_bytes <= self.maximum_head_bytes:
            super().send_400_response(msg)
            return
        head = STATUS_LINE[HEAD_TOO_LARGE] + b"connection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(head)
        self.transport.close()
