"""Random damage to a store, aware of its structure; everything depends on the number of the case alone."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import google_crc32c
import numcodecs
import numpy as np

__all__ = ["mutate"]

NAMES = (
    *("/etc", "properties/../../documents", "..", ".", "", "properties/", "minima//energy", "minima/energy/c.0"),
    *("system/../minima", "system/.hidden", "system/_private", "system/zarr.json", "system/x.partial", "C:\\x"),
    *("properties/a b", "properties/é", "properties/x\x1b[31m", "properties/" + "x" * 300, "extra", "minima/extra"),
    *("system/" + "a/" * 40 + "b", "properties/energy", "properties/x\0y", "searches/steps\n"),
)
NUMBERS = (
    *(-1, 0, 1, 2, 3, 7, 99, -(2**31), 2**31, 2**32, 2**40, 10**12, 2**63 - 1, 2**63, 2**64, 10**30, 10**400),
    *(0.5, -0.0, 1e-300, 1e300, -1e300, 3.0),
)
OTHERS = (
    *(None, True, False, "", "x", "NaN", "\ud800", "\x1b]0;title\x07", "=cmd|' /C calc'!A0", [], {}, [[]], [None]),
    *({"a": 1}, "x" * 100_000, ["x"] * 1000, list(range(2000)), "float64", "int64", "object", "|V8", "<U9999999"),
)
CALCULATORS = (
    *("emt", "lj", "mopac", "abinit", "vasp", "espresso", "gromacs", "kim", "evil_module:Evil", "os:system"),
    *("thalweg.potentials:LJAT", "subprocess:Popen", "LJAT", "NetworkLoss", "MuellerBrown", "CoupledDoubleWells", "?"),
)
ROWS = {"i": (-1, 0, 1, 2, 3, 99, -2, 10**9, 2**31 - 1, -(2**31)), "f": (0.0, -1.0, 1e300, -1e300, np.nan, np.inf)}


class Damage:
    """One store, its root as JSON, and the random numbers of one case."""

    def __init__(self, store: Path, rng: np.random.Generator) -> None:
        self.store, self.rng = store, rng
        self.root: Any = json.loads((store / "zarr.json").read_bytes())
        self.members: dict[str, Any] = self.root["consolidated_metadata"]["metadata"]
        self.outside = store.parent / "documents"

    def pick(self, choices: Any) -> Any:
        """Draw one of a sequence."""
        return choices[int(self.rng.integers(len(choices)))]

    def hostile(self) -> Any:
        """Draw a value that hardly belongs anywhere."""
        kind = self.rng.integers(10)
        if kind == 0:
            return self.pick(NAMES)
        if kind == 1:
            return nested(int(self.pick((5, 31, 33, 60, 500))))
        return self.pick(NUMBERS if kind < 6 else OTHERS)

    def array(self) -> str:
        """Draw the path of an array."""
        return self.pick([path for path, held in self.members.items() if held.get("node_type") == "array"])

    def chunk(self) -> Path:
        """Draw the file of a chunk."""
        return self.pick(sorted(path for path in self.store.rglob("c.*") if path.is_file()))

    def nodes(self, value: Any = None) -> list[tuple[Any, Any]]:
        """Return all places of the root, as containers and keys."""
        waiting, found = [self.root if value is None else value], []
        while waiting:
            one = waiting.pop()
            for key in one if isinstance(one, dict) else range(len(one)):
                found.append((one, key))
                if isinstance(one[key], dict | list):
                    waiting.append(one[key])
        return found

    def save(self) -> None:
        """Write the root."""
        (self.store / "zarr.json").write_text(json.dumps(self.root))


def nested(levels: int) -> Any:
    """Return lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def a_value(damage: Damage) -> None:
    """Any place of the root holds something else."""
    container, key = damage.pick(damage.nodes())
    container[key] = damage.hostile()
    damage.save()


def a_key(damage: Damage) -> None:
    """A name of the root is missing, or another."""
    places = [(one, key) for one, key in damage.nodes() if isinstance(one, dict)]
    container, key = damage.pick(places)
    value = container.pop(key)
    if damage.rng.random() < 0.5:
        container[damage.pick(NAMES)] = value
    damage.save()


