"""Floor 4: uvicorn's HTTP protocol with what it lacks: a deadline for receiving a request.

A client that connects and says nothing, or sends half a request, or never reads its answer, would be kept for ever.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from tinytorch._arguments import check_integer, check_positive
from tinytorch.adapters.serve_head import DEFAULT_MAXIMUM_HEAD_BYTES, HeadLimitProtocol

logger = logging.getLogger("tinytorch.serve")
# Slow telephones send a request within a second or two; whoever takes this long will not finish.
DEFAULT_RECEIVE_DEADLINE_S = 15.0


class DeadlineProtocol(HeadLimitProtocol):
    """Closes connections whose request is not received, or whose answer is not read, in time.

    The clock runs whenever the server waits for bytes of a request: from the connection's beginning, from the first
    byte of a later request, and from any byte between two. Ordinary requests arrive whole and start no clock. uvicorn
    makes one object a connection from this class; `with_limits` returns a class with other limits.

    Examples
    --------
    >>> with_limits(receive_deadline_s=1.0).receive_deadline_s
    1.0
    """

    receive_deadline_s = DEFAULT_RECEIVE_DEADLINE_S

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and let the clock run if a request is still not whole."""
        super().data_received(data)
        if self._is_incomplete():
            self._start_deadline()
        elif not self.flow.write_paused:
            self._stop_deadline()

    def pause_writing(self) -> None:
        """Let the clock run while the client does not read."""
        super().pause_writing()
        self._start_deadline()

    def resume_writing(self) -> None:
        """Stop the clock: the client reads."""
        super().resume_writing()
        self._stop_deadline()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and drop one whose last answer was never read: closing would wait for that."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _is_incomplete(self) -> bool:
        """Tell whether the next thing to come is more of a request: of its head, of its body, or of one not begun."""
        if self.in_head or self.cycle is None or self.cycle.more_body:
            return True
        return self.cycle.response_complete and self.timeout_keep_alive_task is None

    def _start_deadline(self) -> None:
        """Start the clock, unless it runs: a byte now and then must not put it off."""
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self.receive_deadline_s, self._give_up)

    def _stop_deadline(self) -> None:
        """Stop the clock."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Drop the connection; there is nobody to explain it to."""
        self._deadline = None
        logger.info("closed a connection that did not send or read in time")
        self.transport.abort()


def with_limits(
    receive_deadline_s: float = DEFAULT_RECEIVE_DEADLINE_S, maximum_head_bytes: int = DEFAULT_MAXIMUM_HEAD_BYTES
) -> type[DeadlineProtocol]:
    """Return the protocol with these limits, for uvicorn's option `http`.

    Raises
    ------
    ValueError
        If the deadline is not positive, or the head's limit no positive integer.

    Examples
    --------
    >>> with_limits(maximum_head_bytes=8192).maximum_head_bytes
    8192
    """
    limits = {
        "receive_deadline_s": check_positive(receive_deadline_s, "receive_deadline_s"),
        "maximum_head_bytes": check_integer(maximum_head_bytes, "maximum_head_bytes", minimum=1),
    }
    return type("LimitedProtocol", (DeadlineProtocol,), limits)
