"""Entry point of ``thalweg``: watch for signals, then load the commands."""

from __future__ import annotations

import sys
from contextlib import suppress

from thalweg.analysis.cli.interruption import SignalWatch

__all__ = ["main"]


def main() -> None:
    """Run a command of the command line; after Ctrl-C and SIGTERM the exit status is 130 and 143.

    Whatever the system refuses (a path that is too long, a full disk behind standard output) is one line on standard
    error and exit status 1.
    """
    watch = SignalWatch()
    status = 0
    try:
        from thalweg.analysis.cli.main import program
        from thalweg.analysis.cli.terminal import accept_any_text

        accept_any_text()
        program(prog_name="thalweg")
    except KeyboardInterrupt:
        sys.exit(128 + watch.raised)
    except OSError as error:
        status = _refused(error)
    except SystemExit as end:
        # what click makes of KeyboardInterrupt
        if end.code == 1 and watch.raised:
            sys.exit(128 + watch.raised)
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        watch.finished = True
    from thalweg.analysis.cli.terminal import finish_output

    sys.exit(finish_output(status))


def _refused(error: OSError) -> int:
    """Say what the system refused, and return the exit status."""
    from thalweg.potentials.conversion.printable import printable

    where = "" if error.filename is None else f": {printable(error.filename)}"
    with suppress(OSError):
        print(f"Error: {error.strerror or printable(error)}{where}", file=sys.stderr)
    return 1
