"""Paths of steepest descent and intrinsic reaction coordinates."""
