"""Basin-hopping: chains of quenches, their moves, and parallel tempering."""
