"""``python -m thalweg`` is the command ``thalweg``."""

from thalweg.analysis.cli.entry_point import main

main()
