"""``python -m thalweg.analysis`` is the command ``thalweg``."""

from thalweg.analysis.cli.entry_point import main

main()
