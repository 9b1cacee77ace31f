"""The zarr store of a landscape: schema, columns, root, lock."""
