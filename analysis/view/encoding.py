"""Arrays and texts as JSON that a page can hold: no text of a store ends a script, and no number is cut."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Json", "packed", "page_json", "plain_value"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What JSON can hold."""

_TYPES = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u1": "|u1"}
# What could end a script, begin a comment of HTML, or is a line end for JavaScript alone.
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def packed(values: ArrayLike, kind: str) -> dict[str, Json]:
    """Return an array as its type and its bytes in base64, row after row, which the page reads as a typed array.

    Parameters
    ----------
    values : array_like
        Numbers.
    kind : {"f8", "f4", "i4", "u1"}
        Type of a number: that of JavaScript's Float64Array, Float32Array, Int32Array or Uint8Array.

    Examples
    --------
    >>> from thalweg.analysis.view.encoding import packed
    >>> packed([1, 2, 258], "i4")
    {'type': 'i4', 'data': 'AQAAAAIAAAACAQAA'}
    """
    return {"type": kind, "data": b64encode(np.asarray(values).astype(_TYPES[kind]).tobytes()).decode("ascii")}


def plain_value(value: float) -> bool | float | None:
    """Return a number or a truth value that JSON can hold; None for NaN and infinities."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    number = float(value)
    return number if math.isfinite(number) else None


def page_json(value: Json) -> str:
    r"""Return JSON in which no text can end a script or begin one.

    Examples
    --------
    >>> from thalweg.analysis.view.encoding import page_json
    >>> page_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).translate(_ESCAPED)
