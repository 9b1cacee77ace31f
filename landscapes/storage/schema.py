"""The format of a store as one table, which docs/format.md repeats: names, attributes, arrays and limits.

Whatever is read from a store is compared with this table first (``root_checks``, `Column`), and nothing is written
that it does not permit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from thalweg.landscapes.storage.array_spec import LARGEST_COORDINATE, SCALAR_ROWS, ArraySpec, Values
from thalweg.landscapes.storage.attribute_rules import (
    Either,
    Fields,
    Flag,
    Free,
    Items,
    Nullable,
    Number,
    Numbers,
    Places,
    Plain,
    Rule,
    Text,
    Whole,
)

__all__ = [
    "ARRAY_ATTRIBUTES",
    "ASE_CALCULATOR",
    "ATOMS",
    "CALCULATOR",
    "CLASSES",
    "EXPLORE",
    "FORMAT",
    "FORMAT_VERSION",
    "FORMAT_VERSIONS",
    "GROUPS",
    "LIMITS",
    "MEANING",
    "NETWORK",
    "NETWORK_ARRAYS",
    "NETWORK_TARGETS",
    "ONE_OF_EACH_LENGTH",
    "PAPER",
    "PROPERTY_NAME",
    "ROOT_ATTRIBUTES",
    "SCALAR_ROWS",
    "SEQUENCE",
    "SEQUENCES",
    "STATIC_TYPES",
    "STEEPEST_DESCENT",
    "SUBJECT",
    "SYSTEM",
    "SYSTEM_ARRAYS",
    "ArraySpec",
    "Values",
    "counted",
    "frequency_arrays",
    "group_metadata",
    "landscape_arrays",
    "property_spec",
    "system_name_fault",
]

FORMAT = "thalweg landscape"
FORMAT_VERSION = 2
"""Version that new stores are written in."""

STEEPEST_DESCENT = "steepest descent"
"""Attribute ``path_lengths`` of a store in which no length is that of a minimiser's way."""

FORMAT_VERSIONS = (1, 2)
"""Versions that can be read."""

GROUPS = ("system", "minima", "transition_states", "searches", "properties")

LIMITS = {
    "bytes of the root": 2**24,
    "values in the root": 2**19,
    "levels of nesting": 32,
    "groups and arrays": 4096,
    "rows of an array": 2**40,
    "coordinates": 2**24,
    "bytes of all arrays in system/": 2**30,
    "axes of an array in system/": 8,
    "bytes of a name in system/": 200,
    "bits of a whole number": 1000,
    "searches in a task": 1024,
}
"""Largest sizes: beyond what an exploration writes, and small enough for any reader's memory."""

PROPERTY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
"""Names of properties."""

_WHOLE_TYPES = tuple(f"{kind}int{bits}" for kind in ("", "u") for bits in (8, 16, 32, 64))
STATIC_TYPES = ("bool", *_WHOLE_TYPES, "float16", "float32", "float64")
"""Types of the arrays in ``system/``."""

_COUNT = Whole(0, 2**63 - 1)
_POSITIVE = Number(0, 1e300, above=True)
_NOT_NEGATIVE = Number(0, 1e300)

_TOLERANCES: dict[str, Rule] = dict.fromkeys(("energy", "distance", "gradient_rms", "eigenvalue"), _NOT_NEGATIVE)
_NOISE: dict[str, Rule] = dict.fromkeys(("gradient", "curvature"), _NOT_NEGATIVE)
_RULES: dict[str, Rule] = {
    "memory": Whole(1, 10_000),
    **dict.fromkeys(("initial_diagonal", "max_step"), _POSITIVE),
    "max_rise": _NOT_NEGATIVE,
    "shrink": Number(0, 1, above=True, below=True),
    **dict.fromkeys(("trials", "resets"), Whole(0, 1000)),
    "signed_curvature": Flag(),
}

_ROW = Whole(-1, LIMITS["rows of an array"])
_STARTS = Items(Places((_ROW, _ROW), needed=2), list, LIMITS["searches in a task"])
_PENDING = Places(
    (_COUNT, Text(), Whole(1, LIMITS["searches in a task"]), _STARTS, _COUNT, _COUNT, _POSITIVE), needed=4
)
SEQUENCE = Fields(
    {
        "pending": Items(_PENDING, list, 65536, "a list of `[number, kind, searches, starts, known, minima, part]`"),
        "settings": Free(),
        "calls": _COUNT,
        "chains": Items(_ROW, list, 65536),
        "growth": Items(Places((_COUNT, _COUNT, _COUNT), 3), list, 64, "a list of `[searches, brought, steps]`"),
        "distances": Items(Places((_ROW, _ROW, _NOT_NEGATIVE), 3), list, 100_000, "a list of `[row, row, distance]`"),
    },
    others=True,
)
"""State of a sequence of tasks: those chosen and not done, and what its strategy remembers."""

