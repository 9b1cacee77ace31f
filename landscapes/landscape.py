"""The class `Landscape`: a store of stationary points, and the searches that make it grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, overload

from thalweg.landscapes.discoveries.found_points import Discoveries
from thalweg.landscapes.lowest_paths import LowestPath, LowestPaths, checked_pairs
from thalweg.landscapes.records import AddedMinimum, AddedSearch, Progress, Search
from thalweg.landscapes.run_options import FAILURES_IN_A_ROW, RunOptions
from thalweg.landscapes.stored_landscape import StoredLandscape
from thalweg.potentials.lazy import public

if TYPE_CHECKING:
    import numpy as np
    from ase.vibrations import VibrationsData
    from numpy.typing import ArrayLike

    from thalweg.analysis.view.landscape_page import LandscapePage
    from thalweg.landscapes.exploration.start import StrategyLike
    from thalweg.optimizers import Move
    from thalweg.potentials.neural_network.weights import TrainedModel
    from thalweg.potentials.protocols import Subject

__all__ = ["Landscape"]


@public("thalweg.landscapes")
class Landscape(StoredLandscape):
    """Landscape: the minima and transition states of a potential, in a zarr store.

    The store is made, or opened for writing if it is there; searches then resume where they ended. Added points are
    in memory until `commit`; leaving a ``with`` block commits and closes.

    Parameters
    ----------
    subject : ase.Atoms, Point or System
        System to be explored, with its calculator.
    path : path, URL or zarr store
        The store's folder; or ``"s3://bucket/name.zarr"`` and the like, or an object such as
        `zarr.storage.FsspecStore` (docs/store.md says what holds there).
    seed : int, optional
        Seed of the random numbers of all searches; 0 for a new store, an existing store's own otherwise.
    tolerances : Tolerances, optional
        Tolerances by which points are the same, and stationary; an existing store's own where not given.
    rules : Rules or mapping, optional
        Rules of the minimiser; those that suit the system, or an existing store's own, where not given.
    bounds : array_like, shape (n, 2), (2, n) or (2,), or scipy.optimize.Bounds, optional
        Lowest and highest value of each coordinate of a Point, one pair each or one for all: searches start anywhere
        inside, steps scale with them, and searches that end outside have failed. A surface may bring its own.
    permutations, inversion, substrate : optional
        Which points of atoms are the same, as for `System`: whether equal atoms may be exchanged ("bonds", "all",
        "none"), whether a mirror image is the same, and whether equal sites of a crystal's surface are. Those that
        suit the atoms, or an existing store's own, where missing.
    tasks_ahead : int, optional
        Number of tasks in flight at once, which keep a few times fewer workers busy; the points found depend on it.
        16 for a new store, an existing store's own otherwise.

    Raises
    ------
    StoreError
        If something else is at ``path``, or a store of another system or with other settings: the message names the
        differences. LockedError where another process is writing to it.

    Attributes
    ----------
    minima, transition_states, searches : Minima, TransitionStates, Searches
        Arrays by name, read when indexed.
    properties : Properties
        Quantities computed later, by name.

    Examples
    --------
    >>> import tempfile
    >>> from thalweg.landscapes import Landscape
    >>> from thalweg.potentials import MuellerBrown, Point
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr", seed=0) as landscape:
    ...         minima = landscape.find_minima(steps=20, workers=1)
    ...         states = landscape.connect(searches=20, workers=1)
    ...     landscape = Landscape.open(f"{folder}/mb.zarr")
    ...     landscape, landscape.minima.energy[:].round(2).tolist()
    (<Landscape mb.zarr: 3 minima, 2 transition states, 40 searches>, [-108.17, -80.77, -146.7])
    """

    def find_minima(
        self,
        steps: int,
        *,
        step: float | None = None,
        temperature: float | None = None,
        moves: Sequence[Move] | None = None,
        minima: int | None = None,
        workers: int | None = None,
        executor: Executor | Callable[[], Executor] | None = None,
        seconds: float | None = None,
        progress: bool | None = None,
        failures: int = FAILURES_IN_A_ROW,
    ) -> Progress:
        """Search for minima by basin-hopping: chains of random steps, minimisation and Metropolis acceptance.

        The same seed and the same calls find the same minima in the same order, on any number of workers, in one go
        or interrupted and gone on with.

        Parameters
        ----------
        steps : int
            Number of steps in this call, of all chains together.
        step : float, optional
            Longest random displacement of a coordinate, in its unit; a value that suits the system where missing. Of
            networks with two and more hidden layers: half the width of the interval of new weights.
        temperature : float, optional
            Temperature k_B T of the Metropolis criterion, in the unit of energy.
        moves : sequence of Move, optional
            Kinds of basin-hopping move, see docs/basin_hopping.md; those that suit the system where missing.
        minima : int, optional
            Stop early once the landscape has this number of minima.
        workers : int, optional
            Threads; all processors where missing. A calculator written in Python runs in the thread of the caller.
        executor : concurrent.futures.Executor or callable, optional
            Executor that runs the tasks instead, or a callable that makes one, such as ``Processes(8)``. A broken pool
            is replaced if it is a process pool, or if a callable made it.
        seconds : float, optional
            Stop early after this time, with a potential written in Python not before one search is done. Searches end
            at their next gradient, and those that have finished are kept; a later call continues as if there had been
            no stop.
        progress : bool, optional
            Whether to show a line of progress; where missing, if standard error is a terminal or in a notebook.
        failures : int
            Number of searches in a row that fail by an exception of the calculator or function, at which the run ends
            with an error; the geometry of the last is written beside the store.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C or SIGTERM; all points found have been committed.
        CalculationsFailedError
            After ``failures`` failed searches in a row. They are stored as done: a later call goes on after them.

        Warns
        -----
        RuntimeWarning
            If no quench has found a minimum: why not, and what may help.
        """
        self._check_writable()
        from thalweg.landscapes.exploration import start  # loads the compiler, for which a mere reader should not wait

        options = RunOptions(workers, executor, seconds, minima, progress, failures=failures)
        return start.find_minima(self, steps, options, step=step, temperature=temperature, moves=moves)

    def connect(
        self,
        searches: int | None = None,
        *,
        strategy: StrategyLike | None = None,
        pairs: Sequence[tuple[int, int]] | None = None,
        lower: bool = False,
        until_converged: bool = False,
        below: float | str | None = None,
        displacement: float | None = None,
        minima: int | None = None,
        workers: int | None = None,
        executor: Executor | Callable[[], Executor] | None = None,
        seconds: float | None = None,
        progress: bool | None = None,
        failures: int = FAILURES_IN_A_ROW,
    ) -> Progress:
        """Search for transition states: from each minimum in turn, and between pieces that are not joined yet.

        Parameters
        ----------
        searches : int, optional
            Number of searches in this call; may be left out with ``pairs`` or ``until_converged``.
        strategy : str or Strategy class, optional
            Strategy that chooses where to search: ``"untrap"``, or a class of your own (docs/exploring.md).
        pairs : sequence of (int, int), optional
            Pairs of minima: search where connections between them are missing, until they are joined.
        lower : bool
            Whether to look for lower paths between them once they are joined.
        until_converged : bool
            Whether to stop when nothing is likely to remain, by `Discoveries.complete`; the next call does the tasks
            in flight.
        below : float or str, optional
            Energy, or ``"+0.01"`` for 0.01 above the lowest minimum: only minima and transition states below it are
            searched from, and count for ``until_converged``.
        displacement : float, optional
            Size of the random displacement of a coordinate that a search starts with.
        minima, workers, executor, seconds, progress, failures
            As for `find_minima`, and so are the errors and the order of points that a seed gives.

        Raises
        ------
        ValueError
            If the landscape has no minima yet, or an argument makes no sense; TypeError where one is missing.
        """
        self._check_writable()
        from thalweg.landscapes.exploration import start  # as above

        options = RunOptions(workers, executor, seconds, minima, progress, failures=failures)
        return start.connect(
            self, searches, options, strategy=strategy, pairs=pairs, lower=lower, until_converged=until_converged,
            below=below, displacement=displacement,
        )  # fmt: skip

    @overload
    def add(self, point: Search) -> AddedSearch: ...
    @overload
    def add(self, point: Subject | ArrayLike | TrainedModel | Mapping[str, object]) -> AddedMinimum: ...
    def add(
        self, point: Search | Subject | ArrayLike | TrainedModel | Mapping[str, object]
    ) -> AddedSearch | AddedMinimum:
        """Add the minimum that a point of your own leads to, such as a trained model's; or the points of a search.

        The point is minimised to second order first: a trained model is never exactly at a minimum. The result says how
        far it moved. Like all points, the minimum is in memory until `commit`.

        Parameters
        ----------
        point : array_like, Weights, Point, ase.Atoms, torch.nn.Module, scikit-learn estimator, tree of JAX or Search
            Coordinates (n,), or what has them. A PyTorch module is read by a landscape of `from_torch`, and by a
            network's if it is a chain of linear layers of the same widths; a fitted MLPClassifier or MLPRegressor by
            a network's; a tree of parameters (a dictionary, or a list of arrays) by a landscape of `from_jax`. The
            points of a `Search` are added as they are: see `AddedSearch`.

        Returns
        -------
        AddedMinimum
            Row, whether it is new, how far it moved; AddedSearch for a Search.

        Raises
        ------
        RejectedError
            If no minimum is found from there: the message says why. Nothing was added.
        TypeError, ValueError
            If the point does not fit the landscape.

        Examples
        --------
        >>> import tempfile
        >>> from thalweg.landscapes import Landscape
        >>> from thalweg.potentials import NetworkLoss, Weights
        >>> loss = NetworkLoss([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], hidden=(2,), l2=1e-2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Landscape(Weights.random(loss, seed=0), f"{folder}/net.zarr") as landscape:
        ...         added = landscape.add(Weights.random(loss, seed=1))
        ...         added.new, added.moved > 1, landscape.add(landscape.minima.coordinates[0]).moved < 1e-6
        (True, True, True)
        """
        if isinstance(point, Search):
            return super().add(point)
        self._check_writable()
        from thalweg.landscapes.recording.added_points import descend  # as above

        found, before = descend(self.system, point, self.tolerances, self.rules), len(self.minima)
        row = self.add_minimum(found.minimum)
        return AddedMinimum(
            row, row >= before, found.minimum.energy, found.moved, found.energy_before, found.rms_before,
            found.moved_share,
        )  # fmt: skip

    def discoveries(self, below: float | str | None = None) -> Discoveries:
        """Return the numbers of times that points were found; ``discoveries().forecast("minima")`` estimates the rest.

        Parameters
        ----------
        below : float or str, optional
            Energy below which points count, or ``"+0.01"`` for 0.01 above the lowest minimum; all do where missing.
        """
        return Discoveries(self._store, below).update()

    def frequencies(self, kind: str, row: int) -> np.ndarray:
        """Return the vibrational frequencies of a minimum or a transition state of atoms, with their masses.

        They are read where they are stored, as those of all points are that explorations find; else they are computed,
        by two calls of the calculator for each vibration.

        Parameters
        ----------
        kind : {"minimum", "transition state"}
            Kind of the point.
        row : int
            Row of the point.

        Returns
        -------
        (k,) ndarray
            In cm^-1, ascending; imaginary ones are negative. Null modes are left out.

        Raises
        ------
        ValueError
            If it is no landscape of atoms in eV; IndexError where there is no such point.
        UntrustedError
            If they have to be computed and the calculator of the store is run only with trust.
        """
        from thalweg.landscapes.vibrations.hessians import frequencies

        return frequencies(self, kind, row)

    def vibrations(self, kind: str, row: int) -> VibrationsData:
        """Return the Hessian of a minimum or a transition state of atoms, with the atoms, as ASE's VibrationsData.

        The Hessian is in eV / angstrom**2, over the atoms that are not fixed. With a calculator without a Hessian it is
        made of differences of forces, two calls for each vibration, with the step that the measured noise of the
        calculator has chosen; null modes (translations, and rotations of a molecule) have exactly none.

        Parameters
        ----------
        kind : {"minimum", "transition state"}
            Kind of the point.
        row : int
            Row of the point.

        Returns
        -------
        ase.vibrations.VibrationsData
            Its ``get_frequencies()``, ``get_zero_point_energy()``, ``with_new_masses()`` and so on are ASE's.

        Raises
        ------
        ValueError
            If it is no landscape of atoms in eV; IndexError where there is no such point.
        UntrustedError
            If the calculator of the store is run only with trust.

        Examples
        --------
        >>> import tempfile
        >>> from ase import Atoms
        >>> from ase.calculators.emt import EMT
        >>> from thalweg.landscapes import Landscape
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pair = Atoms("Cu2", [[0, 0, 0], [2.3, 0, 0]], calculator=EMT())
        ...     with Landscape(pair, f"{folder}/cu2.zarr") as landscape:
        ...         progress = landscape.find_minima(steps=2, workers=1)
        ...         print(landscape.vibrations("minimum", 0).get_frequencies()[-1].real.round(0))
        376.0
        """
        from thalweg.landscapes.vibrations.hessians import vibrations

        return vibrations(self, kind, row)

    def lowest_path(self, a: int, b: int) -> LowestPath | None:
        """Return the lowest-barrier path between two minima; None if they are not joined."""
        checked_pairs([(a, b)], len(self.minima))
        states = self.transition_states
        return LowestPaths(len(self.minima), states.minima[:], states.energy[:], a).to(b)

    def view(self, height: int = 750) -> LandscapePage:
        """Return a page to click through the landscape, which a notebook shows; ``page.save("d1.html")`` keeps it.

        Parameters
        ----------
        height : int
            Height in the notebook, in pixels.

        Raises
        ------
        ValueError
            If there are no minima, or more than 20,000: ``thalweg view`` in a terminal shows any number.

        Examples
        --------
        >>> import tempfile
        >>> from thalweg.landscapes import Landscape
        >>> from thalweg.potentials import MuellerBrown, Point
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Landscape(Point([0.0, 0.5], MuellerBrown()), f"{folder}/mb.zarr", seed=0) as landscape:
        ...         minima = landscape.find_minima(steps=20, workers=1)
        ...     print(landscape.view())
        <LandscapePage: mb>
        """
        from thalweg.analysis.view.landscape_page import LandscapePage  # the only look from here at what comes above

        return LandscapePage(self, trust=self._trust, height=height)

    def _repr_html_(self) -> str:
        from thalweg.landscapes.notebook import landscape_html  # only notebooks need it

        return landscape_html(self)
