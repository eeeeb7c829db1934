"""Are people inside a layer alike (homogeneity), and the layers different (heterogeneity)?

Measured on what a layering is meant to sort by: how lately, how often and how much each buyer
bought, on log scales of one standard deviation. People without a purchase are left out: that they
differ from buyers is no merit of a layering.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.segments.blocks import Blocks, Interval, interval, resample
from tilth.segments.features import FEATURES, log_features
from tilth.segments.silhouette import silhouettes
from tilth.segments.standing import Standing
from tilth.segments.words import Text

__all__ = ["FeatureShare", "Heterogeneity", "Homogeneity", "likeness"]

Float64 = npt.NDArray[np.float64]
_MEASURED = ("recency", "frequency", "revenue")
_DRAWS, _SILHOUETTE_SAMPLE = 400, 1_500


class FeatureShare(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one feature's variance the layers explain (eta squared, 0..1)."""

    feature: str
    name: Text
    eta2: float


class Homogeneity(msgspec.Struct, frozen=True, kw_only=True):
    """r2: share of variance explained by the layers, adjusted for their number (0: none, 1: all).
    silhouette: mean silhouette of a sample of 1,500 buyers (-1..1)."""

    r2: Interval | None
    silhouette: Interval | None


class Heterogeneity(msgspec.Struct, frozen=True, kw_only=True):
    """value: distance of the two nearest layers' centers, in standard deviations within layers; `closest` names
    them. features: which of the measures the layers tell apart."""

    value: float
    low: float
    high: float
    closest: list[str]
    features: list[FeatureShare]


def likeness(
    standing: Standing, codes: npt.NDArray[np.int16], keys: list[str]
) -> tuple[Homogeneity, Heterogeneity | None]:
    """Both measures for the buyers of a standing, with bootstrap intervals."""
    rows = np.flatnonzero(standing.buyers)
    present, of = np.unique(codes[rows], return_inverse=True)
    k = len(present)
    if len(rows) < 3 or k < 2:
        return Homogeneity(r2=None, silhouette=None), None
    points = log_features(standing.take(rows), _MEASURED)
    spread = points.std(axis=0)
    vary = spread > 1e-9
    if not vary.any():
        return Homogeneity(r2=None, silhouette=None), None
    points = ((points - points.mean(axis=0)) / np.where(vary, spread, 1.0))[:, vary]
    names = [f for f, v in zip(_MEASURED, vary, strict=True) if v]
    sums = _Sums.of(points, of, k)
    weights = resample(sums.blocks, _DRAWS)
    whole = _explained(sums, np.ones((1, sums.blocks)))
    drawn = _explained(sums, weights)
    homogeneity = Homogeneity(r2=interval(float(whole.r2[0]), drawn.r2), silhouette=_silhouette(points, of))
    apart = interval(float(whole.nearest[0]), drawn.nearest)
    if apart is None:
        return homogeneity, None
    pair = [keys[present[i]] for i in whole.pair]
    heterogeneity = Heterogeneity(
        value=apart.value,
        low=apart.low,
        high=apart.high,
        closest=pair,
        features=[
            FeatureShare(feature=name, name=FEATURES[name][0], eta2=float(share))
            for name, share in zip(names, whole.eta2[0], strict=True)
        ],
    )
    return homogeneity, heterogeneity


class _Sums(msgspec.Struct, frozen=True):
    """Per block and layer: people [b, k], sums [b, k, d], and squares [b, d] of the features."""

    blocks: int
    people: Any
    first: Any
    squares: Any

    @classmethod
    def of(cls, points: Float64, codes: npt.NDArray[np.int64], k: int) -> _Sums:
        blocks = Blocks(len(points))
        first = np.stack([blocks.sums(codes, k, points[:, f]) for f in range(points.shape[1])], axis=2)
        zero = np.zeros(len(points), np.int64)
        squares = np.concatenate([blocks.sums(zero, 1, points[:, f] ** 2) for f in range(points.shape[1])], axis=1)
        return cls(blocks.count, blocks.sums(codes, k), first, squares)


class _Explained(msgspec.Struct, frozen=True):
    """Per draw: r2, eta2 [draws, d], nearest (distance of the two nearest layers); pair: those of the first draw."""

    r2: Any
    eta2: Any
    nearest: Any
    pair: tuple[int, int]


def _explained(sums: _Sums, weights: Float64) -> _Explained:
    people = weights @ sums.people
    first = np.einsum("wb,bkd->wkd", weights, sums.first)
    squares = weights @ sums.squares
    n = people.sum(axis=1)
    full = np.maximum(people, 1)[:, :, None]
    total = squares - first.sum(axis=1) ** 2 / n[:, None]
    between = (first**2 / full).sum(axis=1) - first.sum(axis=1) ** 2 / n[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        used = (people > 0).sum(axis=1)
        plain = between.sum(axis=1) / total.sum(axis=1)
        r2 = 1 - (1 - plain) * (n - 1) / np.maximum(n - used, 1)
        eta2 = np.clip(between / np.where(total > 0, total, np.nan), 0, 1)
        within = np.sqrt(np.maximum((total - between) / np.maximum(n - used, 1)[:, None], 1e-12))
        centers = first / full / within[:, None, :]
        distance = np.sqrt(((centers[:, :, None, :] - centers[:, None, :, :]) ** 2).sum(axis=3) / centers.shape[2])
    k = people.shape[1]
    distance[:, np.arange(k), np.arange(k)] = np.inf
    empty = people == 0
    distance[np.broadcast_to(empty[:, :, None] | empty[:, None, :], distance.shape)] = np.inf
    flat = distance.reshape(len(weights), -1)
    low, high = divmod(int(flat[0].argmin()), k)
    return _Explained(np.maximum(r2, 0.0), np.nan_to_num(eta2), flat.min(axis=1), (low, high))


def _silhouette(points: Float64, codes: npt.NDArray[np.int64]) -> Interval | None:
    random = np.random.default_rng(3)
    rows = random.permutation(len(points))[:_SILHOUETTE_SAMPLE]
    labels = codes[rows]
    used = len(np.unique(labels))
    if not 2 <= used < len(rows):
        return None
    values = silhouettes(points[rows], labels)
    drawn = values[random.integers(0, len(values), (_DRAWS, len(values)))].mean(axis=1)
    return interval(float(values.mean()), drawn)
