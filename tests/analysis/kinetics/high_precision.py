"""An independent answer for the tests: PATHSAMPLE's files read as decimals, plain Gaussian elimination in mpmath.

Nothing of Thalweg is used: rates from the formula of the reference data's README, dictionaries for rows, subtraction
as it comes, with enough bits that it does no harm.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import mpmath


class Network:
    """Rates and weights of a PATHSAMPLE folder at one temperature, in the connected component of some minima."""

    def __init__(self, folder: Path, temperature: str, bits: int = 500):
        mpmath.mp.prec = bits
        number = mpmath.mpf
        minima = [line.split() for line in (folder / "min.data").read_text().splitlines()]
        states = [line.split() for line in (folder / "ts.data").read_text().splitlines()]
        temperature = number(temperature)
        reference, product = number(minima[0][0]), number(minima[0][1])
        self.weights = [
            mpmath.exp(-(number(e) - reference) / temperature - (number(p) - product) / 2) / int(order)
            for e, p, order, *_ in minima
        ]
        self.rates: dict[int, dict] = defaultdict(lambda: defaultdict(number))
        for e, p, order, a, b, *_ in states:
            i, j = int(a) - 1, int(b) - 1
            for start, end in ((i, j), (j, i)) if i != j else ():
                energy, log_product, start_order = (
                    f(minima[start][c]) for f, c in ((number, 0), (number, 1), (int, 2))
                )
                factor = mpmath.exp((log_product - number(p)) / 2 - (number(e) - energy) / temperature)
                self.rates[start][end] += factor * start_order / int(order) / (2 * mpmath.pi)

    def component(self, state: int) -> list[int]:
        """All states joined with one."""
        seen, left = {state}, [state]
        while left:
            new = [j for j in self.rates[left.pop()] if j not in seen]
            seen.update(new)
            left += new
        return sorted(seen)

    def solve(self, states: list[int], rights: list[list]) -> list[dict]:
        """Solve K_i v_i - sum_j k_ij v_j = right_i over some states; all others have the value zero."""
        inside = set(states)
        rows = {i: {j: -k for j, k in self.rates[i].items() if j in inside} for i in states}
        for i in states:
            rows[i][i] = mpmath.fsum(self.rates[i].values())
        columns = defaultdict(set)
        for i, row in rows.items():
            for j in row:
                columns[j].add(i)
        values = {i: [right[k] for right in rights] for k, i in enumerate(states)}
        order = []
        left = set(states)
        while left:
            x = min(left, key=lambda i: len(rows[i]))
            left.discard(x)
            order.append(x)
            pivot = rows[x]
            for i in columns[x] & left:
                factor = rows[i].pop(x) / pivot[x]
                for j, value in pivot.items():
                    if j != x:
                        rows[i][j] = rows[i].get(j, 0) - factor * value
                        columns[j].add(i)
                values[i] = [a - factor * b for a, b in zip(values[i], values[x], strict=True)]
            for j in pivot:
                columns[j].discard(x)
        for x in reversed(order):
            row = rows[x]
            for k in range(len(rights)):
                known = mpmath.fsum(value * values[j][k] for j, value in row.items() if j != x)
                values[x][k] = (values[x][k] - known) / row[x]
        return [{i: values[i][k] for i in states} for k in range(len(rights))]

    def passage(self, source: list[int], target: list[int]) -> dict[str, object]:
        """Rate constant, mean and standard deviation of the passage time, all mean times."""
        states = [i for i in self.component(target[0]) if i not in set(target)]
        times = self.solve(states, [[mpmath.mpf(1)] * len(states)])[0]
        squares = self.solve(states, [[2 * times[i] for i in states]])[0]
        total = mpmath.fsum(self.weights[b] for b in source)
        p = {b: self.weights[b] / total for b in source}
        mean = mpmath.fsum(p[b] * times[b] for b in source)
        square = mpmath.fsum(p[b] * squares[b] for b in source)
        rate = mpmath.fsum(p[b] / times[b] for b in source)
        return {"times": times, "mean": mean, "std": mpmath.sqrt(square - mean**2), "rate": rate}

    def committor(self, source: list[int], target: list[int]) -> tuple[dict, object]:
        """The committor of all other states, and the steady-state rate constant."""
        ends = set(source) | set(target)
        states = [i for i in self.component(target[0]) if i not in ends]
        zero = mpmath.mpf(0)
        right = [mpmath.fsum([k for j, k in self.rates[i].items() if j in set(target)] or [zero]) for i in states]
        found = self.solve(states, [right])[0]
        total = mpmath.fsum(self.weights[b] for b in source)
        value = {**found, **dict.fromkeys(target, mpmath.mpf(1)), **dict.fromkeys(source, zero)}
        flux = [self.weights[b] * k * value[j] for b in source for j, k in self.rates[b].items()]
        return found, mpmath.fsum(flux) / total
