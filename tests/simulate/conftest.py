"""Companies that several tests look at."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from tilth.simulate import Company, Dirt, Manifest, Simulation, simulate, write_files

UNTIL = dt.date(2025, 12, 31)


@pytest.fixture(scope="session")
def company() -> Simulation:
    """Fifteen thousand people over two years, as designed."""
    simulation = simulate(15_000, 730, seed=11, until=UNTIL)
    simulation.complete()
    return simulation


@pytest.fixture(scope="session")
def rows(company: Simulation) -> np.ndarray:
    """Everything they did, person after person."""
    return np.concatenate(list(company.map_rows(lambda part: part)))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest, Simulation]:
    """A small, rather dirty company and the files it wrote."""
    folder = tmp_path_factory.mktemp("company")
    dirt = Dirt(malformed=0.01, duplicate=0.02, repeated_rows=0.02, cancelled=0.05)
    simulation = simulate(2500, 500, seed=3, until=UNTIL, company=Company(dirt=dirt))
    return folder, write_files(simulation, folder), simulation