def an_attribute(damage: Damage) -> None:
    """An attribute of the root, or something in one, holds something else."""
    attributes = damage.root["attributes"]
    if damage.rng.random() < 0.3:
        attributes[damage.pick(sorted(attributes))] = damage.hostile()
    else:
        container, key = damage.pick(damage.nodes(attributes))
        container[key] = damage.pick(NUMBERS) if damage.rng.random() < 0.6 else damage.hostile()
    damage.save()


def a_name(damage: Damage) -> None:
    """An array or a group stands in the root under another name, or once more under one."""
    path = damage.pick(sorted(damage.members))
    name = damage.pick((*NAMES, str(damage.outside), "properties/x", "properties/../../documents"))
    held = json.loads(json.dumps(damage.members[path]))
    if damage.rng.random() < 0.3:
        del damage.members[path]
    if "shape" in held and damage.rng.random() < 0.5:
        held = json.loads(json.dumps(damage.members.get("minima/energy", held)))
        held["shape"] = [damage.pick((0, 1, 3, 10**12))]
    damage.members[name] = held
    damage.save()


def a_shape(damage: Damage) -> None:
    """An array has another length, row, chunk, type or fill value."""
    held = damage.members[damage.array()]
    which = damage.rng.integers(5)
    if which == 0:
        held["shape"][0] = damage.pick(NUMBERS)
    elif which == 1:
        held["shape"] = [held["shape"][0], damage.pick(NUMBERS)]
    elif which == 2:
        held["chunk_grid"]["configuration"]["chunk_shape"][0] = damage.pick(NUMBERS)
    elif which == 3:
        held["data_type"] = damage.pick(("float32", "int8", "bool", "complex128", "string", "object", "uint64", None))
    else:
        held["fill_value"] = damage.hostile()
    damage.save()


def a_length(damage: Damage) -> None:
    """All arrays of one dimension are longer or shorter, together."""
    dimension = damage.pick(("minimum", "transition_state", "search", "found_minimum", "found_transition_state"))
    length = damage.pick((0, 1, 2, 5, 100, 16384, 16385, 40000, 10**6, 10**9, 10**12))
    for held in damage.members.values():
        if held.get("dimension_names", [None])[0] == dimension:
            held["shape"][0] = length
    damage.save()


def a_state(damage: Damage) -> None:
    """The state of a sequence asks for something else."""
    state = damage.root["attributes"]["state"]
    sequence = state.setdefault(damage.pick(("connect", "find_minima", "connect_pairs")), {})
    row = damage.pick((-2, -1, 0, 1, 99, 10**9, 2**63))
    size = damage.pick((0, 1, 2, 5, 300, 10**6, 10**12, -1))
    kinds = (
        "single-ended",
        "double-ended",
        "basin-hopping",
        "from a transition state",
        "x",
        "from a minimum made symmetric",
    )
    pending = [damage.pick((-1, 0, 3, 10**12)), damage.pick(kinds), size, [[row, -1]] * damage.pick((0, 1, 2, 5)), row]
    sequence["pending"] = [pending] * damage.pick((1, 2, 50))
    if damage.rng.random() < 0.3:
        sequence["pending"] = damage.hostile()
    sequence["chains"] = damage.pick(([row], [], [row] * 16, damage.hostile()))
    sequence["distances"] = damage.pick(([[row, 1, 0.5]], [[0, 1]], damage.hostile()))
    damage.save()


def a_system(damage: Damage) -> None:
    """The description names another calculator, or other parameters."""
    groups = {path: held for path, held in damage.members.items() if path.startswith("system") and "shape" not in held}
    held = groups[damage.pick(sorted(groups))]["attributes"]
    which = damage.rng.integers(4)
    if which == 0:
        damage.members["system/calculator"]["attributes"]["name"] = damage.pick(CALCULATORS)
    elif which == 1:
        damage.members["system/calculator"]["attributes"] = {
            "ase": True,
            "name": damage.pick(CALCULATORS),
            "command": f"touch {damage.outside}/made",
        }
    elif which == 2 and held:
        held[damage.pick(sorted(held))] = damage.hostile()
    else:
        held[damage.pick(("hidden", "n_classes", "l2", "Z", "command", "directory", "label", "mask"))] = (
            damage.hostile()
        )
    damage.save()


