"""Basin-hopping: chains, moves, parallel tempering."""
