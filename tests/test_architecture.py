"""The rooms of docs/architecture.md: which way imports point, and how large folders, files and functions are."""

from __future__ import annotations

import ast
import shutil
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("potentials", "optimizers", "datasets", "landscapes", "analysis")

# From the lowest to the highest: a module imports from its own group and from lower lines only. A group is what stands
# in one string: rooms, or modules beside the rooms; the groups of one line do not know each other.
LAYERS = [
    ["potentials.conversion", "potentials.smoothness"],
    ["potentials.lazy", "potentials.threads", "potentials.bounds"],
    ["potentials.compiled"],
    ["potentials.cuda"],
    ["potentials.symmetry"],
    [
        "potentials.calculator potentials.function potentials.point potentials.ase_calculators potentials.protocols "
        "potentials.noise"
    ],
    ["potentials.ljat", "potentials.neural_network", "potentials.surfaces"],
    ["potentials.constraints"],
    ["potentials.system_symmetry"],
    ["potentials.stored_systems"],
    ["potentials.system potentials.description"],
    ["potentials.vibrations", "potentials.check"],
    ["optimizers.kernels"],
    ["optimizers.results", "optimizers.quasi_newton", "optimizers.pictures"],
    ["optimizers.rules"],
    ["optimizers.krylov"],
    ["optimizers.eigenvalues", "optimizers.energy_profile", "optimizers.interpolation"],
    ["optimizers.kinks", "optimizers.missing_minima", "optimizers.descent_paths"],
    ["optimizers.minimisation optimizers.large_systems optimizers.cuda"],
    ["optimizers.eigenvector_following_hybrid"],
    ["optimizers.transition_states"],
    ["optimizers.pathways", "optimizers.band_images"],
    ["optimizers.surrogate"],
    ["optimizers.elastic_band", "optimizers.ase_optimizers"],
    ["optimizers.basin_hopping"],
    [
        "datasets",
        "landscapes.property_names",
        "landscapes.records",
        "landscapes.errors",
        "landscapes.tolerances landscapes.energy_limit",
        "landscapes.run_options",
    ],
    ["landscapes.storage"],
    ["landscapes.recording"],
    [
        "landscapes.landscape landscapes.stored_landscape landscapes.lowest_paths landscapes.views "
        "landscapes.discoveries landscapes.system_loading landscapes.reference landscapes.notebook"
    ],
    ["landscapes.vibrations"],
    ["landscapes.strategies"],
    ["landscapes.exploration"],
    ["landscapes.maintenance"],
    ["analysis.arguments", "analysis.statistics"],
    ["analysis.networks"],
    ["analysis.vibrations"],
    ["analysis.kinetics", "analysis.disconnectivity", "analysis.programs"],
    ["analysis.comparison", "analysis.prediction", "analysis.curvature", "analysis.slices", "analysis.models"],
    ["analysis.estimators"],
    ["analysis.systems", "analysis.view"],
    ["analysis.paper"],
    ["analysis.cli"],
    ["analysis.__main__"],
]

# importer -> imported, each with its reason
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("analysis.networks.kinetic_transition_network", "analysis.kinetics"): "network.kinetics() and .thermodynamics()",
    ("analysis.networks.kinetic_transition_network", "analysis.kinetics.rates"): "network.transition_state_rates()",
    ("landscapes.landscape", "landscapes.exploration.start"): "landscape.find_minima() and .connect()",
    ("landscapes.landscape", "analysis.view.landscape_page"): "landscape.view()",
    ("landscapes.landscape", "landscapes.vibrations.hessians"): "landscape.frequencies() and .vibrations()",
}


def modules(root: Path) -> Iterator[Path]:
    """Yield the package's files, relative to the root."""
    for package in PACKAGES:
        yield from (path.relative_to(root) for path in sorted((root / package).rglob("*.py")))