_MANY = LIMITS["values in the root"]
_NAMES, _CLASSES = Items(Text(4096), list, _MANY), Items(Plain(), list, _MANY)
_WIDTH = Whole(1, LIMITS["coordinates"])
_OPTIONS: dict[str, Rule] = {
    **dict.fromkeys(("path", "target", "scale", "calculator", "permutations"), Nullable(Text(4096))),
    **dict.fromkeys(("loss", "noise", "pixels"), Text()),
    **dict.fromkeys(("inversion", "substrate"), Nullable(Flag())),
    **dict.fromkeys(("inputs", "moves"), Nullable(_NAMES)),
    "data": Nullable(Whole(1, 2**63 - 1)),
    "errors": Number(0, 100),
    "hidden": Items(_WIDTH, list, 1000),
    "activation": Either(Text(), Items(Text(), list, 1000), list),
    "l2": _NOT_NEGATIVE,
    "neighbours": Nullable(_WIDTH),
    "parameters": Nullable(Free()),
    "rms": Nullable(_POSITIVE),
    "seed": Whole(0, 2**512 - 1),
}
_FACTORS = Items(Number(-1e300, 1e300), list, _MANY)
_SCALING = Fields({"kind": Text(), "shift": _FACTORS, "width": _FACTORS}, needed=frozenset({"kind", "shift", "width"}))
_TRAINING: dict[str, Rule] = {"sha256": Text(), "scaling": _SCALING, "inputs": _NAMES, "classes": _CLASSES}
EXPLORE = Fields(
    {
        "system": Nullable(Text(4096)),
        **dict.fromkeys(("steps", "searches"), _COUNT),
        **dict.fromkeys(("minima", "most_searches"), Nullable(_COUNT)),
        "until_converged": Nullable(Flag()),
        "below": Nullable(Either(Number(-1e300, 1e300), Text(), str)),
        "options": Fields(_OPTIONS, others=True),
        "data": Fields({"training": Fields(_TRAINING, others=True), "testing": Free()}, others=True),
    },
    needed=frozenset({"system", "options"}),
    others=True,
)
"""State of ``thalweg explore``: its system, its totals, the options that it was given, and the data they name."""

_STAGE = Places((_COUNT, _NOT_NEGATIVE, _COUNT, _COUNT), needed=4)
PAPER = Fields(
    {
        "done": Flag(),
        **dict.fromkeys(("why", "scale"), Text()),
        "seconds": _NOT_NEGATIVE,
        "stages": Items(_STAGE, list, _MANY, "a list of `[searches, seconds, minima, transition_states]`"),
        "problems": _COUNT,
        "told": Items(Text(2**16), list, 1000),
    },
    others=True,
)
"""State of ``thalweg paper``: how a landscape has grown."""

SEQUENCES = ("find_minima", "connect", "connect_pairs", "untrap")
"""Sequences whose state is checked when the root is read; that of others is, when they go on."""

ROOT_ATTRIBUTES = Fields(
    {
        "format": Text(choices=(FORMAT,)),
        "format_version": Whole(min(FORMAT_VERSIONS), max(FORMAT_VERSIONS)),
        "created_by": Text(),
        "units": Text(choices=("eV", "reduced")),
        "seed": Whole(0, 2**512 - 1),
        "tolerances": Fields(_TOLERANCES, needed=frozenset(_TOLERANCES)),
        "rules": Nullable(Fields(_RULES)),
        "tasks_ahead": Whole(1, 65536),
        "noise": Fields(_NOISE, needed=frozenset(_NOISE)),
        "path_lengths": Text(choices=(STEEPEST_DESCENT,)),
        "tasks": Items(_COUNT, dict, 1000),
        "state": Fields({**dict.fromkeys(SEQUENCES, SEQUENCE), "explore": EXPLORE, "paper": PAPER}, others=True),
    },
    needed=frozenset(
        {"format", "format_version", "created_by", "units", "seed", "tolerances", "rules", "tasks", "state"}
    ),
    others=True,
)
"""Attributes of the root. Others may stand beside them; nothing reads those."""

MEANING = Text(2000)
"""Word for a kind of search, or for how one ended."""

