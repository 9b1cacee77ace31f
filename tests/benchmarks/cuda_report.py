"""What the compiler says about every CUDA kernel, with no GPU: registers, spills, shared memory, occupancy, floor.

``python tests/benchmarks/cuda_report.py`` prints the tables of docs/gpu.md. With ``--spill`` it compiles one kernel
for as many blocks a multiprocessor as make it spill; the test of the check uses that.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from types import SimpleNamespace
from typing import Any

import numba.cuda.dispatcher
from cuda.bindings import nvjitlink
from numba import cuda
from numba.cuda import compiler

from thalweg.optimizers.cuda.eigenvector_following import CLIMB, RELAX, SEARCH_VECTORS, climb_kernel, relax_kernel
from thalweg.optimizers.cuda.lbfgs import LBFGS, VECTORS, history_size, lbfgs_kernel
from thalweg.optimizers.cuda.lowest_mode import basis_size, small_size
from thalweg.optimizers.cuda.null_modes import RIGID_MOTIONS, rigid_kernel
from thalweg.potentials.cuda.block_memory import make_plan
from thalweg.potentials.cuda.device import LAUNCH_BOUNDS
from thalweg.potentials.cuda.kernels import (
    GRADIENTS,
    HESSIANS,
    PRODUCTS,
    gradient_kernel,
    hessian_kernel,
    product_kernel,
)
from thalweg.potentials.ljat.cuda import ljat_gradient, ljat_product
from thalweg.potentials.neural_network.activations.kinds import ACTIVATIONS, GELU
from thalweg.potentials.neural_network.cuda import DeviceKind, gradient_function, loss_gradient
from thalweg.potentials.neural_network.cuda_hessian_vector import loss_product, product_function
from thalweg.potentials.neural_network.losses.kinds import LOGISTIC, SQUARED_ERROR

# numba compiles device functions for the device at hand: say what it would be
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(8, 0))

ONE = DeviceKind((GELU,), SQUARED_ERROR)
ALL = DeviceKind(tuple(ACTIVATIONS.values()), LOGISTIC, weighted=True)
CAPABILITIES = ((8, 0), (9, 0), (12, 0))
KERNELS = {
    "network: loss and gradient": (gradient_kernel(loss_gradient), GRADIENTS),
    "network: Hessian times vector": (product_kernel(loss_product), PRODUCTS),
    "network: Hessian": (hessian_kernel(loss_product), HESSIANS),
    "network: LBFGS": (lbfgs_kernel(loss_gradient), LBFGS),
    "network: lowest mode and step uphill": (climb_kernel(loss_product), CLIMB),
    "network: LBFGS across the mode": (relax_kernel(loss_gradient), RELAX),
    "network of gelu: loss and gradient": (gradient_kernel(gradient_function(ONE)), GRADIENTS),
    "network of gelu: Hessian times vector": (product_kernel(product_function(ONE)), PRODUCTS),
    "network of gelu: LBFGS": (lbfgs_kernel(gradient_function(ONE)), LBFGS),
    "network of gelu: lowest mode and step uphill": (climb_kernel(product_function(ONE)), CLIMB),
    "network of all activations: LBFGS": (lbfgs_kernel(gradient_function(ALL)), LBFGS),
    "network of all activations: lowest mode and step uphill": (climb_kernel(product_function(ALL)), CLIMB),
    "network of all activations: LBFGS across the mode": (relax_kernel(gradient_function(ALL)), RELAX),
    "cluster: energy and gradient": (gradient_kernel(ljat_gradient), GRADIENTS),
    "cluster: Hessian times vector": (product_kernel(ljat_product), PRODUCTS),
    "cluster: LBFGS": (lbfgs_kernel(ljat_gradient), LBFGS),
    "cluster: lowest mode and step uphill": (climb_kernel(ljat_product), CLIMB),
    "cluster: LBFGS across the mode": (relax_kernel(ljat_gradient), RELAX),
    "cluster: rigid motions": (rigid_kernel(), RIGID_MOTIONS),
}
# of a multiprocessor: registers, threads, blocks, and kB of shared memory for blocks
LIMITS = {(8, 0): (65536, 2048, 32, 164), (9, 0): (65536, 2048, 32, 228), (12, 0): (65536, 1536, 24, 100)}


@cache
def library(name: str, bounds: tuple[int, int]) -> Any:
    """Return a kernel as numba's compiler leaves it to NVVM, once for all compute capabilities; None if it cannot."""
    kernel, signature = KERNELS[name]
    read = getattr(compiler, "_compile_pyfunc_with_fixup", None)
    if read is None:
        return None
    return read(kernel, signature, device=False, abi="numba", cc=CAPABILITIES[0], launch_bounds=bounds)[0]