def root_bytes(damage: Damage) -> None:
    """The root is no JSON any more, or too much of it."""
    path = damage.store / "zarr.json"
    data = bytearray(path.read_bytes())
    which = damage.rng.integers(7)
    if which == 0:
        data = data[: int(damage.rng.integers(len(data)))]
    elif which == 1:
        data[int(damage.rng.integers(len(data)))] ^= 1 << int(damage.rng.integers(8))
    elif which == 2:
        data = bytearray(b"[" * damage.pick((100, 10_000, 1_000_000)))
    elif which == 3:
        data = data.replace(b'"seed": ', b'"seed": ' + damage.pick((b"9" * 5000, b"NaN", b"1e999", b"-", b"0x1")), 1)
    elif which == 4:
        data = bytearray(b" " * 2**25) + data
    elif which == 5:
        data = data.replace(b'"attributes"', b'"attributes": {"pad": [' + b"[]," * 10**6 + b'0]}, "attributes"', 1)
    else:
        data = data.replace(b"minima", b"\xff\xfe\xed", 1)
    path.write_bytes(bytes(data))


def chunk_bytes(damage: Damage) -> None:
    """A chunk has other bytes, and a checksum that does not match, or is another's, or is not there."""
    path = damage.chunk()
    data = bytearray(path.read_bytes())
    which = damage.rng.integers(6)
    if which == 0 and data:
        data[int(damage.rng.integers(len(data)))] ^= 1 << int(damage.rng.integers(8))
    elif which == 1:
        data = data[: int(damage.rng.integers(len(data) + 1))]
    elif which == 2:
        data = bytearray(damage.chunk().read_bytes())
    elif which == 3:
        data += b"\0" * damage.pick((1, 100, 2**22))
    elif which == 4:
        path.unlink()
        return
    else:
        data = bytearray(damage.rng.bytes(int(damage.rng.integers(300))))
    path.write_bytes(bytes(data))


