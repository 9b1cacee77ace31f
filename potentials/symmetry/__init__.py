"""Symmetry of atoms: alignment of clusters and periodic structures, recognition of copies, null modes."""
