"""Text report of ``thalweg predict``: scores of minima and of ensembles."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from thalweg.analysis.cli.predict import ScoringOptions
from thalweg.analysis.cli.rows import LOWEST, checked_row
from thalweg.analysis.cli.terminal import text_width
from thalweg.analysis.prediction.ensembles import ensemble_table
from thalweg.analysis.prediction.minima_arguments import loss_of
from thalweg.analysis.prediction.predictions import agreement, class_probabilities
from thalweg.analysis.prediction.scores import confusion, keep_scores, mislabelled_table, score_table
from thalweg.analysis.systems.scoring_data import chosen_data, class_names, reference_of, true_training_labels
from thalweg.analysis.systems.text_table import TextColumn, text_table
from thalweg.landscapes import Landscape
from thalweg.potentials import NetworkLoss

__all__ = ["PredictionReport"]

_POINTS = 10_000  # of the data on which minima are compared with each other
_COMPARED = 1000  # minima
_SCORES = ("accuracy", "log_loss", "auc")


class PredictionReport:
    """Scores of the minima of a network, and of ensembles of them, on chosen data.

    Parameters
    ----------
    landscape : Landscape
        Landscape of a network's loss.
    options : ScoringOptions
        Minima and data.

    Raises
    ------
    ValueError, TypeError, IndexError, OSError, ConnectionError
        If the landscape is of something else, or an option does not fit it.
    """

    def __init__(self, landscape: Landscape, options: ScoringOptions) -> None:
        loss = loss_of(landscape, what="predictions")
        if not isinstance(loss, NetworkLoss):
            raise TypeError(f"{type(loss).__name__} does not hold the data that its network was trained on")
        self.landscape, self.loss = landscape, loss
        energies = landscape.minima.energy[:]
        self.minimum = checked_row("--minimum", LOWEST if options.minimum is None else options.minimum, energies)
        self.rows = np.arange(len(energies))
        if options.lowest is not None:
            self.rows = np.sort(np.argsort(energies)[: options.lowest])
        self.on, self.data = chosen_data(landscape, options.on, options.data)
        self.reference = reference_of(landscape, options.reference)
        self.classes = class_names(landscape) or [str(k) for k in range(loss.n_classes)]
        self.temperatures = options.temperatures or (1 / len(self.loss.labels),)

    def text(self) -> str:
        """Return the report."""
        shape = ",".join(str(width) for width in self.loss.layers)
        number = self.reference
        what = f"AUC of class {self.classes[number]}" if isinstance(number, int) else "mean AUC of all classes"
        head = f"{self.landscape.path.name}: network [{shape}], {len(self.rows)} of {len(self.landscape.minima)} minima"
        lines = [head, f"on {self.on}, {len(self.data.labels)} points; {what}", "", *self._scores()]
        lines += ["", *self._agreement(), *self._wrong_labels(), "", *self._confusion()]
        return "\n".join(lines)

    def _scores(self) -> list[str]:
        table = ensemble_table(self.landscape, self.data, self.temperatures, self.reference, rows=self.rows)
        names = {"best": "best of each column, in hindsight", "mean": "mean of minima"}
        names |= {"sd": "standard deviation", "equal": "ensemble, equal weights"}
        lowest = int(self.rows[self.landscape.minima.energy[self.rows].argmin()])
        names["lowest"] = f"minimum {lowest}, the lowest"
        if self.minimum != lowest:
            one = score_table(self.landscape, self.data, self.reference, rows=self.minimum)
            table = {f"minimum {self.minimum}": {name: float(one[name][0]) for name in _SCORES}, **table}
        columns = [TextColumn("", [self._label(name, names) for name in table], left=True)]
        for head, score in zip(("accuracy", "log loss", "AUC"), _SCORES, strict=True):
            columns.append(TextColumn(head, [f"{row[score]:.4f}" for row in table.values()]))
        sizes = [f"{row['effective_size']:.1f}" if "effective_size" in row else "" for row in table.values()]
        return text_table([*columns, TextColumn("minima", sizes, spare=1)], text_width())

    def _label(self, name: str, names: Mapping[str, str]) -> str:
        """Return what a row of the table is about."""
        thermal = name.startswith(("boltzmann ", "harmonic "))
        return "ensemble, {}, T = {}".format(*name.split()) if thermal else names.get(name, name)

    def _agreement(self) -> list[str]:
        rows = self.rows[np.argsort(self.landscape.minima.energy[self.rows])[:_COMPARED]]
        if len(rows) < 2:
            return []
        shares = agreement(self.landscape, self.data.inputs[:_POINTS], rows=rows)[np.triu_indices(len(rows), 1)]
        return [f"two minima agree on {shares.mean():.1%} of the data on average, on {shares.min():.1%} at least"]

    def _wrong_labels(self) -> list[str]:
        """Return whether mislabelled training points have been learned."""
        wrong = self.loss.mislabelled
        if wrong is None or not wrong.any():
            return []
        table = mislabelled_table(self.landscape, None, true_training_labels(self.landscape), rows=self.rows)
        lines = [
            f"of {int(wrong.sum())} mislabelled training points a minimum predicts the wrong label "
            f"for {table['learned'].mean():.1%}"
        ]
        if "recovered" in table:
            lines[0] += f" (by chance {table['learned_by_chance'].mean():.1%})"
            lines.append(f"and the true one for {table['recovered'].mean():.1%}")
        return lines

    def _confusion(self) -> list[str]:
        counts = confusion(self.landscape, self.data, rows=self.minimum)[0]
        lines = [f"confusion of minimum {self.minimum}: true classes in rows, predicted classes in columns"]
        columns = [TextColumn("", self.classes)]
        columns += [TextColumn(name, [str(n) for n in counts[:, c].tolist()]) for c, name in enumerate(self.classes)]
        return lines + [f"  {line}" for line in text_table(columns, text_width() - 2)]

    def write(self, output: Path) -> None:
        """Write scores of all minima, or the probabilities of one."""
        if output.suffix == ".npz":
            probabilities = class_probabilities(self.landscape, self.data, rows=self.minimum)[0]
            np.savez(output, minimum=self.minimum, probabilities=probabilities, predicted=probabilities.argmax(axis=1))
            return
        table = score_table(self.landscape, self.data, self.reference, rows=self.rows)
        columns = [self.rows.tolist(), self.landscape.minima.energy[self.rows].tolist()]
        columns += [table[name].tolist() for name in _SCORES]
        with output.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["minimum", "loss", *_SCORES])
            writer.writerows(zip(*columns, strict=True))

    def keep(self, prefix: str) -> str:
        """Keep the scores of all minima as properties."""
        computed = keep_scores(self.landscape, self.data, prefix, self.reference)
        return f"kept as {', '.join(f'{prefix}_{name}' for name in _SCORES)}; computed for {computed} minima"
