"""Measures of a landscape: one row of measures.csv."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.comparison.energies import (
    band,
    connected_part,
    energies_from,
    frustration_terms,
    funnel_measures,
    lowest_connected,
)
from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.paper.growth import GrowthState, stages_of
from thalweg.analysis.paper.plan import Job
from thalweg.analysis.paper.stopping_rule import COUNTS, Stage, forecast_stages
from thalweg.analysis.statistics.rank_correlation import rank_correlation
from thalweg.analysis.systems.summary import Summary

__all__ = [
    "LOWEST", "MEANINGS", "RankCorrelation", "correlation", "from_csv", "growth_measures", "measures", "shape_measures",
    "to_csv",
]  # fmt: skip

LOWEST = 100
"""Number of the lowest minima that are the low-lying region of a landscape."""

MEANINGS = {
    "minima": "number of minima that were found",
    "transition_states": "number of transition states that were found",
    "gmin_loss": "training loss of Gmin, the lowest minimum that was found, with its L2 term; the training labels are "
    "those that the network was given, wrong ones included",
    "test_gmin_loss": "testing loss of Gmin with the L2 term, on testing data with correct labels",
    "test_gmin_log_loss": "testing loss of Gmin without the L2 term (the cross-entropy), on testing data with correct "
    "labels",
    "train_gmin": "AUC of Gmin on the training data, with the labels that it was given",
    "train_mean": "AUC on the training data, with the labels that the network was given, mean over all minima",
    "test_gmin": "AUC of Gmin on testing data with correct labels",
    "test_mean": "AUC on testing data with correct labels, mean over all minima",
    "correct_mean": "AUC on those training points whose labels are correct, mean over all minima",
    "incorrect_mean": "AUC on those training points whose labels are wrong, with the wrong labels, mean over all "
    "minima; high where the network has learned the wrong labels",
    "frustration": "mean over minima of the climb on the lowest path to Gmin, divided by the energy that is gained",
    "low_connected": "number of the 100 lowest minima that are connected to Gmin; of all where there are fewer",
    "low_height": "loss of the highest of these minima above that of Gmin",
    "low_barrier": "median over those of these minima that are connected of the climb on the lowest path to Gmin",
    "low_remaining": "number of minima as low as these that probably remain to be found",
    "low_remaining_low": "lower end of the 95 % interval of this number",
    "low_remaining_high": "upper end of the 95 % interval of this number",
    "other_funnel": "depth of the deepest funnel other than that of Gmin, in units of the range of the lowest nine "
    "tenths of the losses",
}
"""What the columns of tables and comparisons are; a column that ends in ``_sd`` is the spread of that in ``_mean``."""

_PARTS = ("train", "incorrect", "correct", "test")
_LOW = 0.25  # part of the band of losses in which minima count as low-lying
_MOST = 0.9  # part of the minima whose losses make the band, and part of the terms that a trimmed mean keeps
_Z = 1.959963984540054


class RankCorrelation(NamedTuple):
    """Rank correlation of two quantities, and the ends of its 95 % interval."""

    rho: float
    low: float
    high: float


def correlation(a: ArrayLike, b: ArrayLike) -> RankCorrelation:
    """Return the rank correlation of two quantities over minima, and its 95 % interval (Fisher's z).

    Parameters
    ----------
    a, b : (n,) array_like of float
        NaN where unknown.

    Returns
    -------
    RankCorrelation
        NaN for fewer than five minima, or where a quantity is the same for all.
    """
    rho, _, pairs = rank_correlation(a, b, fewest=5)
    if math.isnan(rho):
        return RankCorrelation(math.nan, math.nan, math.nan)
    bent = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, rho)))
    # 1.06 as ranks scatter more than normal variables (Fieller, Hartley, Pearson, Biometrika 44 (1957) 470)
    wide = _Z * math.sqrt(1.06 / (pairs - 3))
    return RankCorrelation(rho, math.tanh(bent - wide), math.tanh(bent + wide))


def measures(
    job: Job, path: Path, state: GrowthState, summary: Summary, network: KineticTransitionNetwork
) -> dict[str, Any]:
    """Measure a landscape.

    Parameters
    ----------
    job : Job
    path : Path
        Store, with the properties of :func:`thalweg.analysis.prediction.minima_scores.measure`.
    state : GrowthState
    summary : Summary
    network : KineticTransitionNetwork
        Minima and transition states of the store.

    Returns
    -------
    dict
        Measures by column of measures.csv; NaN where unknown.
    """
    return {
        **_origin(job, path),
        **_counts(summary, state),
        **_losses(network, summary, job),
        **_areas(network),
        **_correlations(network),
        **shape_measures(network),
        **_low_remaining(path, network),
    }


def _origin(job: Job, path: Path) -> dict[str, Any]:
    options = job.options
    return {
        "name": job.name, "store": f"landscapes/{path.name}", "family": job.family, "system": job.system,
        "hidden": "-".join(map(str, options["hidden"])), "l2": options["l2"],
        "neighbours": options["neighbours"] or "all", "data": options["data"], "errors": options["errors"],
        "draw": job.draw, "seed": options["seed"],
    }  # fmt: skip


def _counts(summary: Summary, state: GrowthState) -> dict[str, Any]:
    labels, wrong = summary.labels, summary.calculator.get("mislabelled")
    done = {kind: sum(ended.values()) for kind, ended in summary.searches.items()}
    return {
        "minima": summary.minima, "transition_states": summary.transition_states, "components": summary.components,
        "connected": summary.largest, "stopped": state.get("why", ""), "seconds": round(state.get("seconds", 0.0), 1),
        "steps": done.get("basin-hopping", 0), "searches": sum(done.values()) - done.get("basin-hopping", 0),
        "failed": sum(summary.failures.values()), **growth_measures(stages_of(state)),
        "labels": " ".join(map(str, [] if labels is None else labels.tolist())),
        "mislabelled": 0 if wrong is None else int(np.sum(wrong)),
    }  # fmt: skip


def growth_measures(stages: Sequence[Stage]) -> dict[str, float]:
    """Return what probably remains and what as many searches again will find, by columns of measures.csv."""
    told: dict[str, float] = {}
    for count in COUNTS:
        known = forecast_stages(stages, count)
        told |= {f"{count}_remaining": known.remaining, f"{count}_remaining_low": known.low}
        told |= {f"{count}_remaining_high": known.high, f"{count}_next": known.next}
    return told


def _losses(network: KineticTransitionNetwork, summary: Summary, job: Job) -> dict[str, float]:
    """Return losses of the lowest minimum, with and without the L2 term."""
    gmin = network.global_minimum
    tested = network.properties.get("test_loss", np.full(network.n_minima, np.nan))
    penalty = job.options["l2"] * summary.weights_squared
    gmin_loss = float(network.energies[gmin])
    return {
        "gmin_loss": gmin_loss, "gmin_log_loss": gmin_loss - penalty, "loss_range": float(np.ptp(network.energies)),
        "test_gmin_loss": float(tested[gmin]), "test_gmin_log_loss": float(tested[gmin]) - penalty,
        "test_loss_lowest": float(np.min(tested[np.isfinite(tested)], initial=np.inf)),
    }  # fmt: skip


def _areas(network: KineticTransitionNetwork) -> dict[str, float]:
    """Return the AUC of the lowest minimum, mean and standard deviation over all minima, and the highest AUC."""
    result = {}
    gmin = network.global_minimum
    for part in _PARTS:
        for end in ("", "_0"):
            values = network.properties.get(f"{part}_auc{end}", np.zeros(0))
            known = values[np.isfinite(values)]
            few = not len(known)
            result[f"{part}_gmin{end}"] = math.nan if few else float(values[gmin])
            result[f"{part}_mean{end}"] = math.nan if few else float(known.mean())
            result[f"{part}_sd{end}"] = math.nan if few else float(known.std())
            result[f"{part}_best{end}"] = math.nan if few else float(known.max())
    low = network.energies <= network.energies.min() + _LOW * np.ptp(network.energies)
    tested = network.properties.get("test_auc", np.full(network.n_minima, np.nan))[low]
    return {**result, "test_sd_low": float(np.std(tested)) if len(tested) > 1 else math.nan}


def _correlations(network: KineticTransitionNetwork) -> dict[str, float]:
    unknown = np.full(network.n_minima, np.nan)
    train, test = (network.properties.get(f"{part}_auc", unknown) for part in ("train", "test"))
    result: dict[str, float] = {}
    for name, a, b in (
        ("loss_train", network.energies, train),
        ("loss_test", network.energies, test),
        ("train_test", train, test),
    ):
        rho = correlation(a, b)
        result |= dict(zip((f"rank_{name}", f"rank_{name}_low", f"rank_{name}_high"), rho, strict=True))
    return result


def shape_measures(network: KineticTransitionNetwork) -> dict[str, float]:
    """Return the low-lying region, and funnels, frustration and barriers of the component of the lowest minimum.

    Depths of funnels are in units of the band of the lowest nine tenths of the minima, which a few high minima leave as
    it is; frustration is given as the mean, the median and the mean without the largest tenth of its terms.
    """
    names = ("funnels", "main_funnel", "main_depth", "other_funnel")
    frustrations = ("frustration", "frustration_median", "frustration_trimmed")
    part = connected_part(network)
    climb = energies_from(part, part.global_minimum) - part.energies
    low = _low_measures(network, part, climb)
    if not part.n_transition_states or part.n_minima < 2:
        return low | dict.fromkeys((*names, *frustrations, "barrier_to_gmin", "connected_range"), math.nan)
    funnel = funnel_measures(part, float(np.quantile(part.energies, _MOST) - part.energies.min()))
    if funnel["funnels"] == 1:
        funnel["depth of the deepest other / band"] = 0.0  # no other funnel
    return {
        **low,
        **dict(zip(names, funnel.values(), strict=True)),
        **dict(zip(frustrations, _averages(np.sort(frustration_terms(part)[1])), strict=True)),
        "barrier_to_gmin": float(np.median(np.delete(climb, part.global_minimum))),
        "connected_range": band(part),
    }


def _highest_of_lowest(network: KineticTransitionNetwork) -> float:
    """Return the energy of the highest of the lowest minima."""
    return float(np.sort(network.energies)[:LOWEST][-1])


def _low_measures(
    network: KineticTransitionNetwork, part: KineticTransitionNetwork, climb: np.ndarray
) -> dict[str, float]:
    """Return how many of the lowest minima are connected to Gmin, how high they lie above it, and their barriers to it.

    ``part`` is the component of Gmin, and ``climb`` that of each of its minima on the lowest path to Gmin.
    """
    highest = _highest_of_lowest(network)
    low = part.energies <= highest
    low[part.global_minimum] = False
    return {
        "low_connected": int(np.count_nonzero(lowest_connected(network, LOWEST))),
        "low_height": highest - float(network.energies[network.global_minimum]),
        "low_barrier": float(np.median(climb[low])) if low.any() else math.nan,
    }


def _low_remaining(path: Path, network: KineticTransitionNetwork) -> dict[str, float]:
    """Return how many minima as low as the lowest probably remain, with the ends of the 95 % interval."""
    from thalweg.landscapes.discoveries.found_points import Discoveries
    from thalweg.landscapes.storage.store import Store

    store = Store.open(path, mode="r")
    try:
        known = Discoveries(store, _highest_of_lowest(network)).update().forecast("minima")
    finally:
        store.close()
    return {"low_remaining": known.remaining, "low_remaining_low": known.low, "low_remaining_high": known.high}


def _averages(rising: np.ndarray) -> tuple[float, float, float]:
    """Return mean, median, and mean without the largest tenth of some numbers; NaN where there are none."""
    if not len(rising):
        return math.nan, math.nan, math.nan
    most = rising[: max(1, math.ceil(_MOST * len(rising)))]
    return float(rising.mean()), float(np.median(rising)), float(most.mean())


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as comma-separated values with all digits, by name of column, empty where unknown.

    The row of an older file may have its columns in another order, or lack some.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_text(row.get(column, math.nan)) for column in columns])
    return out.getvalue()


def _text(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else int(value) if value.is_integer() else value


def from_csv(text: str) -> list[dict[str, Any]]:
    """Return the rows of measures.csv; numbers as floats, NaN where empty."""
    return [{key: _value(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]


def _value(text: str) -> Any:
    try:
        return float(text or "nan")
    except ValueError:
        return text
