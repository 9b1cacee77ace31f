"""``thalweg compare``: landscapes side by side."""

from __future__ import annotations

from pathlib import Path

import click

from thalweg.analysis.cli.plot import ENDINGS, short_names

__all__ = ["run"]


def run(paths: tuple[Path, ...], output: Path | None, form: str, sample: int, seed: int) -> None:
    """Print the table of a comparison, and draw its figure.

    Parameters
    ----------
    paths : tuple of Path
        Stores, or folders with PATHSAMPLE's files.
    output : Path or None
        A PNG, PDF or SVG for the figure.
    form : str
        "text", "markdown" or "csv".
    sample, seed : int
        See :class:`~thalweg.analysis.Comparison`.

    Raises
    ------
    click.UsageError
        If the file would not be a PNG, PDF or SVG.
    click.ClickException
        If a store cannot be read or has nothing to compare.
    """
    if output is not None and output.suffix.lower() not in ENDINGS:
        raise click.UsageError(f"--output {output} must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    from thalweg.analysis.comparison.comparison import Comparison

    try:
        comparison = Comparison(dict(zip(short_names(paths), paths, strict=True)), sample=sample, seed=seed)
        text = {"text": comparison.to_text, "markdown": comparison.to_markdown, "csv": comparison.to_csv}[form]()
        if output is not None:
            comparison.save(output)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(text.rstrip("\n"))
    if output is not None:
        click.echo(f"\n{output}", err=form != "text")
