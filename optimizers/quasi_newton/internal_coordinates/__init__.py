"""Bond lengths, angles and dihedral angles of a molecule, in which searches take their steps."""
