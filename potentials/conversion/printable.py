"""Text of unknown origin, made fit for terminals, pictures, XML and spreadsheets.

Names and descriptions in a store were written by whoever made it. Printed as they are, control characters could
retitle a terminal or hide a line, dollar signs make a picture fail, and a spreadsheet would run a cell.
"""

from __future__ import annotations

__all__ = ["cell", "energy_label", "plain_label", "printable", "printable_lines"]

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_TEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "$_&%#{}"},
}  # fmt: skip


def printable(text: object) -> str:
    r"""Return text in one line: what no terminal shows as a character is written as a Python string would have it.

    These are control characters, line ends, invisible and direction-changing characters, and halves of surrogate
    pairs, which no file can hold.

    Examples
    --------
    >>> from thalweg.potentials.conversion.printable import printable
    >>> printable("plain"), printable("\x1b[31mred\nnext \u202eyas")
    ('plain', '\\x1b[31mred\\nnext \\u202eyas')
    """
    said = str(text)
    if said.isprintable():
        return said
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in said)


def printable_lines(text: object) -> str:
    """Return text whose line ends are meant, each line as `printable` has it."""
    return "\n".join(map(printable, str(text).split("\n")))


def plain_label(text: object) -> str:
    r"""Return text for a picture of matplotlib, where nothing in it is a formula.

    Examples
    --------
    >>> from thalweg.potentials.conversion.printable import plain_label
    >>> plain_label("a_b $\\frac$")
    'a_b \\$\\frac\\$'
    """
    from matplotlib import rcParams

    said = printable(text)
    if rcParams["text.usetex"]:
        return "".join(_TEX.get(character, character) for character in said)
    return said.replace("$", r"\$")


def energy_label(quantity: str, units: str) -> str:
    """Return the label of an axis of energies in a picture of matplotlib; reduced units are not named.

    Examples
    --------
    >>> from thalweg.potentials.conversion.printable import energy_label
    >>> energy_label("loss", "reduced"), energy_label("energy", "eV")
    ('loss', 'energy / eV')
    """
    return quantity if units == "reduced" else f"{quantity} / {plain_label(units)}"


def cell(value: object) -> object:
    """Return a value for a table that a spreadsheet may open: text that it would take for a formula stays text.

    Numbers, also those written as text, stay as they are.

    Examples
    --------
    >>> from thalweg.potentials.conversion.printable import cell
    >>> cell(-1.5), cell("-1.5"), cell("name"), cell("=1+1")
    (-1.5, '-1.5', 'name', "'=1+1")
    """
    if not isinstance(value, str):
        return value
    said = printable(value)
    return f"'{said}" if value.lstrip().startswith(_FORMULA) and not _is_number(said) else said


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