def dotted(path: Path) -> str:
    """Return the module's name below thalweg: ``potentials.ljat.energy``."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(root: Path, path: Path) -> Iterator[str]:
    """Yield what a file imports of the package, those inside functions and under TYPE_CHECKING included."""
    for node in ast.walk(ast.parse((root / path).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("thalweg."):
                yield existing(root, name.removeprefix("thalweg."))


def existing(root: Path, name: str) -> str:
    """Return the module, or the package, in which a name is found."""
    while not (root / name.replace(".", "/")).is_dir() and not (root / f"{name.replace('.', '/')}.py").is_file():
        name = name.rpartition(".")[0]
        assert name, "nothing of that name"
    return name


def place(name: str) -> tuple[int, str] | None:
    """Return line and group of a module; None for a package's ``__init__``, which gathers the names of its rooms."""
    if name in PACKAGES and name != "datasets":
        return None
    for line, groups in enumerate(LAYERS):
        for group in groups:
            if any(name == entry or name.startswith(f"{entry}.") for entry in group.split()):
                return line, group
    raise AssertionError(f"{name} has no place in LAYERS")


def violations(root: Path) -> list[str]:
    """Return the imports that point upwards or sideways, as ``importer -> imported``."""
    found = []
    for path in modules(root):
        importer = dotted(path)
        here = place(importer)
        for name in imported(root, path):
            # a package's own names are in the rooms of the package: they count as its highest
            there = place(name) or max(place(dotted(p)) or (0, "") for p in modules(root) if dotted(p).startswith(name))
            if here is not None and there[1] != here[1] and there[0] >= here[0]:
                found.append(f"{importer} -> {name}")
    return found


def test_imports_point_one_way():
    excused = {f"{importer} -> {name}" for importer, name in EXCEPTIONS}
    found = violations(ROOT)
    assert sorted(set(found) - excused) == []
    assert excused <= set(found), "an exception that nothing needs any more"
    assert len(EXCEPTIONS) <= 5


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("potentials/ljat/energy.py", "from thalweg.potentials.neural_network import energy"),
        ("potentials/cuda/device.py", "def f():\n    from thalweg.potentials.ljat.cuda import ljat_gradient"),
        ("landscapes/storage/store.py", "from thalweg.landscapes import Landscape"),
        ("optimizers/kernels/lbfgs.py", "from thalweg.optimizers.minimisation import minimise"),
        ("potentials/point.py", "if TYPE_CHECKING:\n    import thalweg.analysis.networks.basins"),
    ],
)
def test_an_import_against_the_rule_is_seen(tmp_path, file, line):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = violations(tmp_path)
    with (tmp_path / file).open("a") as out:
        out.write(f"\n{line}\n")
    (planted,) = set(violations(tmp_path)) - set(before)
    assert planted.startswith(file.removesuffix(".py").replace("/", "."))


def test_folders_files_and_functions_are_small():
    """At most 15 files a folder, the command line's excepted; 400 lines a file; 50 a function without its docstring."""
    files = [*modules(ROOT), *(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))]
    folders = Counter(path.parent for path in files)
    assert {folder: number for folder, number in folders.items() if number > 15}.keys() <= {Path("analysis/cli")}
    assert [path for path in files if len((ROOT / path).read_text().splitlines()) > 400] == []
    assert [long for path in files for long in long_functions(ROOT / path)] == []


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if body and (body[-1].end_lineno or 0) - body[0].lineno + 1 > 50:
                yield f"{path}:{node.lineno} {node.name}"


def test_no_module_bears_an_exported_name():
    """Importing it would hide the name."""
    for package in PACKAGES:
        exported = set(import_module(f"thalweg.{package}").__all__)
        beside = {path.stem for path in (ROOT / package).iterdir() if path.suffix == ".py" or path.is_dir()}
        assert exported & beside == set()


def test_no_two_modules_of_one_name_in_one_package():
    """A folder of rooms has no module of a room's name, nor a room a module of its own name."""
    for folder in {path.parent for path in modules(ROOT)}:
        rooms = {path.name for path in (ROOT / folder).iterdir() if path.is_dir()}
        files = {path.stem for path in (ROOT / folder).glob("*.py")}
        assert rooms & files == set()
        assert folder.name not in files


def test_every_package_is_listed_for_the_wheel():
    """A package that setup.cfg does not list is missing from the wheel, and works in an editable install."""
    from configparser import ConfigParser

    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = setup["options"]["packages"].split()
    on_disk = {f"thalweg.{'.'.join(path.parent.parts)}" for path in modules(ROOT)}
    assert sorted(listed) == sorted({"thalweg", *on_disk})
    data = setup["options.package_data"]
    for package, names in data.items():
        folder = ROOT.joinpath(*package.split(".")[1:])
        assert all((folder / name).is_file() for name in names.split(", "))
