"""Floor 4: runs rollouts on a served model: collects, asks every so often, moves traffic, promotes or withdraws."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tinytorch._arguments import check_choice, check_positive
from tinytorch.adapters.rollout_evidence import CollectedAnswers, take_mirrored
from tinytorch.adapters.rollout_mirror import Mirror
from tinytorch.adapters.serve_batches import FailedAnswer
from tinytorch.adapters.serve_models import LoadedVersion, ServedModel, sticky_share
from tinytorch.adapters.sqlite_store import MonitoringStore
from tinytorch.mlops._record import Record
from tinytorch.mlops.contracts import LabelBatch, LabelledBatch, PredictionBatch, RolloutDecision
from tinytorch.mlops.deploy import DeploymentStrategy, ShadowRollout, StagedRollout
from tinytorch.mlops.status import Event

logger = logging.getLogger("tinytorch.serve")
# Often enough that a version which breaks hurts for seconds, seldom enough that each look sees some answers.
DEFAULT_LOOK_EVERY_S = 5.0
# For whoever asks what happened; all of them are in the store.
EVENTS_KEPT = 100
COMMANDS = ("promote", "rollback", "freeze")
# No registry has it, so the served model reads the champion anew.
UNKNOWN_REVISION = -1
DEFAULT_STRATEGY = DeploymentStrategy()


@dataclass(frozen=True)
class RolloutStatus(Record):
    """Where a rollout stands.

    Attributes
    ----------
    state : "none", "running", "promoted", "rolled_back" or "ready"
        "ready" is where a shadow ends that nothing was found against.
    kind : str
    champion, challenger : int or None
        Versions; the champion is the one at this moment.
    challenger_weight : float
    evidence : tuple of str
        Of the last decision.

    Examples
    --------
    >>> print(RolloutStatus("running", "canary", 1, 2, 0.1, ("nothing yet",)))
    canary of version 2 against 1, running at 10%: nothing yet
    """

    state: Literal["none", "running", "promoted", "rolled_back", "ready"]
    kind: str = ""
    champion: int | None = None
    challenger: int | None = None
    challenger_weight: float = 0.0
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        at = f"{self.state} at {self.challenger_weight:.0%}"
        return f"{self.kind} of version {self.challenger} against {self.champion}, {at}: {'; '.join(self.evidence)}"


@dataclass(eq=False)
class _RunningRollout:
    """One rollout on its way."""

    strategy: DeploymentStrategy
    champion: LoadedVersion
    challenger: LoadedVersion
    revision: int
    rollout: StagedRollout | ShadowRollout
    collected: CollectedAnswers
    mirror: Mirror
    decision: RolloutDecision
    state: Literal["running", "promoted", "rolled_back", "ready"] = "running"
    promoted: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def salt(self) -> str:
        """Names the experiment, so that each new challenger meets other users first."""
        return f"{self.challenger.entry.model_name}-{self.challenger.number}"


class RolloutRunner:
    """Brings a challenger into the traffic of a served model; an observer of its log (`serve_log.Observer`).

    A rollout is watched by a thread of its own until it is over. Whatever fails in it (the registry on promotion, the
    gate, this class) leaves the champion in charge.

    Parameters
    ----------
    served : ServedModel
    look_every_s : float
        Between two looks of the rollout.
    log_path : Path, optional
        The monitoring store that events are written to.

    Examples
    --------
    >>> from tinytorch.mlops.contracts import ModelVersion
    >>> from tinytorch.mlops.deploy import AuditedRegistry
    >>> registry = AuditedRegistry()
    >>> for content_hash in ("aa", "bb"):
    ...     _ = registry.register(len, ModelVersion("digits", content_hash=content_hash))
    >>> _ = registry.promote("digits", 1, expected_revision=0)
    >>> runner = RolloutRunner(served := ServedModel(registry, "digits"))
    >>> runner.start(2).challenger_weight, served.split.challenger.number
    (0.1, 2)
    >>> runner.command("promote", "seen enough").state, served.champion.number
    ('promoted', 2)
    """

    def __init__(
        self, served: ServedModel, look_every_s: float = DEFAULT_LOOK_EVERY_S, log_path: Path | None = None
    ) -> None:
        self.served = served
        self.look_every_s = check_positive(look_every_s, "look_every_s")
        self.log_path = log_path
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._trial: _RunningRollout | None = None
        self._lock = threading.RLock()

    def start(self, version: int, strategy: DeploymentStrategy = DEFAULT_STRATEGY) -> RolloutStatus:
        """Put a version on trial.

        Raises
        ------
        ValueError
            If a rollout is running, there is no champion, or the version is it, does not exist or cannot be loaded;
            nothing is changed then.
        """
        challenger = self.served.load(version)
        with self._lock:
            champion = self.served.champion
            if self._trial is not None and not self._trial.over.is_set():
                raise ValueError(f"version must wait, got {version} while {self.status()} is running.")
            if champion is None or champion.number == version:
                raise ValueError(f"version must be another than the champion (there must be one), got {version}.")
            rollout = strategy.start()
            trial = _RunningRollout(
                strategy=strategy,
                champion=champion,
                challenger=challenger,
                revision=self.served.revision,
                rollout=rollout,
                collected=CollectedAnswers(champion.number, version),
                mirror=Mirror(challenger),
                decision=RolloutDecision("hold", rollout.challenger_weight, ("the rollout begins",)),
            )
            self._trial = trial
            self._share(trial)
            self._tell(trial)
        threading.Thread(target=self._run, args=(trial,), name="tinytorch-rollout", daemon=True).start()
        return self.status()

    def look(self, now: float) -> RolloutDecision | None:
        """Ask the rollout about everything since the last look, and do what it says; None if none is running."""
        with self._lock:
            trial = self._trial
            if trial is None or trial.over.is_set():
                return None
            try:
                self._act(trial, self._ask(trial, now))
            except Exception as error:  # whatever breaks here, users are answered by the champion
                logger.exception("a rollout failed")
                self._act(trial, trial.rollout.roll_back(f"the rollout failed: {type(error).__name__}: {error}"))
            return trial.decision

    def command(self, command: str, reason: str) -> RolloutStatus:
        """Promote, roll back or freeze now, whatever the analysis says; the next request sees it.

        Raises
        ------
        ValueError
            If no rollout is running, the command is another or not one for a shadow, or the reason is no text;
            nothing is changed then.
        """
        check_choice(command, "command", COMMANDS)
        with self._lock:
            trial = self._trial
            if trial is None or trial.over.is_set():
                raise ValueError(f"command must come while a rollout is running, got {command!r}.")
            if command == "rollback":
                self._act(trial, trial.rollout.roll_back(reason))
            elif isinstance(trial.rollout, ShadowRollout):
                raise ValueError(f"command must be 'rollback' for a shadow, got {command!r}.")
            else:
                order = trial.rollout.promote if command == "promote" else trial.rollout.freeze
                self._act(trial, order(reason))
            return self.status()

    def status(self) -> RolloutStatus:
        """Return where the rollout stands, or how the last one ended."""
        with self._lock:
            trial, champion = self._trial, self.served.champion
            serving = None if champion is None else champion.number
            if trial is None:
                return RolloutStatus("none", champion=serving)
            versions = (serving, trial.challenger.number)
            decision = trial.decision
            return RolloutStatus(
                trial.state, trial.strategy.kind, *versions, decision.challenger_weight, decision.evidence
            )

    def observe(self, batch: PredictionBatch) -> None:
        """See answers of one version; show them to a challenger that has no traffic of its own."""
        with self._lock:
            trial = self._trial
            if trial is None or trial.over.is_set():
                return
            trial.collected.add(batch)
            if batch.model_version != trial.champion.number or trial.rollout.challenger_weight > 0.0:
                return
            if isinstance(trial.rollout, ShadowRollout):
                batch = take_mirrored(batch, trial.rollout)
            trial.mirror.show(batch, time.time())

    def record_failures(self, failures: Sequence[FailedAnswer]) -> None:
        """See what a challenger failed on."""
        with self._lock:
            if self._trial is not None:
                for failure in failures:
                    self._trial.collected.add_failures(failure.version, 1)

    def record_labels(self, labels: LabelBatch, labelled: LabelledBatch) -> None:
        """See labels."""
        with self._lock:
            if self._trial is not None:
                self._trial.collected.add_labels(labels)

    def _run(self, trial: _RunningRollout) -> None:
        """Look every so often until the rollout is over."""
        while not trial.over.wait(self.look_every_s):
            self.look(time.time())

    def _ask(self, trial: _RunningRollout, now: float) -> RolloutDecision:
        """Show the rollout what came, unless somebody else has moved the champion meanwhile."""
        if self.served.revision != trial.revision:
            trial.over.set()
            serving = "nobody" if self.served.champion is None else f"version {self.served.champion.number}"
            return trial.rollout.roll_back(f"somebody else put {serving} in charge")
        batches, n_failed = trial.mirror.collect(now)
        for batch in batches:
            trial.collected.add(batch)
        trial.collected.add_failures(trial.challenger.number, n_failed)
        return trial.collected.ask(trial.rollout, now)

    def _act(self, trial: _RunningRollout, decision: RolloutDecision) -> None:
        """Do what was decided, and say so if anything changed."""
        before, trial.decision = trial.decision, decision
        if decision.action == "roll_back":
            self._withdraw(trial)
        elif decision.challenger_weight == 1.0 and not trial.promoted:
            self._promote(trial)
        elif decision.challenger_weight != before.challenger_weight:
            self._share(trial)
        if trial.rollout.finished:
            self._finish(trial)
        if (trial.decision.action, trial.decision.challenger_weight) != (before.action, before.challenger_weight):
            self._tell(trial)

    def _share(self, trial: _RunningRollout) -> None:
        """Give the challenger its share of requests, the same ones every time."""
        if trial.decision.challenger_weight > 0.0:
            chooses = sticky_share(trial.decision.challenger_weight, trial.salt)
            self.served.start_split(trial.challenger.number, chooses)

    def _promote(self, trial: _RunningRollout) -> None:
        """Move the registry's pointer and all traffic; if that fails the champion stays, and no success is told."""
        version = trial.challenger.number
        try:
            self.served.promote(version, trial.revision)
            serving = self.served.registry.get(self.served.name, "champion").version
            if serving != version:
                raise ValueError(f"champion must be version {version} after its promotion, got {serving}.")
        except Exception as error:  # a full disk, a stale revision: whatever a registry may raise
            logger.exception("a promotion failed")
            trial.decision = trial.rollout.roll_back(f"the promotion failed: {error}")
            self._withdraw(trial)
            # Half a promotion may have happened: what the registry says now is what is served.
            self.served.revision = UNKNOWN_REVISION
            self.served.refresh()
            return
        trial.promoted, trial.revision = True, self.served.revision

    def _withdraw(self, trial: _RunningRollout) -> None:
        """Let the champion answer everything from the next request on."""
        self.served.stop_split()
        if trial.promoted and not trial.over.is_set():
            self.served.rollback(trial.revision)
            trial.promoted = False

    def _finish(self, trial: _RunningRollout) -> None:
        """Say how it ended."""
        if self.served.champion is not None and self.served.champion.number == trial.challenger.number:
            trial.state = "promoted"
        else:
            trial.state = "rolled_back" if trial.decision.action == "roll_back" else "ready"
        trial.over.set()

    def _tell(self, trial: _RunningRollout) -> None:
        """Keep an event; a store that cannot be written now must not hold up a rollback."""
        event = Event(time.time(), "rollout", str(self.status()))
        self.events.append(event)
        logger.info("%s", event)
        if self.log_path is not None:
            try:
                with MonitoringStore(self.log_path, self.served.name) as store:
                    store.write([event], event.timestamp)
            except Exception:  # a full disk, a lock
                logger.exception("an event of a rollout is not in the store")
