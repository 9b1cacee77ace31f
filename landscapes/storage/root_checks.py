"""Comparison of a root's metadata with the table of the format (``schema``)."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import numpy as np

from thalweg.landscapes.storage.array_spec import ArraySpec, static_array
from thalweg.landscapes.storage.attribute_rules import Free, Items, shown
from thalweg.landscapes.storage.schema import (
    ARRAY_ATTRIBUTES,
    GROUPS,
    LIMITS,
    PROPERTY_NAME,
    ROOT_ATTRIBUTES,
    STATIC_TYPES,
    frequency_arrays,
    group_metadata,
    landscape_arrays,
    property_spec,
    system_name_fault,
)

__all__ = ["Arrays", "check_attributes", "check_json", "check_members", "check_size", "parsed_json"]

Arrays = dict[str, tuple[ArraySpec, int]]
"""Each array and its length, by path."""

_OBJECT = Free()
_WRITTEN_BY_ZARR = ("storage_transformers", "consolidated_metadata")  # empty: where it writes a root again


def parsed_json(data: bytes) -> Any:
    """Return what JSON stands for, if it is of no unreasonable size.

    Raises
    ------
    ValueError
        It is no JSON, or too much of it.
    """
    check_size(data)
    try:
        parsed = json.loads(data, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(f"more than {LIMITS['levels of nesting']} levels of nesting") from None
    check_json(parsed)
    return parsed


def check_size(data: bytes, members: int = 0) -> None:
    """Check the length of a root, the number of its values, and that of its groups and arrays.

    Raises
    ------
    ValueError
        There is more than any reader accepts.
    """
    _at_most("bytes of the root", len(data))
    # each value but the outermost follows one of these
    _at_most("values in the root", data.count(b",") + data.count(b"[") + data.count(b"{"))
    _at_most("groups and arrays", members)


def check_attributes(attributes: Any) -> None:
    """Check the attributes of a root, to be read or to be written.

    Raises
    ------
    ValueError
        One is missing, or not what the format has.
    """
    check_json(attributes)
    ROOT_ATTRIBUTES.check(attributes, "attribute")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _at_most(what: str, number: int) -> None:
    if number > LIMITS[what]:
        raise ValueError(f"there are {number} {what}; a store has at most {LIMITS[what]}")


def check_json(value: Any) -> None:
    """Check nesting, numbers and texts of a value from JSON, or one that is to be written as JSON.

    Raises
    ------
    ValueError
        It is nested too deeply, a number is too large, or a text is no Unicode.
    """
    waiting = [(value, 1)]
    while waiting:
        one, level = waiting.pop()
        if isinstance(one, dict | list | tuple):
            if level > LIMITS["levels of nesting"]:
                raise ValueError(f"more than {LIMITS['levels of nesting']} levels of nesting")
            parts = one if not isinstance(one, dict) else [part for pair in one.items() for part in pair]
            waiting.extend((part, level + 1) for part in parts)
        elif isinstance(one, str):
            if not one.isascii():
                _check_unicode(one)
        elif isinstance(one, float):
            if not math.isfinite(one):
                raise ValueError("a number is too large for double precision, or none")
        elif isinstance(one, int) and one.bit_length() > LIMITS["bits of a whole number"]:
            raise ValueError(f"a whole number has {one.bit_length()} bits, more than any that belongs there")


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"a text is no Unicode: {error}") from error


def check_members(metadata: Any) -> tuple[dict[str, dict], Arrays, dict[str, dict]]:
    """Check the metadata of all groups and arrays.

    Parameters
    ----------
    metadata : object
        What the root has for them: an object of paths.

    Returns
    -------
    groups, arrays, attributes : dict
        Attributes of each group, each array with its length, and attributes of each array, by path.

    Raises
    ------
    ValueError
        Something that the format has is missing, is of another kind, or there is something that it does not have.
    """
    _OBJECT.check(metadata, "consolidated_metadata/metadata")
    _at_most("groups and arrays", len(metadata))
    groups: dict[str, dict] = {}
    arrays: Arrays = {}
    attributes: dict[str, dict] = {}
    for path, held in metadata.items():
        _OBJECT.check(held, f"metadata of {shown(path)}")
        if held.get("node_type") == "group":
            groups[path] = _checked_group(path, held)
    for missing in (group for group in GROUPS if group not in groups):
        raise ValueError(f"group {missing} is missing")
    expected = landscape_arrays(_coordinates(metadata))
    for missing in (path for path in expected if path not in metadata):
        raise ValueError(f"array {missing} is missing")
    expected |= frequency_arrays(_coordinates(metadata))  # which may be missing
    for path, held in metadata.items():
        if path not in groups:
            arrays[path] = _checked_array(path, held, expected.get(path), groups)
            attributes[path] = held["attributes"]
    _check_lengths(arrays)
    return groups, arrays, attributes


def _checked_group(path: str, held: dict) -> dict:
    """Return the attributes of a group that the format has."""
    below = path.split("/")
    if below[0] != "system" and path not in GROUPS:
        raise ValueError(f"group {shown(path)} is none of this format, which has {', '.join(GROUPS)}")
    if below[0] == "system":
        _check_names(path, below[1:])
    if isinstance(held.get("consolidated_metadata"), dict):  # zarr writes one for each group; the root's counts
        held = {name: value for name, value in held.items() if name != "consolidated_metadata"}
    attributes: dict = held.get("attributes")  # type: ignore[assignment]
    _OBJECT.check(attributes, f"attributes of group {path}")
    if below[0] == "system":
        _check_entries(path, attributes)
    _check_same(f"group {path}", held, group_metadata(attributes))
    return attributes


def _check_entries(path: str, attributes: dict) -> None:
    """Check the names of attributes in ``system/``: what is an object there stands for a group."""
    for name, value in attributes.items():
        fault = system_name_fault(name)
        if fault:
            raise ValueError(f"{shown(name)} is no name of an attribute of {path}: {fault}")
        if isinstance(value, dict):
            _check_entries(f"{path}/{name}", value)


def _check_names(path: str, names: list[str]) -> None:
    if len(names) > LIMITS["levels of nesting"]:
        raise ValueError(f"{shown(path)} is nested more than {LIMITS['levels of nesting']} levels deep")
    for name in names:
        fault = system_name_fault(name)
        if fault:
            raise ValueError(f"{shown(path)} is no name of a group or an array: {fault}")


def _coordinates(metadata: dict) -> int:
    """Return the length of coordinate vectors."""
    if "minima/coordinates" not in metadata:
        raise ValueError("array minima/coordinates is missing")
    shape = metadata["minima/coordinates"].get("shape")
    if not isinstance(shape, list) or len(shape) != 2 or type(shape[1]) is not int:
        raise ValueError(f"shape of minima/coordinates is {_text(shape)}; it must be two whole numbers")
    if not 1 <= shape[1] <= LIMITS["coordinates"]:
        raise ValueError(
            f"minima/coordinates has {shown(shape[1])} coordinates; it must have 1 to {LIMITS['coordinates']}"
        )
    return shape[1]


def _checked_array(path: str, held: dict, spec: ArraySpec | None, groups: dict[str, dict]) -> tuple[ArraySpec, int]:
    """Return an array that the format has, and its length."""
    if held.get("node_type") != "array":
        raise ValueError(f"node_type of {shown(path)} is {shown(held.get('node_type'))}; it must be group or array")
    group, _, name = path.rpartition("/")
    if group == "properties" and PROPERTY_NAME.fullmatch(name):
        spec = property_spec(name)
    elif path.startswith("system/") and group in groups:
        _check_names(path, path.split("/")[1:])
        spec = _static_spec(path, held)
    elif spec is None:
        raise ValueError(f"array {shown(path)} is none of this format")
    shape, length = held.get("shape"), 0
    if isinstance(shape, list) and shape and type(shape[0]) is int:
        length = shape[0]
    if not 0 <= length <= LIMITS["rows of an array"]:
        raise ValueError(f"array {path} has {shown(length)} rows; it must have 0 to {LIMITS['rows of an array']}")
    _check_attributes(path, held.get("attributes"))
    _check_same(f"array {path}", held, spec.metadata(length, held["attributes"]))
    return spec, length


def _check_attributes(path: str, attributes: Any) -> None:
    if path in ARRAY_ATTRIBUTES:
        ARRAY_ATTRIBUTES[path].check(attributes, f"attributes of {path}")
    elif path.startswith(("system/", "properties/")):
        _OBJECT.check(attributes, f"attributes of {path}")
    else:
        Items(_OBJECT, dict, 0).check(attributes, f"attributes of {path}")


def _static_spec(path: str, held: dict) -> ArraySpec:
    """Return the array of ``system/`` that metadata describe; what they say is compared with it afterwards."""
    dtype, shape = held.get("data_type"), held.get("shape")
    if dtype not in STATIC_TYPES:
        raise ValueError(f"data_type of {path} is {_text(dtype)}; it must be one of {', '.join(STATIC_TYPES)}")
    axes = LIMITS["axes of an array in system/"]
    if not isinstance(shape, list) or not 1 <= len(shape) <= axes or not all(type(k) is int and k >= 0 for k in shape):
        raise ValueError(f"shape of {path} is {_text(shape)}; it must be 1 to {axes} whole numbers, none negative")
    return static_array(path, np.dtype(dtype), tuple(shape))


def _check_same(what: str, held: dict, expected: dict) -> None:
    """Raise ValueError where metadata are not those that this format has."""
    for key in sorted(held.keys() - expected.keys()):
        if key not in _WRITTEN_BY_ZARR or held[key]:
            raise ValueError(f"{shown(key)} of {what} is nothing that this format has")
    for key, value in expected.items():
        if key not in held:
            raise ValueError(f"{key} of {what} is missing; this format has {_text(value)}")
        if key != "attributes" and _text(held[key]) != _text(value):
            raise ValueError(f"{key} of {what} is {_text(held[key])}; this format has {_text(value)}")


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 400 else f"{text[:397]}..."


def _check_lengths(arrays: Arrays) -> None:
    """Check that arrays of one dimension are equally long, and that system/ is of the size of the coordinates."""
    first: dict[str, str] = {}
    system_bytes = 0
    for path, (spec, length) in arrays.items():
        if path.startswith("system/"):
            system_bytes += spec.row_bytes * length
            continue
        whose = first.setdefault(spec.dimensions[0], path)
        if arrays[whose][1] != length:
            raise ValueError(f"array {path} has {length} rows, {whose} has {arrays[whose][1]}")
    _at_most("bytes of all arrays in system/", system_bytes)
    n = arrays["minima/coordinates"][0].row[0]
    if "system/x" in arrays and (arrays["system/x"][0].row, arrays["system/x"][1]) != ((), n):
        raise ValueError(f"array system/x must have the {n} coordinates that minima/coordinates has")
