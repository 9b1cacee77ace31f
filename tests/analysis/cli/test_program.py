"""The table of commands: what ``thalweg --help`` lists without importing it is what each command says of itself."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from thalweg.analysis.cli.connect import connect
from thalweg.analysis.cli.main import program
from thalweg.landscapes.exploration.start import STRATEGIES

COMMANDS = (
    "explore", "connect", "info", "plot", "view", "path", "slice", "rates", "show", "compare", "predict", "map",
    "verify", "merge", "reconverge", "export", "import", "paper",
)  # fmt: skip


def test_every_command_is_in_the_table():
    assert tuple(program.entries) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says_of_itself(name):
    command = program.get_command(click.Context(program), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.get_short_help_str(limit=100) == program.entries[name].help
    assert command.help.startswith(program.entries[name].help)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_in_a_sentence(name):
    command = program.get_command(click.Context(program), name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help[0].isupper() or parameter.name == "device", parameter.help
            assert parameter.help.endswith((".", "]")), parameter.help


def test_no_line_of_the_list_is_broken():
    said = CliRunner().invoke(program, ["--help"]).stdout.splitlines()
    listed = said[said.index("Commands:") + 1 :]
    width = max(map(len, program.entries))
    assert listed == [f"  {name:{width}}  {entry.help}" for name, entry in program.entries.items()]


def test_a_misspelt_command_is_named():
    refused = CliRunner().invoke(program, ["exploer"])
    assert refused.exit_code == 2
    assert "No such command 'exploer'" in refused.output


def test_help_of_the_commands_needs_no_compiled_code():
    script = f"""
import sys
from thalweg.analysis.cli.main import program
for name in {COMMANDS!r}:
    program([name, "--help"], standalone_mode=False)
print([name for name in ("numba", "matplotlib", "sklearn", "networkx") if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("module", ["thalweg", "thalweg.analysis"])
def test_python_runs_the_packages_as_the_program(module):
    command = [sys.executable, "-W", "error", "-m", module, "info"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: thalweg info [OPTIONS] PATH\n")
    assert "Missing argument 'PATH'" in done.stderr


def test_strategies_are_those_of_the_landscapes():
    (strategy,) = (parameter for parameter in connect.params if parameter.name == "strategy")
    assert sorted(strategy.type.choices) == sorted(STRATEGIES)
