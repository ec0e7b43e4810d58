"""Floor 4: what the demo's page says in words, every sentence from the run's own figures. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from tinytorch.adapters.demo_data import SECONDS_PER_HOUR, DemoPageData

# What each kind of drift does to the images, as the start of a sentence.
_WHAT_HAPPENED = {
    "brightness": "The images became brighter",
    "contrast": "The images lost contrast",
    "noise": "The images became noisy",
    "blur": "The images became blurred",
    "shift": "The images moved in their frame",
    "rotation": "The images turned",
    "dead_pixels": "Some pixels died",
    "occlusion": "Dirt covered a part of the images",
    "stretch": "People began to write broadly",
    "class_mix": "Some digits became more frequent",
    "none": "Nothing drifted",
}
_AS_DECLARED = {
    "harmful": "accuracy fell, and a retrained model brought it back.",
    "harmless": "the answers held, and the champion stayed. Drift is not damage.",
    "none": "no alarm was raised and nothing was retrained.",
}
_EVENT_WORDS = {
    "started": "started",
    "drift": "drift flagged",
    "drift_over": "drift over",
    "alert": "alert",
    "alert_over": "alert over",
    "retraining": "retraining",
    "retraining_failed": "retraining failed",
    "challenger_rejected": "challenger rejected",
    "canary": "canary",
    "promoted": "promoted",
    "rolled_back": "rolled back",
}


@dataclass(frozen=True)
class KeyFigure:
    """One figure of the headline: its name, its value, and what to know about it.

    Examples
    --------
    >>> KeyFigure("False alarms", "0").note
    ''
    """

    name: str
    value: str
    note: str = ""


def write_headline(data: DemoPageData) -> str:
    """Return the outcome as one or two plain sentences."""
    happened = _WHAT_HAPPENED.get(data.kind, f"Drift of the kind {data.kind!r} began")
    if data.as_declared:
        return f"{happened}: {_AS_DECLARED[data.expected]}"
    failed = [sentence for sentence, holds in data.checks if not holds]
    return f"{happened}, and the run did not come out as declared: not true that {', nor that '.join(failed)}."


def list_key_figures(data: DemoPageData) -> tuple[KeyFigure, ...]:
    """Return the figures of the headline: accuracy first, then what happened when."""
    return (*_accuracy_figures(data), *_moment_figures(data), _false_alarm_figure(data))


def write_captions(data: DemoPageData) -> dict[str, str]:
    """Return for each figure what to see in it, by the figure's name."""
    return {
        "accuracy": _accuracy_caption(data),
        "drift": _drift_caption(data),
        "pixels": (
            "Above: what the images look like on average. Below: how far each pixel moved, at its place in the image; "
            "a frame says that chance does not explain it."
        ),
        "digits": _digits_caption(data),
        "traffic": _traffic_caption(data),
        "lineage": _lineage_caption(data),
    }


def name_event(kind: str) -> str:
    """Return the plain words for a kind of event.

    Examples
    --------
    >>> name_event("challenger_rejected")
    'challenger rejected'
    """
    return _EVENT_WORDS.get(kind, kind.replace("_", " "))


def write_command(data: DemoPageData) -> str:
    """Return the command that makes this run again."""
    severity = "" if data.kind == "none" else f" --severity {data.severity:g}"
    return f"python -m tinytorch.cli demo --drift {data.kind}{severity} --seed {data.seed}"


def _accuracy_figures(data: DemoPageData) -> tuple[KeyFigure, ...]:
    """Start, worst hour and end."""
    worst = min(data.labelled, key=lambda part: part.accuracy)
    low, high = data.final_interval
    newest = sum(len(part) for part in data.labelled)
    return (
        KeyFigure("Accuracy at the start", f"{data.starting_accuracy:.1%}", "before any drift"),
        KeyFigure(
            "Accuracy in the worst hour",
            f"{worst.accuracy:.1%}",
            f"hour {worst.served_at[0] / SECONDS_PER_HOUR:g}, {len(worst)} answers",
        ),
        KeyFigure(
            "Accuracy at the end",
            f"{_final_accuracy(data):.1%}",
            f"95% interval {low:.1%} to {high:.1%}, from the last {min(data.n_judged, newest)} labelled answers",
        ),
    )


