"""What the compiler says about every CUDA kernel, with no GPU: registers, spills, shared memory, occupancy, floor.

``python tests/benchmarks/cuda_report.py`` prints the tables of docs/gpu.md. With ``--spill`` it compiles one kernel
for as many blocks a multiprocessor as make it spill; the test of the check uses that.
"""

from __future__ import annotations

import json
import re
import sys
from types import SimpleNamespace

import numba.cuda.dispatcher
from cuda.bindings import nvjitlink
from numba import cuda

from thalweg.optimizers.cuda_lbfgs import LBFGS, VECTORS, history_size, lbfgs_kernel
from thalweg.potentials.cuda_device import LAUNCH_BOUNDS
from thalweg.potentials.cuda_kernels import (
    GRADIENTS,
    HESSIANS,
    PRODUCTS,
    gradient_kernel,
    hessian_kernel,
    product_kernel,
)
from thalweg.potentials.cuda_ljat import ljat_gradient, ljat_product
from thalweg.potentials.cuda_network import loss_gradient
from thalweg.potentials.cuda_network_products import loss_product
from thalweg.potentials.cuda_plan import make_plan

# numba compiles device functions for the device at hand: say what it would be
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(8, 0))

CAPABILITIES = ((8, 0), (9, 0), (12, 0))
KERNELS = {
    "network: loss and gradient": (gradient_kernel(loss_gradient), GRADIENTS),
    "network: Hessian times vector": (product_kernel(loss_product), PRODUCTS),
    "network: Hessian": (hessian_kernel(loss_product), HESSIANS),
    "network: LBFGS": (lbfgs_kernel(loss_gradient), LBFGS),
    "cluster: energy and gradient": (gradient_kernel(ljat_gradient), GRADIENTS),
    "cluster: Hessian times vector": (product_kernel(ljat_product), PRODUCTS),
    "cluster: LBFGS": (lbfgs_kernel(ljat_gradient), LBFGS),
}
# of a multiprocessor: registers, threads, blocks, and kB of shared memory for blocks
LIMITS = {(8, 0): (65536, 2048, 32, 164), (9, 0): (65536, 2048, 32, 228), (12, 0): (65536, 1536, 24, 100)}


def compiled(name: str, capability: tuple[int, int], bounds: tuple[int, int] = LAUNCH_BOUNDS) -> dict[str, int]:
    """Compile a kernel to PTX and link it to a cubin; return registers and bytes of spills."""
    kernel, signature = KERNELS[name]
    ptx, _ = cuda.compile_ptx(kernel, signature, cc=capability, launch_bounds=bounds)
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
    """Return threads and shared bytes of a block: for [2,10,4], memory 74, or for 3 atoms, memory 4."""
    n, rows, product_rows, threads, pairs = (74, 26, 50, 128, 74) if "network" in name else (9, 0, 0, 32, 4)
    if "LBFGS" in name:
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