SYSTEM = Fields({"kind": Text()}, others=True)
"""Attributes of ``system/`` that have a type; those of an own system may be any."""

SUBJECT = ("x", "frozen", "calculator")
"""What the description of atoms or of a point has."""

ATOMS = Fields(
    {
        "permutations": Text(choices=("bonds", "all", "none")),
        "inversion": Flag(),
        "substrate": Flag(),
        "left_out": Items(Text(), list, _MANY),
        "constraints": Items(Free(), list, _MANY),
    },
    others=True,
)
"""Attributes of ``system/`` of atoms."""

_PLACE = {"low": -LARGEST_COORDINATE, "below": 2 * LARGEST_COORDINATE}
SYSTEM_ARRAYS = {
    "x": Numbers("f", ("n",), **_PLACE),
    "frozen": Numbers("iu", ("frozen",), low=0, below="n"),
    "numbers": Numbers("iu", ("atoms",), low=0, below=119),
    "cell": Numbers("f", (3, 3), **_PLACE),
    "pbc": Numbers("b", (3,)),
    "masses": Numbers("f", ("atoms",), low=0, below=LARGEST_COORDINATE),
    "tags": Numbers("iu", ("atoms",)),
    "initial_charges": Numbers("f", ("atoms",), low=-1e300, below=1e300),
    "rigid": Numbers("f", ("motions", 6), **_PLACE),
    "bounds": Numbers("f", ("n", 2), low=-math.inf),
}
"""Arrays of ``system/``, where they are."""

CALCULATOR = Fields({"name": Text(1000), "ase": Flag()}, needed=frozenset({"name"}), others=True)
ASE_CALCULATOR = Fields({"parameters": Free()}, others=True)  # others may be anything, such as names of a model's
NETWORK = Fields(
    {
        "hidden": Items(Whole(1, LIMITS["coordinates"]), list, 1000),
        "l2": _NOT_NEGATIVE,
        "neighbours": Nullable(Whole(0, LIMITS["coordinates"])),
        "loss": Text(choices=("cross_entropy", "logistic", "squared_error")),
        "activation": Either(Text(), Items(Text(), list, 1000), list),
        "l2_biases": Flag(),
    },
    needed=frozenset({"hidden", "l2", "neighbours"}),
    others=True,
)
"""Attributes of ``system/calculator``, and of one of ASE and of a network's loss besides."""

CLASSES = Whole(2, LIMITS["coordinates"])
"""Attribute ``n_classes`` of a network with labels."""

NETWORK_ARRAYS = {
    "inputs": Numbers("f", ("data", "inputs"), low=-1e50, below=2e50),
    "labels": Numbers("iu", ("data",), low=0, below="n_classes"),
    "mislabelled": Numbers("b", ("data",)),
    "sample_weight": Numbers("f", ("data",), low=0, below=math.inf),
    "class_weight": Numbers("f", ("n_classes",), low=0, below=math.inf),
}
"""Arrays of a network's loss; all but ``inputs`` may be missing, but labels or targets are there."""

NETWORK_TARGETS = (Numbers("fiu", ("data",), **_PLACE), Numbers("fiu", ("data", "outputs"), **_PLACE))
"""Targets where there are no labels: of one output, or of several."""

_MEANINGS = Fields({"meanings": Items(MEANING, list, 10_000)})
ARRAY_ATTRIBUTES: dict[str, Rule] = {"searches/kind": _MEANINGS, "searches/status": _MEANINGS}
"""Attributes of arrays; properties and the arrays of ``system/`` may have any, all others have none."""

ONE_OF_EACH_LENGTH = (
    *("minima/energy", "transition_states/energy", "searches/energy"),
    *("searches/minima", "searches/transition_states"),
)
"""Arrays of which all chunks must be there when a store is opened, so that no length is only announced."""

_ROWS_OF = {
    Values.MINIMUM: ("minima/energy",),
    Values.STATE: ("transition_states/energy",),
    Values.START: ("minima/energy", "transition_states/energy"),
}


def counted(spec: ArraySpec, attributes: Mapping[str, Any], length: Callable[[str], int]) -> int:
    """Return how many rows, or meanings, there are of what the values of an array count.

    Parameters
    ----------
    spec : ArraySpec
        The array.
    attributes : mapping
        Its attributes.
    length : callable
        Returns the number of rows of the array of a path.
    """
    if spec.values is Values.MEANING:
        return len(attributes.get("meanings", ()))
    if spec.values is Values.END:
        return length(spec.path.removesuffix("_end"))
    return max((length(path) for path in _ROWS_OF.get(spec.values, ())), default=0)


