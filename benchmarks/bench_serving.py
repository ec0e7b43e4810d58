"""CPU time a request of our server against a bare Starlette route: `python benchmarks/bench_serving.py`.

Both servers run the same network on the same uvicorn, each in a process of its own, and answer the same requests: one
row of 64 numbers as Open Inference Protocol JSON, over 16 connections. Ours with everything on: the log in SQLite,
Prometheus' figures, the monitor, and a look at drift once a minute. As the servers take turns, a look falls on a third
of the requests that it would fall on otherwise. What is
measured is the processor time of the server process, all its threads together, divided by the requests, in rounds
that take turns: the load generator and whoever else uses the machine are not in it. Needs the serve extra; POSIX.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
N_FEATURES, N_HIDDEN, N_CLASSES = 64, 32, 10
N_CONNECTIONS = 16
# Enough for the window of drift and for the log to reach its steady state.
N_WARM_UP = 4000
LOOK_EVERY_S = 60.0
GOAL = 1.25
STARTING_S = 60
MODEL = f"""\
import numpy as np
from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Linear, Sequential
from tinytorch.mlops.retrain import NetworkModel

rng = np.random.default_rng(0)
network = Sequential(Linear({N_FEATURES}, {N_HIDDEN}, rng=rng), ReLU(), Linear({N_HIDDEN}, {N_CLASSES}, rng=rng))
model = NetworkModel(network, {N_FEATURES}, {N_CLASSES})
"""
BARE = """\
import sys
import numpy as np
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from model import model

async def infer(request):
    tensor = orjson.loads(await request.body())["inputs"][0]
    features = np.array(tensor["data"], dtype=np.float64).reshape(tensor["shape"])
    probabilities = model.predict_proba(features)
    output = {"name": "probabilities", "datatype": "FP64", "shape": probabilities.shape, "data": probabilities.ravel()}
    answer = {"model_name": "model", "model_version": "1", "outputs": [output]}
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")

