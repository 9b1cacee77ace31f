"""Networks with one hidden layer, whose Hessian has a structure that larger ones lack."""