def _final_accuracy(data: DemoPageData) -> float:
    """Return the share of right answers among the newest that are judged."""
    correct = [bool(right) for part in data.labelled for right in part.correct][-data.n_judged :]
    return sum(correct) / len(correct)


def _moment_figures(data: DemoPageData) -> tuple[KeyFigure, ...]:
    """When drift was flagged, when its damage showed, when the model was trained again and promoted."""
    flagged, damage = data.first_hour("drift"), data.first_hour("alert")
    began = None if data.drift_began_at is None else data.drift_began_at / SECONDS_PER_HOUR
    promoted = data.first_hour("promoted")
    trained = [event.timestamp / SECONDS_PER_HOUR for event in data.events_of("retraining")]
    # A rejected challenger may come before the one that is promoted.
    chosen = max((hour for hour in trained if promoted is not None and hour <= promoted), default=None)
    return (
        _moment("Drift flagged", flagged, began, "it began"),
        _moment("Damage showed", damage, flagged, "drift was flagged"),
        _moment(_name_retraining(len(trained)), data.first_hour("retraining"), damage, "the alert"),
        _moment("Promoted", promoted, chosen, "its training"),
    )


def _name_retraining(times: int) -> str:
    """Say that there were several, if there were."""
    return "Retrained" if times < 2 else f"Retrained, the first of {times} times"


def _moment(name: str, hour: float | None, since: float | None, what: str) -> KeyFigure:
    """Put a moment into words, with the time since an earlier one where both happened in this order."""
    if hour is None:
        return KeyFigure(name, "never")
    if since is None or hour < since:
        return KeyFigure(name, f"hour {hour:g}")
    return KeyFigure(name, f"hour {hour:g}", f"{_hours(hour - since)} after {what}" if hour > since else "at once")


def _hours(number: float) -> str:
    """Return a number of hours in words."""
    return f"{number:g} hour" if number == 1 else f"{number:g} hours"


def _false_alarm_figure(data: DemoPageData) -> KeyFigure:
    """Count the alarms that nothing had caused."""
    before = "in the whole run" if data.drift_began_at is None else "before the drift began"
    return KeyFigure("False alarms", str(len(data.false_alarms)), before)


def _accuracy_caption(data: DemoPageData) -> str:
    """Say what the line does, and how late labels are."""
    delay = max(part.timestamp - float(part.served_at[0]) for part in data.labelled) / SECONDS_PER_HOUR
    base = (
        f"Each dot is the share of right answers in one hour, the band its 95% interval. Labels come {_hours(delay)} "
        "after the answers, so that damage shows later than it is done. Dashed: the starting accuracy; dotted: "
        f"{data.tolerated_loss:.0%} below it, the least that counts as recovered."
    )
    if data.expected == "harmless" and data.as_declared:
        return f"The inputs moved and the line did not: drift is not damage. {base}"
    if data.expected == "harmful" and data.as_declared:
        return f"The line falls when the drift begins, and comes back with the new version. {base}"
    return base


def _drift_caption(data: DemoPageData) -> str:
    """Say what the colours mean, and that a new model begins with a new reference."""
    began = " The upright line: the drift begins." if data.drift_began_at is not None else ""
    renewed = (
        " From the promotion on, the reference is the recent traffic, which the new version has learned."
        if data.first_hour("promoted") is not None
        else ""
    )
    return (
        "Each line is a pixel, each column a window of recent traffic compared with the reference. Grey: too little "
        f"traffic yet for a window.{began}{renewed}"
    )


def _digits_caption(data: DemoPageData) -> str:
    """Say what the two rows are."""
    if data.drift_began_at is None:
        return "The first image of each digit that was sent, and the model's answer to it."
    return (
        "The first image of each digit that was sent before the drift and after it began, and the model's answer to "
        "it: ✓ right, ✗ wrong."
    )


def _traffic_caption(data: DemoPageData) -> str:
    """Say what happened to the traffic."""
    if len(data.versions) == 1:
        return "One version answers everything from beginning to end: there was no reason to change it."
    return (
        "A challenger gets a small share first, and more only while its answers are no worse than the champion's "
        "on live traffic."
    )


def _lineage_caption(data: DemoPageData) -> str:
    """Say what the bars and arrows are."""
    if len(data.versions) == 1:
        return "The first model is in charge from beginning to end, and has no successor."
    return (
        "A strong bar is a version in charge, a light one a version on trial. An arrow leads from each model to the "
        "one that was trained to replace it."
    )
