"""Floor 4: the process: uvicorn with our protocol, and a stop that loses no request."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from dataclasses import dataclass
from types import FrameType

import uvicorn

from tinytorch._arguments import check_in_range, check_integer, check_positive
from tinytorch.adapters.serve_deadline import DEFAULT_RECEIVE_DEADLINE_S, with_limits
from tinytorch.adapters.serve_head import DEFAULT_MAXIMUM_HEAD_BYTES
from tinytorch.adapters.serve_infer import InferRoute
from tinytorch.mlops.validate import check_text

# Nobody but this machine, until somebody says otherwise.
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8000
HIGHEST_PORT = 65_535
# While it lasts every answer closes its connection, so that no client sends a request into one that is being closed.
DEFAULT_DRAIN_S = 1.0
# How long requests that are under way may take after that.
DEFAULT_STOP_DEADLINE_S = 30.0
# A client that sends one request a second stays connected; one that has left is noticed soon.
KEEP_ALIVE_S = 5
# Connections that may wait to be taken; uvicorn's own figure.
BACKLOG = 2048


@dataclass(frozen=True)
class Listening:
    """Where the server listens, and for how long it waits for whom.

    Attributes
    ----------
    host : str
    port : int
        0 takes a free one.
    receive_deadline_s : float
        A request that is not received by then is given up.
    maximum_head_bytes : int
    drain_s : float
        Between the signal to stop and closing the door.
    stop_deadline_s : float
        For requests under way after that.

    Examples
    --------
    >>> Listening(port=0).host
    '127.0.0.1'
    """

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    receive_deadline_s: float = DEFAULT_RECEIVE_DEADLINE_S
    maximum_head_bytes: int = DEFAULT_MAXIMUM_HEAD_BYTES
    drain_s: float = DEFAULT_DRAIN_S
    stop_deadline_s: float = DEFAULT_STOP_DEADLINE_S

    def __post_init__(self) -> None:
        check_text(self.host, "host")
        check_integer(self.port, "port", minimum=0)
        check_in_range(self.port, "port", 0, HIGHEST_PORT)
        check_in_range(self.drain_s, "drain_s", 0.0, float("inf"))
        check_positive(self.stop_deadline_s, "stop_deadline_s")


class ServeProcess(uvicorn.Server):
    """Runs the server in this process until SIGTERM or SIGINT.

    The stop goes in steps: readiness turns false and every answer closes its connection; after `drain_s` no new
    connection is taken; requests under way are answered; the log is written to its end.

    Parameters
    ----------
    app : InferRoute
        What `build_app` returns.
    listening : Listening

    Raises
    ------
    ValueError
        If the address is taken, or a limit breaks its rule.

    Examples
    --------
    >>> from tinytorch.adapters.serve_app import build_app
    >>> server = ServeProcess(build_app({}), Listening(port=0))
    >>> server.address.startswith("http://127.0.0.1:")
    True
    >>> server.close()
    """

    def __init__(self, app: InferRoute, listening: Listening) -> None:
        protocol = with_limits(listening.receive_deadline_s, listening.maximum_head_bytes)
        config = uvicorn.Config(
            app,
            http=protocol,
            loop="asyncio" if sys.platform == "win32" else "uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=listening.stop_deadline_s,  # type: ignore[arg-type]
        )
        super().__init__(config)
        self.app = app
        self.listening = listening
        self.socket = _listen(listening)
        shown = listening.host if ":" not in listening.host else f"[{listening.host}]"
        self.address = f"http://{shown}:{self.socket.getsockname()[1]}"

    def serve_until_stopped(self) -> None:
        """Serve until a signal, or until `should_exit` is set from another thread."""
        # A line a connection that is closed is what an operator wants; uvicorn's own lines say nothing more.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        try:
            self.run(sockets=[self.socket])
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the address; a second call does nothing."""
        self.socket.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal stops without waiting for anybody."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close."""
        self.app.draining = True
        if not self.force_exit:
            await asyncio.sleep(self.listening.drain_s)
        await super().shutdown(sockets)


def _listen(listening: Listening) -> socket.socket:
    """Return a listening socket: clients that come before the server is ready wait in its queue."""
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there, it would let two servers share an address
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((listening.host, listening.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        place = f"{listening.host}:{listening.port}"
        raise ValueError(f"host and port must be an address that is free, got {place}: {error.strerror}.") from error
    return listener
