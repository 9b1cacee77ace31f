"""``python -m thalweg`` is the command ``thalweg``."""

from thalweg.analysis.cli.main import main

main(prog_name="thalweg")
