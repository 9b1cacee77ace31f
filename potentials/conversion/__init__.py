"""Results of potentials as real numbers, and text of unknown origin as printable text."""
