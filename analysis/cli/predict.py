"""``thalweg predict``: how well minima and ensembles of a network predict."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import click
import numpy as np

__all__ = ["run"]

_POINTS = 10_000  # of the data on which minima are compared with each other
_COMPARED = 1000  # minima
_SCORES = ("accuracy", "log_loss", "auc")


def run(
    path: Path,
    minimum: int | None,
    on: str | None,
    data: Path | None,
    lowest: int | None,
    temperatures: tuple[float, ...],
    reference: str | None,
    keep: str | None,
    output: Path | None,
) -> None:
    """Print scores of minima and ensembles on some data, and write them where asked to.

    Parameters
    ----------
    path : Path
        The store.
    minimum : int or None
        Whose confusion is shown; the lowest by default.
    on, data
        See :func:`~thalweg.analysis.systems.scoring_data.chosen_data`.
    lowest : int or None
        Look at so many minima only, those of lowest loss.
    temperatures : tuple of float
        Of thermal ensembles; 1/N by default.
    reference : str or None
        A class's number, or "macro".
    keep : str or None
        Keep the scores of all minima as properties with this prefix.
    output : Path or None
        A .csv file, one line a minimum; or .npz, the minimum's probabilities.

    Raises
    ------
    click.ClickException
        If the store is no network's, or an option does not fit; nothing was written.
    """
    from thalweg.landscapes import Landscape

    try:
        if output is not None and output.suffix not in (".csv", ".npz"):
            raise ValueError(f"--output {output} must end in .csv or .npz")
        with Landscape.open(path, "r" if keep is None else "r+") as landscape:
            chosen = _Chosen(landscape, minimum, on, data, lowest, reference)
            text = chosen.text(temperatures or (1 / len(landscape.system.potential.labels),))
            if output is not None:
                chosen.write(output)
                text += f"\n\n{output}"
            if keep is not None:
                text += f"\n\n{chosen.keep(keep)}"
    except (OSError, ValueError, TypeError, IndexError, ConnectionError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(text)


class _Chosen:
    """Which minima are looked at, on which data."""

    def __init__(
        self, landscape: Any, minimum: int | None, on: str | None, file: Path | None, lowest: int | None, given: Any
    ):
        from thalweg.analysis.prediction.minima_arguments import loss_of, rows_of
        from thalweg.analysis.systems.scoring_data import chosen_data, reference_of

        self.landscape, self.loss = landscape, loss_of(landscape, what="predictions")
        energies = landscape.minima.energy[:]
        self.minimum = landscape.minima.lowest() if minimum is None else minimum
        rows_of(landscape.minima.coordinates, self.minimum)
        self.rows = np.arange(len(energies)) if lowest is None else np.sort(np.argsort(energies)[:lowest])
        self.on, self.data = chosen_data(landscape, on, file)
        self.reference = reference_of(landscape, given)

    def text(self, temperatures: tuple[float, ...]) -> str:
        """Return all that is printed."""
        shape = ",".join(str(width) for width in self.loss.layers)
        what = "mean AUC of all classes" if self.reference == "macro" else f"AUC of class {self.reference}"
        head = f"{self.landscape.path.name}: network [{shape}], {len(self.rows)} of {len(self.landscape.minima)} minima"
        lines = [head, f"on {self.on}, {len(self.data.labels)} points; {what}", "", *self._scores(temperatures)]
        lines += ["", *self._agreement(), *self._wrong_labels(), "", *self._confusion()]
        return "\n".join(lines)

    def _scores(self, temperatures: tuple[float, ...]) -> list[str]:
        from thalweg.analysis.prediction.ensembles import ensemble_table
        from thalweg.analysis.prediction.scores import score_table

        table = ensemble_table(self.landscape, self.data, temperatures, self.reference, rows=self.rows)
        names = {"best": "best minimum, in hindsight", "mean": "mean of minima"}
        names |= {"sd": "standard deviation", "equal": "ensemble, equal weights"}
        lines = [f"{'':36}{'accuracy':>10}{'log loss':>10}{'AUC':>10}{'minima':>10}"]
        lowest = int(self.rows[self.landscape.minima.energy[self.rows].argmin()])
        names["lowest"] = f"minimum {lowest}, the lowest"
        if self.minimum != lowest:
            one = score_table(self.landscape, self.data, self.reference, rows=self.minimum)
            table = {f"minimum {self.minimum}": {name: float(one[name][0]) for name in _SCORES}, **table}
        for name, row in table.items():
            thermal = name.startswith(("boltzmann ", "harmonic "))
            label = "ensemble, {}, T = {}".format(*name.split()) if thermal else names.get(name, name)
            size = f"{row['effective_size']:10.1f}" if "effective_size" in row else ""
            lines.append(f"{label:36}" + "".join(f"{row[score]:10.4f}" for score in _SCORES) + size)
        return lines

    def _agreement(self) -> list[str]:
        from thalweg.analysis.prediction.predictions import agreement

        rows = self.rows[np.argsort(self.landscape.minima.energy[self.rows])[:_COMPARED]]
        if len(rows) < 2:
            return []
        shares = agreement(self.landscape, self.data.inputs[:_POINTS], rows=rows)[np.triu_indices(len(rows), 1)]
        return [f"two minima predict the same for {shares.mean():.1%} of the data, {shares.min():.1%} at least"]

    def _wrong_labels(self) -> list[str]:
        """Return whether mislabelled training points have been learned."""
        from thalweg.analysis.prediction.scores import mislabelled_table
        from thalweg.analysis.systems.scoring_data import true_training_labels

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
        from thalweg.analysis.prediction.scores import confusion

        counts = confusion(self.landscape, self.data, rows=self.minimum)[0]
        classes = range(len(counts))
        lines = [f"confusion of minimum {self.minimum}: true classes below, predicted ones beside"]
        lines.append(f"{'':8}" + "".join(f"{c:>9}" for c in classes))
        return lines + [f"{c:>8}" + "".join(f"{n:>9}" for n in counts[c].tolist()) for c in classes]

    def write(self, output: Path) -> None:
        """Write scores of all minima, or the probabilities of one."""
        from thalweg.analysis.prediction.predictions import class_probabilities
        from thalweg.analysis.prediction.scores import score_table

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
        from thalweg.analysis.prediction.scores import keep_scores

        computed = keep_scores(self.landscape, self.data, prefix, self.reference)
        return f"kept as {', '.join(f'{prefix}_{name}' for name in _SCORES)}; computed for {computed} minima"
