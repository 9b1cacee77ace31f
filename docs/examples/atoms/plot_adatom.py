"""
An adatom hops on a surface
===========================

A gold atom on aluminium, with ASE's effective medium theory: a doubly-nudged elastic band from one hollow site to the
next gives the barrier. The two lower layers are fixed.
"""

from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from thalweg.optimizers import LBFGS, dneb

slab = fcc100("Al", (2, 2, 3), vacuum=10.0)
add_adsorbate(slab, "Au", 1.7, "hollow")
slab.set_constraint(FixAtoms(mask=[atom.tag > 1 for atom in slab]))
slab.calc = EMT()
LBFGS(slab, logfile=None).run(rms=1e-7)
end = slab.copy()
end.positions[-1, 0] += slab.cell[0, 0] / 2

band = dneb(slab, slab, end, climb=True, rms=1e-3)
print(f"barrier {band.barrier:.3f} eV")

# %%
# Dots are the images of the band.

band.plot()
