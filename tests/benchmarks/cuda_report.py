"""What the compiler says about every CUDA kernel, with no GPU: registers, spills, shared memory, occupancy, floor.

``python tests/benchmarks/cuda_report.py`` prints the tables of docs/gpu.md. With ``--spill`` it compiles one kernel
for as many blocks a multiprocessor as make it spill; the test of the check uses that.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numba.cuda.dispatcher
from cuda.bindings import nvjitlink
from numba import cuda
from numba.cuda import compiler

from thalweg.optimizers.cuda.eigenvector_following import CLIMB, RELAX, SEARCH_VECTORS, climb_kernel, relax_kernel
from thalweg.optimizers.cuda.lbfgs import LBFGS, VECTORS, history_size, lbfgs_kernel
from thalweg.optimizers.cuda.lowest_mode import basis_size, small_size
from thalweg.optimizers.cuda.null_modes import RIGID_MOTIONS, rigid_kernel
from thalweg.potentials.cuda.block_memory import MOST_THREADS, Plan, fitting_threads, make_plan
from thalweg.potentials.cuda.kernels import (
    GRADIENTS,
    HESSIANS,
    PRODUCTS,
    gradient_kernel,
    hessian_kernel,
    product_kernel,
)
from thalweg.potentials.ljat.cuda import ljat_gradient, ljat_product
from thalweg.potentials.neural_network.activations.kinds import GELU, LOGISTIC, SILU, TANH
from thalweg.potentials.neural_network.cuda.gradient import gradient_function
from thalweg.potentials.neural_network.cuda.hessian_vector import product_function
from thalweg.potentials.neural_network.cuda.network import DeviceNetwork
from thalweg.potentials.neural_network.losses.kinds import LOGISTIC as LOGISTIC_LOSS
from thalweg.potentials.neural_network.losses.kinds import SQUARED_ERROR

# numba compiles device functions for the device at hand: say what it would be
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(8, 0))

CAPABILITIES = ((8, 0), (9, 0), (12, 0))


class Entry(NamedTuple):
    """A kernel, its signature, and the memory of its blocks where it has a plan."""

    kernel: Callable[..., None]
    signature: tuple
    plan: Plan


def entries(
    gradient: Any, product: Any, n: int, memory: int, nulls: int, plan: Callable[..., Plan]
) -> dict[str, Entry]:
    """Return the kernels of a potential with `n` coordinates; `plan` takes whether for products, and sizes."""
    most = min(24, n)
    made = {
        "energy and gradient": (gradient_kernel, gradient, GRADIENTS, plan(False, n)),
        "Hessian times vector": (product_kernel, product, PRODUCTS, plan(True, 2 * n)),
        "Hessian": (hessian_kernel, product, HESSIANS, plan(True, 2 * n, n)),
        "LBFGS": (lbfgs_kernel, gradient, LBFGS, plan(False, n, VECTORS * n, history_size(n, memory))),
        "lowest mode and step uphill": (
            climb_kernel, product, CLIMB, plan(True, 2 * n, 2 * n, small_size(nulls, most), basis_size(n, nulls, most))
        ),
        "LBFGS across the mode": (
            relax_kernel, gradient, RELAX, plan(False, n, SEARCH_VECTORS * n, history_size(n, 20))
        ),
    }  # fmt: skip
    return {name: Entry(make(place.far, one), kind, place) for name, (make, one, kind, place) in made.items()}


def network_entries(network: DeviceNetwork) -> dict[str, Entry]:
    """Return the kernels of a network, LBFGS with a memory of as many steps as there are weights."""
    rows = {False: network.rows, True: network.product_rows}
    threads = {product: fitting_threads(rows[product], MOST_THREADS) for product in rows}
    functions = gradient_function(network, threads[False]), product_function(network, threads[True])
    n = network.weights
    return entries(*functions, n, n, 0, lambda product, *sizes: make_plan(rows[product], sizes, threads[product]))


def all_kernels() -> dict[str, Entry]:
    """Return the kernels of the table by their names."""
    mixed = DeviceNetwork((2, 4, 4, 4, 4), (LOGISTIC, GELU, SILU), LOGISTIC_LOSS, weighted=True)
    networks = {
        "[2,10,4]": network_entries(DeviceNetwork((2, 10, 4), (TANH,))),
        "[2,10,4] of gelu": network_entries(DeviceNetwork((2, 10, 4), (GELU,), SQUARED_ERROR)),
        "[2,4,4,4,4] of three activations": network_entries(mixed),
    }
    cluster = entries(ljat_gradient, ljat_product, 9, 4, 6, lambda _, *sizes: make_plan(0, sizes, 32))
    cluster["rigid motions"] = Entry(rigid_kernel(), RIGID_MOTIONS, make_plan(0, (), 32))
    groups = networks | {"cluster": cluster}
    found = {f"{name}: {what}": one for name, group in groups.items() for what, one in group.items()}
    # of other activations the two that need most registers
    return {name: one for name, one in found.items() if " of " not in name or name.endswith(("LBFGS", "uphill"))}


KERNELS = all_kernels()
# of a multiprocessor: registers, threads, blocks, and kB of shared memory for blocks
LIMITS = {(8, 0): (65536, 2048, 32, 164), (9, 0): (65536, 2048, 32, 228), (12, 0): (65536, 1536, 24, 100)}


@cache
def library(name: str, bounds: tuple[int, int]) -> Any:
    """Return a kernel as numba's compiler leaves it to NVVM, once for all compute capabilities; None if it cannot."""
    kernel, signature, _ = KERNELS[name]
    read = getattr(compiler, "_compile_pyfunc_with_fixup", None)
    if read is None:
        return None
    return read(kernel, signature, device=False, abi="numba", cc=CAPABILITIES[0], launch_bounds=bounds)[0]


def compiled(name: str, capability: tuple[int, int], bounds: tuple[int, int] | None = None) -> dict[str, int]:
    """Compile a kernel to PTX and link it to a cubin; return registers and bytes of spills."""
    bounds = bounds or KERNELS[name].plan.bounds
    read = library(name, bounds)
    if read is None:
        ptx, _ = cuda.compile_ptx(*KERNELS[name][:2], cc=capability, launch_bounds=bounds)
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


def report() -> dict[str, dict[str, dict[str, int]]]:
    """Return registers and spills of every kernel for every compute capability."""
    return {name: {f"{a}.{b}": compiled(name, (a, b)) for a, b in CAPABILITIES} for name in KERNELS}


def table(found: dict[str, dict[str, dict[str, int]]]) -> str:
    """Return the report as the table of docs/gpu.md."""
    lines = ["| kernel | threads | shared bytes | registers 8.0, 9.0, 12.0 | spills | occupancy 8.0, 9.0, 12.0 |"]
    lines.append("|---|---|---|---|---|---|")
    for name, rows in found.items():
        plan = KERNELS[name].plan
        registers = ", ".join(str(row["registers"]) for row in rows.values())
        spills = ", ".join(str(row["spills"]) for row in rows.values())
        parts = [
            f"{100 * occupancy(c, row['registers'], plan.threads, plan.shared):.0f} %"
            for c, row in zip(CAPABILITIES, rows.values(), strict=True)
        ]
        lines.append(f"| {name} | {plan.threads} | {plan.shared} | {registers} | {spills} | {', '.join(parts)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:] == ["--spill"]:
        print(json.dumps(compiled("cluster: LBFGS", (9, 0), (128, 8))))
    else:
        print(json.dumps(found := report()))
        print(table(found))
