"""Command lines on the pages have commands, options and values that ``thalweg`` takes."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from thalweg.analysis.cli.main import program

from .pages import PAGES, ROOT, commands

COMMANDS = [(page.relative_to(ROOT).as_posix(), *command) for page in PAGES for command in commands(page)]


class Anywhere(click.Path):
    """A path that need not be there: a page names stores that its reader has made."""

    def __init__(self, like: click.Path) -> None:
        super().__init__(path_type=like.type)


def parse(line: str) -> None:
    """Parse a command line as the program does, without running it; raise a click.UsageError if it is wrong."""
    words = shlex.split(line, comments=True)[1:]
    words = [word for word in words if word not in ("...", "[]")]
    if not words or words[0] in ("--help", "--version"):
        return
    group = click.Context(program, info_name="thalweg")
    command = program.get_command(group, words[0])
    if command is None:
        raise click.UsageError(f"there is no command {words[0]}")
    if "--help" in words or "-h" in words:
        return
    for parameter in command.params:
        parameter.callback = None
        if isinstance(parameter.type, click.Path):
            parameter.type = Anywhere(parameter.type)
    command.make_context(words[0], words[1:], parent=group)


@pytest.fixture(autouse=True)
def commands_as_they_are():
    """Give every command its parameters' own types and callbacks back."""
    group = click.Context(program)
    kept = [
        (parameter, parameter.type, parameter.callback)
        for name in program.list_commands(group)
        for parameter in program.get_command(group, name).params
    ]
    yield
    for parameter, type_, callback in kept:
        parameter.type, parameter.callback = type_, callback


@pytest.mark.parametrize(("page", "line", "command"), COMMANDS, ids=[f"{p}:{n}" for p, n, _ in COMMANDS])
def test_the_program_takes_the_commands_of_a_page(page, line, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parse(command)


INLINE = [
    (page.relative_to(ROOT).as_posix(), command)
    for page in PAGES
    for command in re.findall(r"`(thalweg [a-z]+[^`]*)`", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "command"), INLINE)
def test_options_named_in_a_sentence_are_there(page, command):
    words = re.sub(r"'[^']*'", "x", command).split()[1:]
    known = program.get_command(click.Context(program), words[0])
    assert known is not None, command
    names = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= names | {"--help"}


@pytest.mark.parametrize(
    "wrong", ["thalweg explor LJ7", "thalweg plot a.zarr --color energy", "thalweg show a.zarr peak 3"]
)
def test_a_wrong_command_is_noticed(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(click.UsageError):
        parse(wrong)
