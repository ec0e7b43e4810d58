"""Floor 4: puts a server together from its parts. The one room that knows them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec

from tinytorch.adapters.rollout_runner import DEFAULT_LOOK_EVERY_S, RolloutRunner
from tinytorch.adapters.serve_answer import DEFAULT_CHALLENGER_DEADLINE_S, Answerer
from tinytorch.adapters.serve_app import ServeSettings, build_app
from tinytorch.adapters.serve_infer import Endpoint, InferRoute
from tinytorch.adapters.serve_log import DEFAULT_CAPACITY_VALUES, ObservationLog
from tinytorch.adapters.serve_models import ServedModel
from tinytorch.adapters.serve_watch import Collector, WatchSettings, open_watch
from tinytorch.mlops.contracts import Registry


@dataclass(frozen=True)
class ServePlan:
    """How a server answers, apart from what it serves and where it listens.

    Examples
    --------
    >>> ServePlan().batched
    False
    """

    settings: ServeSettings = field(default_factory=ServeSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    batched: bool = False
    challenger_deadline_s: float = DEFAULT_CHALLENGER_DEADLINE_S
    capacity_values: int = DEFAULT_CAPACITY_VALUES
    rollout_look_every_s: float = DEFAULT_LOOK_EVERY_S


def open_server(registry: Registry, names: Sequence[str], plan: ServePlan | None = None) -> InferRoute:
    """Return the application that serves some names of a registry; its `endpoints` hold the models and their logs.

    Where prometheus-client is installed, figures are shown at /metrics.

    Raises
    ------
    ValueError
        If the registry does not have a name, or its champion cannot be loaded.

    Examples
    --------
    >>> from tinytorch.mlops.contracts import ModelVersion
    >>> from tinytorch.mlops.deploy import AuditedRegistry
    >>> registry = AuditedRegistry()
    >>> _ = registry.register(len, ModelVersion("digits", content_hash="aa"))
    >>> app = open_server(registry, ["digits"])
    >>> app.endpoints["digits"].model.promote(1).number
    1
    """
    chosen = plan if plan is not None else ServePlan()
    models = {name: ServedModel(registry, name) for name in names}
    answerer = Answerer(chosen.challenger_deadline_s, batched=chosen.batched)
    if find_spec("prometheus_client") is None:
        return build_app(_endpoints(models, chosen, {}), chosen.settings, answerer)
    # Imported here: the observe extra brings prometheus-client, and a server without it goes on.
    from tinytorch.adapters.prometheus_collector import ModelCollector
    from tinytorch.adapters.serve_metrics import MergedCollector, ServerCollector, metrics_writer

    collectors = {name: ModelCollector(name) for name in names}
    endpoints = _endpoints(models, chosen, collectors)
    app = build_app(endpoints, replace(chosen.settings, write_metrics=lambda: write()), answerer)
    logs = [(endpoint.model, endpoint.log) for endpoint in endpoints.values()]
    write = metrics_writer([ServerCollector(logs, lambda: app.statuses), MergedCollector(collectors.values())])
    return app


def _endpoints(
    models: Mapping[str, ServedModel], plan: ServePlan, collectors: Mapping[str, Collector]
) -> dict[str, Endpoint]:
    """Return every model with a log of its own behind it."""
    endpoints = {}
    for name, model in models.items():
        rollout = RolloutRunner(model, plan.rollout_look_every_s, plan.watch.log_path)
        observers = (*plan.watch.observers, rollout)
        watch = replace(plan.watch, collector=collectors.get(name), observers=observers)
        log = ObservationLog(partial(open_watch, watch, model), plan.capacity_values)
        endpoints[name] = Endpoint(model, log, rollout)
    return endpoints