CHUNK_BYTES = 2**20


def landscape_arrays(n: int) -> dict[str, ArraySpec]:
    """Return the arrays of minima, transition_states and searches by path, for coordinate vectors of length ``n``."""
    specs = []
    for group, dimension in (("minima", "minimum"), ("transition_states", "transition_state")):
        specs += _point_arrays(group, dimension, n)
    side = ("transition_state", "side")
    specs += [
        ArraySpec("transition_states/minima", "int64", side, (2,), fill=-1, values=Values.MINIMUM),
        ArraySpec("transition_states/path_length", "float64", side, (2,), values=Values.LENGTH),
        *_search_arrays(),
    ]
    return {spec.path: spec for spec in specs}


def frequency_arrays(n: int) -> dict[str, ArraySpec]:
    """Return the arrays of vibrational frequencies, which landscapes of atoms in eV have."""
    rows = max(1, CHUNK_BYTES // (8 * n))
    specs = [
        ArraySpec(f"{group}/frequencies", "float64", (dimension, "mode"), (n,), rows, values=Values.NUMBER_OR_NAN)
        for group, dimension in (("minima", "minimum"), ("transition_states", "transition_state"))
    ]
    return {spec.path: spec for spec in specs}


def _point_arrays(group: str, dimension: str, n: int) -> list[ArraySpec]:
    one, rows = (dimension,), max(1, CHUNK_BYTES // (8 * n))
    return [
        ArraySpec(f"{group}/energy", "float64", one, values=Values.NUMBER),
        ArraySpec(f"{group}/gradient_rms", "float64", one, values=Values.NUMBER),
        ArraySpec(f"{group}/lowest_eigenvalue", "float64", one, values=Values.NUMBER),
        ArraySpec(f"{group}/log_eigenvalue_product", "float64", one, values=Values.NUMBER_OR_NAN),
        ArraySpec(f"{group}/coordinates", "float64", (dimension, "coordinate"), (n,), rows, values=Values.COORDINATE),
        ArraySpec(f"{group}/modes", "int32", one, fill=0, values=Values.COUNT),
        ArraySpec(f"{group}/symmetry_order", "int64", one, fill=0, values=Values.COUNT),
        ArraySpec(f"{group}/verified", "bool", one, fill=False, values=Values.FLAG),
    ]


def _search_arrays() -> list[ArraySpec]:
    search = ("search",)
    return [
        ArraySpec("searches/task", "int64", search, fill=-1),
        ArraySpec("searches/kind", "int16", search, fill=-1, values=Values.MEANING),
        ArraySpec("searches/status", "int16", search, fill=-1, values=Values.MEANING),
        ArraySpec("searches/start", "int64", ("search", "side"), (2,), fill=-1, values=Values.START),
        ArraySpec("searches/energy", "float64", search),
        ArraySpec("searches/steps", "int64", search, fill=0),
        ArraySpec("searches/minima_end", "int64", search, fill=0, values=Values.END),
        ArraySpec("searches/transition_states_end", "int64", search, fill=0, values=Values.END),
        ArraySpec("searches/minima", "int64", ("found_minimum",), fill=-1, values=Values.MINIMUM),
        ArraySpec("searches/transition_states", "int64", ("found_transition_state",), fill=-1, values=Values.STATE),
    ]


def property_spec(name: str) -> ArraySpec:
    """Return the array of property ``name``."""
    return ArraySpec(f"properties/{name}", "float64", ("minimum",), sparse=True)


def group_metadata(attributes: dict | None = None) -> dict:
    """Return the zarr v3 metadata of a group."""
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes or {}}


def system_name_fault(name: object) -> str | None:
    """Return what is wrong with a name of a group, an array or an attribute in ``system/``; None where it may stand.

    Groups and arrays are folders of these names, so that no name may lead anywhere else.
    """
    if not isinstance(name, str) or not name:
        return "it is no text, or empty"
    if name.startswith((".", "_")):
        return "it begins with a dot or an underscore"
    if "/" in name or "\\" in name or not name.isprintable():
        return "it has a slash, a backslash or a character that cannot be printed"
    if name == "zarr.json" or name.endswith(".partial"):
        return "files of the store have such names"
    if len(name.encode(errors="surrogatepass")) > LIMITS["bytes of a name in system/"]:
        return f"it is longer than {LIMITS['bytes of a name in system/']} bytes"
    return None
