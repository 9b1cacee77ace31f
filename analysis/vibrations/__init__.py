"""Partition functions and thermochemistry of atoms with their masses."""
