"""First passages in more detail: how their times are distributed, and which paths carry them."""