app = Starlette(routes=[Route("/v2/models/model/infer", infer, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", log_config=None, access_log=False)
"""
OURS = f"""\
import sys
from tinytorch.adapters.serve_open import ServePlan, open_server
from tinytorch.adapters.serve_run import Listening, ServeProcess
from tinytorch.adapters.serve_watch import WatchSettings
from tinytorch.mlops.contracts import ModelVersion
from tinytorch.mlops.deploy import AuditedRegistry
from pathlib import Path
from model import model

registry = AuditedRegistry()
registry.register(model, ModelVersion("model"))
registry.promote("model", 1, expected_revision=0)
watch = WatchSettings(log_path=Path("log.db"), look_every_s={LOOK_EVERY_S})
app = open_server(registry, ["model"], ServePlan(watch=watch, batched="batched" in sys.argv))
ServeProcess(app, Listening(port=int(sys.argv[1]))).serve_until_stopped()
print(app.endpoints["model"].log.counts().n_dropped, file=sys.stderr)
"""
SERVERS = {
    "bare Starlette + orjson": (BARE, ()),
    "ours, all on": (OURS, ()),
    "ours, all on, batched": (OURS, ("batched",)),
}


@dataclass(frozen=True)
class Measured:
    """One server: microseconds of processor time a request (mean, median, quartiles apart), and requests a second.

    The mean has the looks at drift in it, which most rounds do not see.
    """

    name: str
    cpu_us: float
    median_us: float
    spread_us: float
    per_second: float


def main() -> None:
    """Measure in rounds that take turns, and print the table."""
    parser = argparse.ArgumentParser(description="CPU time a request of our server against a bare route.")
    parser.add_argument("--requests", type=int, default=3200, help="a round (default %(default)s)")
    parser.add_argument("--repetitions", type=int, default=15, help="rounds (default %(default)s)")
    parser.add_argument("--json", type=Path, default=None, metavar="PATH", help="also write the table as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure_all(Path(folder), options.requests, options.repetitions)
    print(f"\n{'server':<28} {'CPU us/request':>15} {'median':>8} {'+-':>5} {'requests/s':>11} {'against bare':>13}")
    for row in measured:
        ratio = row.cpu_us / measured[0].cpu_us
        figures = f"{row.cpu_us:>15.0f} {row.median_us:>8.0f} {row.spread_us:>5.0f} {row.per_second:>11.0f}"
        print(f"{row.name:<28} {figures} {ratio:>13.2f}")
    print(f"goal: at most {GOAL} for ours; load of the machine {os.getloadavg()[0]:.1f}")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in measured], indent=1) + "\n", encoding="utf-8")


def measure_all(folder: Path, n_requests: int, repetitions: int) -> list[Measured]:
    """Start every server, warm it up, and let them take turns."""
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    started = {name: start(folder, *server) for name, server in SERVERS.items()}
    try:
        for _, port in started.values():
            drive(port, N_WARM_UP)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in started}
        for _ in range(repetitions):
            for name, (process, port) in started.items():
                taken[name].append(one_round(process.pid, port, n_requests))
    finally:
        for process, _ in started.values():
            process.terminate()
            process.wait(STARTING_S)
    return [summarise(name, rounds) for name, rounds in taken.items()]


def start(folder: Path, source: str, arguments: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server in a folder of its own, and wait until it answers."""
    home = Path(tempfile.mkdtemp(dir=folder))
    (home / "model.py").symlink_to(folder / "model.py")
    (home / "server.py").write_text(source, encoding="utf-8")
    port = free_port()
    # One thread for numpy on every side: two that wait for each other take several times as long as one.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, "server.py", str(port), *arguments]
    process = subprocess.Popen(command, cwd=home, env=environment)
    give_up = time.monotonic() + STARTING_S
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url(port), body(0)), timeout=STARTING_S).close()
            return process, port
        except OSError:
            if time.monotonic() > give_up or process.poll() is not None:
                raise
            time.sleep(0.1)


def free_port() -> int:
    """Return a port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def url(port: int) -> str:
    """Return where a server answers."""
    return f"http://127.0.0.1:{port}/v2/models/model/infer"


def body(number: int) -> bytes:
    """Return a request: one row of numbers with four decimals, other ones for every number."""
    data = [((number * 7919 + place * 104729) % 20011) / 10000 - 1 for place in range(N_FEATURES)]
    tensor = {"name": "features", "shape": [1, N_FEATURES], "datatype": "FP64", "data": [round(x, 4) for x in data]}
    return json.dumps({"inputs": [tensor]}).encode()


def drive(port: int, n_requests: int) -> float:
    """Send requests over all connections, and return how long they took."""
    started = time.perf_counter()
    asyncio.run(_drive(port, n_requests))
    return time.perf_counter() - started


async def _drive(port: int, n_requests: int) -> None:
    share = n_requests // N_CONNECTIONS
    await asyncio.gather(*(_client(port, start * share, share) for start in range(N_CONNECTIONS)))


async def _client(port: int, first: int, count: int) -> None:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    place = urlsplit(url(port)).path
    for number in range(first, first + count):
        content = body(number)
        head = f"POST {place} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"not answered: {answer!r}")
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
    writer.close()


def one_round(pid: int, port: int, n_requests: int) -> tuple[float, float]:
    """Return microseconds of processor time a request, and requests a second."""
    before = cpu_s(pid)
    elapsed = drive(port, n_requests)
    time.sleep(0.3)  # what the log still has to write belongs to these requests
    return (cpu_s(pid) - before) / n_requests * 1e6, n_requests / elapsed


def cpu_s(pid: int) -> float:
    """Return the processor time of a process so far, all threads together, user and system."""
    fields = Path(f"/proc/{pid}/schedstat")
    threads = Path(f"/proc/{pid}/task").iterdir() if fields.exists() else ()
    return sum(int((thread / "schedstat").read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


def summarise(name: str, rounds: list[tuple[float, float]]) -> Measured:
    """Put the rounds together."""
    cpu = [one for one, _ in rounds]
    low, _, high = statistics.quantiles(cpu, n=4) if len(cpu) > 1 else (cpu[0],) * 3
    speed = statistics.median([one for _, one in rounds])
    return Measured(name, statistics.mean(cpu), statistics.median(cpu), high - low, speed)


if __name__ == "__main__":
    main()
