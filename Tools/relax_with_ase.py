#!/usr/bin/python3
"""Relaxes structures with the optimisers of ASE and a potential of polymorph.

usage: relax_with_ase.py BENCHMARKS POT STARTS [LIMIT]

`BENCHMARKS serve POT` computes at the end of a pipe (see its --help for the protocol), so ASE and
polymorph see the very same potential. STARTS is read by ase.io. A relaxation ends where polymorph's
does: no force above 0.02 eV/A and no component of the stress above 0.4 GPa. LIMIT is the largest
number of evaluations of one relaxation, 1000 where it is left out. Optimisers and cell filters keep
the parameters that ASE gives them.

Prints one line per method and start: the method, the number of the start from 0, evaluations, 1 where
it converged or 0, and the last energy in eV.
"""

import os
import subprocess
import sys
import warnings

# Matrices are small: threads of BLAS would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import ase.io
import numpy as np
from ase.calculators.calculator import Calculator, CalculatorError, all_changes
from ase.constraints import ExpCellFilter, UnitCellFilter
from ase.optimize import BFGS, FIRE, LBFGS
from ase.units import GPa

LARGEST_FORCE = 0.02
LARGEST_STRESS = 0.4 * GPa


class LimitReached(Exception):
    """A relaxation has used up its evaluations."""


class PipeCalculator(Calculator):
    """Energies, forces and stresses from `Benchmarks serve`."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, server, limit):
        super().__init__()
        self.server = server
        self.limit = limit
        self.evaluations = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.evaluations == self.limit:
            raise LimitReached
        self.evaluations += 1
        words = [str(len(atoms))] + [repr(float(x)) for x in atoms.cell.array.ravel()]
        for symbol, position in zip(atoms.get_chemical_symbols(), atoms.positions):
            words += [symbol] + [repr(float(x)) for x in position]
        self.server.stdin.write(" ".join(words) + "\n")
        self.server.stdin.flush()
        answer = self.server.stdout.readline()
        if not answer or answer.startswith("error"):
            raise CalculatorError(answer.strip() or "the potential has gone")
        numbers = np.array([float(word) for word in answer.split()])
        count = 3 * len(atoms)
        self.results = {
            "energy": numbers[0],
            "free_energy": numbers[0],
            "forces": numbers[1 : 1 + count].reshape(-1, 3),
            "stress": numbers[1 + count :],
        }


def has_converged(atoms):
    """Polymorph's criterion, on the atoms rather than on what a filter makes of them."""
    force = np.sqrt((atoms.get_forces() ** 2).sum(axis=1).max())
    return force <= LARGEST_FORCE and np.abs(atoms.get_stress()).max() <= LARGEST_STRESS


# FIRE with ExpCellFilter is left out: it takes several times as many evaluations as all others.
METHODS = [
    (f"{optimiser.__name__}+{cell.__name__}", optimiser, cell)
    for cell in (UnitCellFilter, ExpCellFilter)
    for optimiser in (FIRE, BFGS, LBFGS)
    if (optimiser, cell) != (FIRE, ExpCellFilter)
]


def relax(start, server, optimiser, cell, limit):
    """Relaxes one structure: evaluations, whether it converged, the last energy."""
    atoms = start.copy()
    atoms.calc = PipeCalculator(server, limit)
    try:
        dynamics = optimiser(cell(atoms), logfile=None)
        dynamics.converged = lambda *ignored: has_converged(atoms)
        dynamics.run(fmax=1e-12, steps=limit)
        done = has_converged(atoms)
    except LimitReached:
        done = False
    except (CalculatorError, RuntimeError, ValueError, ArithmeticError, np.linalg.LinAlgError):
        # The optimiser has lost its way: cells or positions without meaning.
        done = False
    energy = atoms.calc.results.get("energy", float("inf"))
    return atoms.calc.evaluations, done, energy


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    warnings.filterwarnings("ignore")
    starts = ase.io.read(sys.argv[3], index=":")
    limit = int(sys.argv[4]) if len(sys.argv) == 5 else 1000
    with subprocess.Popen(
        [sys.argv[1], "serve", sys.argv[2]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        for name, optimiser, cell in METHODS:
            for number, start in enumerate(starts):
                evaluations, done, energy = relax(start, server, optimiser, cell, limit)
                print(name, number, evaluations, int(done), repr(float(energy)), flush=True)
        server.stdin.close()
        server.stdout.read()


if __name__ == "__main__":
    main()
