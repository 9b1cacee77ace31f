"""Normal modes of atoms with their real masses."""
