"""schemathesis sends what our own description of the routes allows and what it forbids: never an answer of 500 and up.

Its requirements are many, so it stays out of our environment: put `schemathesis` (tried: 4.32) on the PATH.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed (the serve extra brings it)")

from serving import TOKEN, ask, running, two_versions

from tinytorch.adapters.serve_app import ServeSettings
from tinytorch.adapters.serve_open import ServePlan, open_server

# Of each of some fifteen routes; with the examples and the edges of every schema more than 10,000 requests in all.
EXAMPLES_A_ROUTE = 800
MOST_SECONDS = 3600


@pytest.mark.drill
@pytest.mark.skipif(shutil.which("schemathesis") is None, reason="schemathesis is not on the PATH")
def test_no_request_is_answered_with_a_fault_of_the_server(tmp_path: Path) -> None:
    with running(open_server(two_versions(), ["digits"], ServePlan(ServeSettings(TOKEN)))) as server:
        description = ask(server.address, "/openapi.json")[1]
        for route in (route for path in description["paths"].values() for route in path.values()):
            for parameter in route.get("parameters", []):
                known = {"name": ["digits"], "version": ["1", "2"]}.get(parameter["name"])
                if known is not None:  # a name drawn at random would only ever find out that there is no such model
                    parameter["schema"] = {"type": "string", "enum": known}
        (tmp_path / "openapi.json").write_text(json.dumps(description), encoding="utf-8", newline="\n")
        command = [
            *("schemathesis", "run", str(tmp_path / "openapi.json"), "--url", server.address),
            *("--checks", "not_a_server_error", "--mode", "all", "--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(EXAMPLES_A_ROUTE), "--seed", "1", "--continue-on-failure"),
            *("--header", f"Authorization: Bearer {TOKEN}"),
        ]
        finished = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=MOST_SECONDS
        )
        assert finished.returncode == 0, finished.stdout[-3000:]
