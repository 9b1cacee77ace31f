"""Bond graphs of molecules, and the permutations of equal atoms that keep them."""
