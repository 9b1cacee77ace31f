"""Symmetry copies of a point: permutations, rotations, alignment, null modes."""