def frame(damage: Damage) -> None:
    """A chunk with a right checksum unpacks to another size than its own, or says so."""
    size = damage.pick((2**17, 2**18, 2**24, 2**29, 2**32))
    claimed = damage.pick((2**17, 2**18, 2**29, 2**50, 2**63, 0))
    blocks = [struct.pack("<I", (2**17 << 3) | 2)[:3] + b"\0"] * (size // 2**17)
    blocks[-1] = struct.pack("<I", (2**17 << 3) | 3)[:3] + b"\0"
    data = b"\x28\xb5\x2f\xfd\xe0" + claimed.to_bytes(8, "little") + b"".join(blocks)
    which = damage.rng.integers(4)
    if which == 0:
        data = data[: int(damage.rng.integers(5, 40))]
    elif which == 1:
        data = b"\x28\xb5\x2f\xfd" + bytes(damage.rng.integers(0, 256, 30, dtype=np.uint8))
    elif which == 2:
        data = numcodecs.Zstd().encode(np.zeros(16384)) * 2
    damage.chunk().write_bytes(checked(data))


def checked(data: bytes) -> bytes:
    """Return bytes with their checksum, as a chunk ends."""
    return data + int(google_crc32c.value(data)).to_bytes(4, "little")


def rows(damage: Damage) -> None:
    """Rows of an array hold other values, with a right checksum."""
    path = damage.array()
    held = damage.members[path]
    dtype = np.dtype(held["data_type"])
    file = damage.store / path / ".".join(["c", *["0"] * len(held["shape"])])
    if not file.is_file():
        return
    values = np.frombuffer(numcodecs.Zstd().decode(file.read_bytes()[:-4]), dtype=dtype).copy()
    used = max(int(np.prod(held["shape"])), 1)
    for _ in range(int(damage.pick((1, 1, 3, used)))):
        place = int(damage.rng.integers(used))
        if dtype.kind == "b":
            values.view(np.uint8)[place] = damage.pick((0, 1, 2, 255))
        else:
            low = damage.pick(ROWS["f" if dtype.kind == "f" else "i"])
            values[place] = low if dtype.kind == "f" else np.clip(low, np.iinfo(dtype).min, np.iinfo(dtype).max)
    file.write_bytes(checked(numcodecs.Zstd(1).encode(values)))


def extra_files(damage: Damage) -> None:
    """Files lie in the store, or beside it, that nobody put there."""
    inside = damage.pick(("minima/energy", "properties/half", "searches/steps", ".", "properties", "system"))
    names = (
        "c.999",
        "c.0.partial",
        "notes.txt",
        "zarr.json.partial",
        "c.-1",
        "c.1.0",
        "zarr.json",
        "c.0/deep",
        "writer.lock",
    )
    file = damage.store / inside / damage.pick(names)
    if damage.rng.random() < 0.5:
        beside = (".lock", ".new/mine.txt", ".new-2/mine.txt", ".merging/mine.txt", ".png", ".lock.partial")
        file = damage.store.parent / (damage.store.name + damage.pick(beside))
    contents = (
        *(b"", b"{}", b"mine", b"[" * 4000, b"\xff" * 50, b'{"pid": 1, "host": "elsewhere", "since": "long ago"}'),
        *(b'{"pid": "x", "host": 3, "since": []}', b"x" * 10**6, b'{"pid": 1e999}', b"null"),
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            return
        file.write_bytes(damage.pick(contents))
    except (FileExistsError, NotADirectoryError):
        return


def links(damage: Damage) -> None:
    """Something of the store is a link, a named pipe or a folder."""
    file = damage.chunk()
    which = damage.rng.integers(9)
    target = damage.pick((damage.outside, damage.outside / "c.0", damage.outside / "missing", Path("/dev/zero")))
    if which < 2:
        file.unlink()
        file.symlink_to(target)
    elif which == 2:
        move_away(file.parent if damage.rng.random() < 0.6 else file.parent.parent, damage)
    elif which == 3:
        (damage.store / "zarr.json").rename(damage.store.parent / "root.json")
        (damage.store / "zarr.json").symlink_to(damage.store.parent / "root.json")
    elif which == 4:
        file.with_name(file.name + ".partial").symlink_to(damage.outside / "c.0")
        (damage.store / "zarr.json.partial").symlink_to(damage.outside / "thesis.tex")
    elif which == 5:
        file.unlink()
        os.mkfifo(file)
    elif which == 6:
        file.unlink()
        file.mkdir()
    elif which == 7:
        place = damage.store / "properties" / damage.pick(("half", "x"))
        if not place.exists():
            place.symlink_to(damage.outside)
    else:
        Path(f"{damage.store}.lock").symlink_to(damage.outside / "thesis.tex")


def move_away(folder: Path, damage: Damage) -> None:
    """Replace a folder by a link to it at another place, or to the documents."""
    if folder == damage.store:
        return
    folder.rename(damage.store.parent / "moved")
    folder.symlink_to(damage.pick((damage.store.parent / "moved", damage.outside)))


MUTATIONS = (
    *(a_value, a_key, an_attribute, an_attribute, a_name, a_shape, a_length, a_state, a_system, a_system),
    *(root_bytes, chunk_bytes, frame, rows, rows, rows, extra_files, links),
)


def mutate(store: Path, rng: np.random.Generator) -> str:
    """Damage a store in one to three ways; return their names."""
    done = []
    for _ in range(int(rng.choice((1, 1, 1, 2, 3)))):
        try:
            damage = Damage(store, rng)
        except (ValueError, KeyError, TypeError, OSError, RecursionError):
            break  # the root is no root any more
        mutation = damage.pick(MUTATIONS)
        try:
            mutation(damage)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError, OSError, RuntimeError) as error:
            done.append(f"{mutation.__name__} (not on top of the others: {type(error).__name__})")
            continue
        done.append(mutation.__name__)
    return ", ".join(done)
