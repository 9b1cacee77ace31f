"""Entry point of ``thalweg``: watch for signals, then load the commands."""

from __future__ import annotations

import sys

from thalweg.analysis.cli.interruption import SignalWatch

__all__ = ["main"]


def main() -> None:
    """Run a command of the command line; after Ctrl-C and SIGTERM the exit status is 130 and 143."""
    watch = SignalWatch()
    try:
        from thalweg.analysis.cli.main import program

        program(prog_name="thalweg")
    except KeyboardInterrupt:
        sys.exit(128 + watch.raised)
    except SystemExit as end:
        # what click makes of KeyboardInterrupt
        if end.code == 1 and watch.raised:
            sys.exit(128 + watch.raised)
        raise
    finally:
        watch.finished = True
