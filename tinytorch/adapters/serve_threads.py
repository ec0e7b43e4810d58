"""Floor 4: a few threads for models that may crash, hang or slow down while a rollout tries them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from tinytorch._arguments import check_integer


class BusyError(RuntimeError):
    """Every thread is still at work on an earlier call.

    Examples
    --------
    >>> isinstance(BusyError("2 calls are still running"), RuntimeError)
    True
    """


class WorkerThreads:
    """Runs calls in threads of its own that never keep the process alive: one that hangs is left behind.

    Parameters
    ----------
    n_threads : int
        Calls that run at the same time.
    most_waiting : int
        Calls that may run or wait; one more is refused, so that a model that hangs cannot fill the memory.

    Examples
    --------
    >>> WorkerThreads(n_threads=1, most_waiting=4).submit(pow, 2, 3).result()
    8
    """

    def __init__(self, n_threads: int, most_waiting: int) -> None:
        self.n_threads = check_integer(n_threads, "n_threads", minimum=1)
        self.most_waiting = check_integer(most_waiting, "most_waiting", minimum=1)
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._n_unfinished = 0
        self._lock = threading.Lock()
        self._started = False

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Return the future of a call.

        Raises
        ------
        BusyError
            If `most_waiting` calls are unfinished.
        """
        with self._lock:
            if self._n_unfinished >= self.most_waiting:
                raise BusyError(f"{self._n_unfinished} calls are still running")
            self._n_unfinished += 1
            if not self._started:
                self._started = True
                for _ in range(self.n_threads):
                    threading.Thread(target=self._work, daemon=True).start()
        future: Future[Any] = Future()
        self._calls.put((future, lambda: function(*arguments)))
        return future

    def _work(self) -> None:
        """Run one call after another; what a call raises is its future's."""
        while True:
            future, call = self._calls.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except Exception as error:  # handed to whoever waits for the result
                    future.set_exception(error)
            with self._lock:
                self._n_unfinished -= 1
