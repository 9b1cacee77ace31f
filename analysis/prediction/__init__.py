"""How well the minima of a network's loss predict."""
