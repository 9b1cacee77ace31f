"""Help of ``thalweg explore`` for one system: its defaults, without the options that do not apply to it."""

from __future__ import annotations

import click

__all__ = ["SystemCommand"]


_SYSTEMS = (
    ("D1, D2, D3", "Loss of a network that predicts the outcomes of LJAT3."),
    ("MNIST, digits", "Loss of a network that learns handwritten digits."),
    ("iris, wine, breast_cancer", "The same for tables that come with scikit-learn."),
    (
        "mydata.csv",
        "The same for a table of your own with a --target, its column of labels (.csv, .tsv, .parquet, .npz).",
    ),
    ("LJAT3, LJ<n>", "Energy of a cluster of atoms, such as LJ7."),
    (
        "MuellerBrown",
        "A surface of two variables; so are SixHumpCamel, ThreeHumpCamel, Himmelblau and WolfeQuapp.",
    ),
    ("slab.xyz", "Energy in eV of a structure in a file that ASE reads; it needs a --calculator."),
)


class SystemCommand(click.Command):
    """Command whose help is about the system that is named beside ``--help``."""

    _words = "thalweg.words"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words of the command line for the help, and parse them."""
        ctx.meta[self._words] = list(args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help of the system, or that of the command where none is named."""
        name = self._system(ctx)
        if name is None:
            super().format_help(ctx, formatter)
        else:
            self._format_system(name, ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of systems, then the options."""
        with formatter.section("Systems"):
            formatter.write_dl(_SYSTEMS)
        super().format_options(ctx, formatter)

    def _system(self, ctx: click.Context) -> str | None:
        """Return the system on the command line; None where there is none of that name."""
        from thalweg.analysis.systems.named import resolve_name

        try:
            given = self.make_parser(ctx).parse_args(list(ctx.meta.get(self._words, ())))[0].get("system")
            return resolve_name(given) if isinstance(given, str) else None
        except (click.UsageError, ValueError):
            return None

    def _format_system(self, name: str, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from thalweg.analysis.cli.explore import SystemOptions
        from thalweg.analysis.systems.named import default_options, default_work, unstored_options

        known = default_options(name) | unstored_options(name)
        work = default_work(name)
        others = set(vars(SystemOptions())) - set(known)
        formatter.write_usage(ctx.command_path, f"{name} --output PATH [OPTIONS]")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"Find the minima and transition states of {name}: {_described(name, known)}.")
        with formatter.section(f"Defaults of {name}"):
            more = "" if work.most_searches is None else f"; up to {work.most_searches} while some are probably missing"
            deep = default_work(name, {"hidden": (1, 1)}).steps
            steps = f"{work.steps}; {deep} with two or more hidden layers" if deep != work.steps else str(work.steps)
            totals = [("--steps", steps), ("--searches", f"{work.searches}{more}")]
            values = [(f"--{key}", _said(value)) for key, value in known.items() if value not in (None, {}, [])]
            formatter.write_dl([*totals, *values])
        records = [
            record
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            and parameter.name not in others
            and (record := parameter.get_help_record(ctx)) is not None
        ]
        with formatter.section("Options"):
            formatter.write_dl(records)


def _said(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _described(name: str, options: dict[str, object]) -> str:
    """Return what a system is, in one line, without computing anything."""
    from thalweg.analysis.systems.named import NETWORKS, SURFACES, data_file

    if name in SURFACES:
        return "a surface of two variables"
    if name in NETWORKS:
        return "the loss of a neural network"
    if data_file(name) is not None:
        return "the loss of a neural network on a table of your own"
    return "the energy of a structure in a file" if "calculator" in options else "the energy of a cluster of atoms"
