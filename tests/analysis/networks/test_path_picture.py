"""Structures above the energies of a path: which are drawn, from where, and that networks have none."""

from __future__ import annotations

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc100, molecule
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from thalweg.analysis import LandscapePath
from thalweg.optimizers.pictures.structures import StructureAt, add_structures, view_of
from thalweg.potentials import MuellerBrown, Point, as_system


def drawn(structures):
    """Return the circles and lines of each structure."""
    figure = Figure(layout="constrained")
    strip, curve = figure.subplots(2)
    curve.plot([0, 1], [0, 1])
    add_structures(strip, curve, [StructureAt(k / 4, k / 4, atoms) for k, atoms in enumerate(structures)])
    insets = strip.child_axes
    return [([p for p in ax.patches if isinstance(p, Circle)], ax.lines, ax) for ax in insets]


def test_every_atom_is_a_ball_and_every_bond_of_a_molecule_a_line():
    for circles, lines, _ in drawn([molecule("CH3CH2OH"), molecule("CH3CH2OH")]):
        assert len(circles) == 9
        assert len(lines) == 8
    slab = fcc100("Cu", (2, 2, 2), vacuum=5)
    slab.set_constraint(FixAtoms(range(4)))
    ((circles, lines, _),) = drawn([slab])
    assert (len(circles), len(lines)) == (8, 0)
    assert sorted(circle.get_alpha() for circle in circles) == [0.35] * 4 + [1.0] * 4


def test_all_structures_have_one_scale_and_lie_inside():
    small, large = Atoms("Ar2", [[0, 0, 0], [3, 0, 0]]), Atoms("Ar2", [[0, 0, 0], [9, 0, 0]])
    limits = []
    for circles, _, ax in drawn([small, large]):
        limits.append((*ax.get_xlim(), *ax.get_ylim()))
        for circle in circles:
            assert ax.get_xlim()[0] < circle.center[0] < ax.get_xlim()[1]
    assert limits[0] == limits[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_views_are_rotations_and_turn_with_the_molecule(seed):
    rng = np.random.default_rng(seed)
    turn = Rotation.random(rng=rng).as_matrix()
    first = molecule("CH3CH2OH")
    second = first.copy()
    second.positions[:3] += rng.normal(size=(3, 3))
    view = view_of([first, second])
    np.testing.assert_allclose(view @ view.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(view) == pytest.approx(1)
    turned = [Atoms(one.numbers, one.positions @ turn.T) for one in (first, second)]
    assert abs(view_of(turned)[2] @ turn @ view[2]) == pytest.approx(1, abs=1e-6)


def test_an_inversion_is_seen_from_the_side_and_a_slab_from_above():
    up, down = molecule("NH3"), molecule("NH3")
    down.positions[:, 2] *= -1
    assert abs(view_of([up, down])[2, 2]) < 0.1
    slab = fcc100("Cu", (2, 2, 2), vacuum=5)
    np.testing.assert_allclose(np.abs(view_of([slab])), np.eye(3), atol=1e-9)


def test_no_atom_of_a_cluster_hides_another():
    ring = 1.1 * np.array([[np.cos(a), np.sin(a), 0] for a in np.arange(5) * 2 * np.pi / 5])
    bipyramid = np.vstack([ring, [[0, 0, 0.55], [0, 0, -0.55]]])  # seen along its axis one apex hides the other
    view = view_of([Atoms("Ar7", bipyramid)])
    np.testing.assert_allclose(view @ view.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(view) == pytest.approx(1)
    assert pdist((bipyramid @ view.T)[:, :2]).min() > 0.35 * pdist(bipyramid).min()


@pytest.mark.parametrize("cell", [[[2, 0, 0], [1, 2, 0], [0, 0, 3]], [[0, 2, 0], [0, 0, 3], [4, 0, 0]]])
@pytest.mark.parametrize("pbc", [[1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 0, 1]])
def test_unusual_cells_have_a_view(cell, pbc):
    view = view_of([Atoms("Cu", [[0, 0, 0]], cell=cell, pbc=pbc)])
    np.testing.assert_allclose(view @ view.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(view) == pytest.approx(1)
    if sum(pbc) == 2:
        np.testing.assert_allclose(np.array(cell)[np.array(pbc, bool)] @ view[2], 0, atol=1e-9)


def path_of(count, n):
    energy = np.tile([0.0, 1.0], count)[: 2 * count - 1]
    length = np.arange(len(energy), dtype=float)
    kinds = np.tile(["minimum", "transition state"], count)[: len(energy)]
    rng = np.random.default_rng(0)
    return LandscapePath(
        energy, length, kinds, np.arange(len(energy)), rng.normal(size=(len(energy), n)), np.zeros(count - 1, bool)
    )


def test_pictures_of_atoms_have_structures(tmp_path):
    atoms = as_system(Atoms("Ar3", [[0, 0, 0], [1.1, 0, 0], [0.5, 1, 0]], calculator=LennardJones()))
    path_of(2, 9).save_with_structures(tmp_path / "a.png", atoms)
    path_of(12, 9).save_with_structures(tmp_path / "b.svg", atoms, relative=True)
    path_of(1, 9).save_with_structures(tmp_path / "c.pdf", atoms)
    assert all((tmp_path / name).stat().st_size > 3000 for name in ("a.png", "b.svg", "c.pdf"))
    with pytest.raises(ValueError, match=r"d\.csv must end in \.png, \.pdf or \.svg"):
        path_of(2, 9).save_with_structures(tmp_path / "d.csv", atoms)
    with pytest.raises(ValueError, match="only atoms have structures"):
        path_of(2, 2).save_with_structures(tmp_path / "e.png", as_system(Point([0.0, 0.5], MuellerBrown())))


def test_lines_through_few_points_are_smooth_too():
    path = LandscapePath(
        energy=np.array([0.0, 0.01, 0.0, 2.0, 1.0]),
        length=np.array([0.0, 0.1, 0.2, 5.0, 10.0]),
        kinds=np.array(["minimum", "transition state", "minimum", "transition state", "minimum"]),
        numbers=np.arange(5),
        points=np.zeros((5, 1)),
        followed=np.zeros(2, bool),
    )
    s, energy = path.line()
    assert np.diff(s).max() < 0.05
    assert energy.max() == 2.0
    # no corner: the slope changes little from one point to the next
    slopes = np.diff(energy) / np.diff(s)
    assert np.abs(np.diff(slopes))[s[1:-1] > 0.3].max() < 0.05


def test_the_command_draws_them(tmp_path):
    from tests.helpers import thalweg

    ase.io.write(tmp_path / "ar4.xyz", Atoms("Ar4", [[0, 0, 0], [1.1, 0, 0], [0.5, 1, 0], [0.5, 0.4, 0.9]]))
    options = ("--calculator", "lj", "--steps", 4, "--searches", 6, "--output", tmp_path / "a.zarr")
    assert thalweg("explore", tmp_path / "ar4.xyz", *options).exit_code == 0
    result = thalweg("path", tmp_path / "a.zarr", 0, 0, "--output", tmp_path / "p.png")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "p.png").stat().st_size > 5000
