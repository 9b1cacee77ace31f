"""``thalweg map``: decision maps of a network's minima."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["run"]

_ENDINGS = (".png", ".pdf", ".svg")


def run(
    path: Path,
    minima: tuple[int, ...],
    output: Path | None,
    on: str | None,
    data: Path | None,
    probability_of: int | None,
    plane: tuple[int, int],
    ensemble: bool,
    resolution: int,
    points: int,
) -> None:
    """Draw decision maps into a file, and print its name.

    Parameters
    ----------
    path : Path
        The store.
    minima : tuple of int
        One panel each; the lowest where none is named.
    output : Path or None
        PNG, PDF or SVG; beside the store by default.
    on : {"train", "test", "none"} or None
        Data on top: those trained on by default.
    data : Path or None
        An .npz file with inputs and labels instead.
    probability_of : int or None
        The class whose probability is drawn.
    plane : (int, int)
        The two inputs that vary.
    ensemble : bool
        Whether to add a panel of all minima, with equal weights.
    resolution, points : int
        Pixels a side, and most data drawn.

    Raises
    ------
    click.ClickException
        If the store is no network's, or an option does not fit; nothing was written.
    """
    from thalweg.landscapes import Landscape

    output = path.with_name(path.stem + "-map.png") if output is None else output
    if output.suffix.lower() not in _ENDINGS:
        raise click.UsageError(f"--output {output} must end in {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    try:
        from thalweg.analysis.prediction.decision_maps import plot_decision_maps
        from thalweg.analysis.prediction.ensembles import Ensemble
        from thalweg.analysis.prediction.minima_arguments import loss_of
        from thalweg.analysis.systems.scoring_data import chosen_data, input_names

        landscape = Landscape.open(path)
        loss_of(landscape, what="decision map")
        panels = [*(minima or [landscape.minima.lowest()]), *([Ensemble(landscape)] if ensemble else [])]
        top = None if on == "none" and data is None else chosen_data(landscape, _training(on, data), data).data
        figure = plot_decision_maps(
            landscape, panels, data=top, probability_of=probability_of, plane=plane, resolution=resolution,
            points=points, input_names=input_names(landscape),
        )  # fmt: skip
        figure.savefig(output)
    except (OSError, ValueError, TypeError, IndexError, ConnectionError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(output)


def _training(on: str | None, data: Path | None) -> str | None:
    return "train" if on is None and data is None else on
