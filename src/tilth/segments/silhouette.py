"""Silhouettes: how much nearer each point is to its own group than to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["silhouettes"]

Float64 = npt.NDArray[np.float64]


def silhouettes(points: Float64, labels: npt.NDArray[Any]) -> Float64:
    """float64[n]: each point's silhouette (Rousseeuw 1987), (b - a) / max(a, b) of the mean distances to its own
    group and to the nearest other; 0 for a point alone in its group."""
    groups, of = np.unique(labels, return_inverse=True)
    squares = (points**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * points @ points.T, 0.0))
    np.fill_diagonal(distance, 0.0)
    member = (of[:, None] == np.arange(len(groups))).astype(np.float64)
    sizes = member.sum(axis=0)
    to_group = distance @ member
    at = np.arange(len(points))
    own_size = sizes[of]
    own = to_group[at, of] / np.maximum(own_size - 1, 1)
    others = to_group / sizes
    others[at, of] = np.inf
    nearest = others.min(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (nearest - own) / np.maximum(own, nearest)
    return np.where(own_size > 1, np.nan_to_num(found), 0.0)
