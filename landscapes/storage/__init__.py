"""Store of a landscape: arrays (``column``), commit rule (``root``), lock, local folders and zarr stores."""