def compiled(name: str, capability: tuple[int, int], bounds: tuple[int, int] = LAUNCH_BOUNDS) -> dict[str, int]:
    """Compile a kernel to PTX and link it to a cubin; return registers and bytes of spills."""
    read = library(name, bounds)
    if read is None:
        ptx, _ = cuda.compile_ptx(*KERNELS[name], cc=capability, launch_bounds=bounds)
    else:
        ptx = read.get_asm_str(cc=capability)
    handle = nvjitlink.create(3, [f"-arch=sm_{capability[0]}{capability[1]}", "-verbose", "-O3"])
    data = ptx.encode()
    nvjitlink.add_data(handle, nvjitlink.InputType.PTX, data, len(data), "kernel")
    nvjitlink.complete(handle)
    log = bytearray(nvjitlink.get_info_log_size(handle))
    nvjitlink.get_info_log(handle, log)
    assert nvjitlink.get_linked_cubin_size(handle) > 0
    nvjitlink.destroy(handle)
    text = log.decode().lower()
    spills = re.findall(r"(\d+) bytes spill (?:stores|loads)", text)
    return {"registers": int(re.findall(r"used (\d+) registers", text)[-1]), "spills": sum(map(int, spills))}


def occupancy(capability: tuple[int, int], registers: int, threads: int, shared: int) -> float:
    """Return which part of the threads of a multiprocessor is resident."""
    all_registers, all_threads, blocks, kilobytes = LIMITS[capability]
    by_registers = all_registers // (-(-registers // 8) * 8 * threads)
    by_memory = kilobytes * 1024 // (shared + 1024)
    return threads * min(blocks, all_threads // threads, by_registers, by_memory) / all_threads


def memory(name: str) -> tuple[int, int]:
    """Return threads and shared bytes of a block: for [2,10,4], memory 74, or for 3 atoms, memory 4.

    In a search for a transition state 24 products a mode and 20 steps across it.
    """
    n, rows, product_rows, threads, pairs = (74, 26, 50, 128, 74) if "network" in name else (9, 0, 0, 32, 4)
    if "network of" in name:  # the slopes of 10 hidden units, and their second derivatives
        rows, product_rows = rows + 10, product_rows + 20
    most, nulls = min(24, n), 0 if "network" in name else 6
    if "rigid" in name:
        return 32, 8 * 12
    if "uphill" in name:
        plan = make_plan(product_rows, (2 * n, 2 * n, small_size(nulls, most), basis_size(n, nulls, most)), threads)
    elif "across" in name:
        plan = make_plan(rows, (n, SEARCH_VECTORS * n, history_size(n, 20)), threads)
    elif "LBFGS" in name:
        plan = make_plan(rows, (n, VECTORS * n, history_size(n, pairs)), threads)
    else:
        plan = make_plan(rows if "gradient" in name else product_rows, (2 * n, n), threads)
    return plan.threads, plan.shared


def report() -> dict[str, dict[str, dict[str, int]]]:
    """Return registers and spills of every kernel for every compute capability."""
    return {name: {f"{a}.{b}": compiled(name, (a, b)) for a, b in CAPABILITIES} for name in KERNELS}


def table(found: dict[str, dict[str, dict[str, int]]]) -> str:
    """Return the report as the table of docs/gpu.md."""
    lines = ["| kernel | threads | shared bytes | registers 8.0, 9.0, 12.0 | spills | occupancy 8.0, 9.0, 12.0 |"]
    lines.append("|---|---|---|---|---|---|")
    for name, rows in found.items():
        threads, shared = memory(name)
        registers = ", ".join(str(row["registers"]) for row in rows.values())
        spills = ", ".join(str(row["spills"]) for row in rows.values())
        parts = [
            f"{100 * occupancy(c, row['registers'], threads, shared):.0f} %"
            for c, row in zip(CAPABILITIES, rows.values(), strict=True)
        ]
        lines.append(f"| {name} | {threads} | {shared} | {registers} | {spills} | {', '.join(parts)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:] == ["--spill"]:
        print(json.dumps(compiled("cluster: LBFGS", (9, 0), (128, 8))))
    else:
        print(json.dumps(found := report()))
        print(table(found))
