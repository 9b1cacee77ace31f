"""Groups of finite rigid motions of atoms, and alignment over them."""
