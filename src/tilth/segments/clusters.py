"""Clusters: groups the numbers themselves fall into, by k-means or a Gaussian mixture.

Features are logarithms (money and counts span orders of magnitude), clipped at the outer half per
cent and scaled to one standard deviation. The number of clusters is chosen by the silhouette
(k-means) or BIC (mixture) on a sample unless given. A cluster is named by what sets it apart most
from the average buyer, and clusters are numbered by revenue per person.
"""

# ruff: noqa: E501 - sentences in two languages, a line each

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from tilth.errors import InvalidInput
from tilth.segments.features import FEATURES, log_features
from tilth.segments.layering import NO_PURCHASE, Assignment, Kind, LayerName
from tilth.segments.silhouette import silhouettes
from tilth.segments.standing import Standing
from tilth.segments.words import Notice, Text

__all__ = ["KIND", "ClusterModel", "ClusterParameters", "assign"]

Float64 = npt.NDArray[np.float64]
_FIT_SAMPLE, _SILHOUETTE_SAMPLE = 10_000, 1_000
_FEWEST = 10  # people with different numbers, under which grouping them says nothing


class ClusterParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """method: `kmeans` or `mixture`. k: how many clusters; 0 chooses between 3 and 8. features: which numbers
    of a buyer count (see `features.FEATURES`); the default ones say how somebody buys, not how long ago, which the
    other kinds tell already. seed: fixed, so the same data give the same clusters."""

    method: Literal["kmeans", "mixture"] = "kmeans"
    k: int = 0
    features: tuple[str, ...] = ("frequency", "order_value", "pace")
    seed: int = 1


class ClusterModel(msgspec.Struct, frozen=True, kw_only=True):
    """How a person is put in a cluster. features: those that vary; low, high: clipping; center, scale: per
    feature; means: a row a cluster, scaled. For a mixture also variances (a row a cluster) and log_weights."""

    features: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    means: tuple[tuple[float, ...], ...]
    variances: tuple[tuple[float, ...], ...] = ()
    log_weights: tuple[float, ...] = ()


def assign(standing: Standing, parameters: ClusterParameters, model: ClusterModel | None = None) -> Assignment:
    """Everyone's cluster; people without a purchase are a layer of their own."""
    _check(parameters)
    buyers = standing.take(np.flatnonzero(standing.buyers))
    notices: list[Notice] = []
    if model is None:
        model = _fit(buyers, parameters)
        if len(model.means) == 1 and len(buyers):
            text = Text("购买者太少或几乎相同，分不出群，全部放在一层。", "The buyers are too few or too alike to be grouped; they are one layer.")  # fmt: skip
            notices.append(Notice(key="not_clustered", severity="warning", text=text))
    layers = [*_layers(model), NO_PURCHASE]
    codes = np.full(len(standing), len(layers) - 1, np.int16)
    codes[standing.buyers] = _nearest(_scaled(buyers, model), model)
    return Assignment(codes=codes, layers=layers, model=model, dimensions=len(parameters.features), notices=notices)


def _refit(standing: Standing, parameters: ClusterParameters, model: ClusterModel) -> Assignment:
    return assign(standing, msgspec.structs.replace(parameters, k=max(len(model.means), 2)))


def _check(parameters: ClusterParameters) -> None:
    unknown = [f for f in parameters.features if f not in FEATURES]
    if unknown or not parameters.features:
        reason = f"{unknown[0]!r} is not a feature" if unknown else "name at least one feature"
        raise InvalidInput("parameters.features", reason, list(FEATURES))
    if len(set(parameters.features)) != len(parameters.features):
        raise InvalidInput("parameters.features", "name each feature once")
    if parameters.k != 0 and not 2 <= parameters.k <= 20:
        raise InvalidInput("parameters.k", "must be 0 (choose) or between 2 and 20")


def _fit(buyers: Standing, parameters: ClusterParameters) -> ClusterModel:
    raw = log_features(buyers, parameters.features)
    if len(raw) == 0:
        return _one_cluster(parameters.features)
    random = np.random.default_rng(parameters.seed)
    rows = np.sort(random.choice(len(raw), _FIT_SAMPLE, replace=False)) if len(raw) > _FIT_SAMPLE else slice(None)
    sample = raw[rows]
    low, high = np.quantile(sample, (0.005, 0.995), axis=0)
    clipped = np.clip(sample, low, high)
    scale = clipped.std(axis=0)
    vary = scale > 1e-9
    if not vary.any():
        return _one_cluster(parameters.features)
    center = clipped.mean(axis=0)
    points = ((clipped - center) / np.where(vary, scale, 1.0))[:, vary]
    distinct = len(np.unique(points, axis=0))
    if distinct < max(_FEWEST, parameters.k):
        return _one_cluster(parameters.features)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # Ten thousand points are too few for several threads, which on a busy machine only wait for each other.
    with threadpool_limits(1):
        kmeans = parameters.method == "kmeans"
        means, variances, weights = _kmeans(points, parameters, distinct) if kmeans else _mixture(points, parameters)
    order = _by_revenue(points, buyers.revenue[rows], means, variances, weights)
    names = tuple(f for f, v in zip(parameters.features, vary, strict=True) if v)
    return ClusterModel(
        features=names,
        low=tuple(low[vary].tolist()),
        high=tuple(high[vary].tolist()),
        center=tuple(center[vary].tolist()),
        scale=tuple(scale[vary].tolist()),
        means=_rows(means[order]),
        variances=_rows(variances[order]) if len(variances) else (),
        log_weights=tuple(weights[order].tolist()) if len(weights) else (),
    )


def _one_cluster(features: tuple[str, ...]) -> ClusterModel:
    zero = tuple(0.0 for _ in features)
    return ClusterModel(
        features=features, low=zero, high=zero, center=zero, scale=tuple(1.0 for _ in features), means=(zero,)
    )


def _kmeans(points: Float64, parameters: ClusterParameters, distinct: int) -> tuple[Float64, Float64, Float64]:
    # Heavy to import, and needed for clusters alone.
    from sklearn.cluster import KMeans

    none = np.empty((0, points.shape[1]))

    def fit(k: int, starts: int) -> Any:
        return KMeans(n_clusters=k, n_init=starts, random_state=parameters.seed).fit(points)

    if parameters.k:
        return fit(parameters.k, 4).cluster_centers_, none, np.empty(0)
    some = np.random.default_rng(parameters.seed).permutation(len(points))[:_SILHOUETTE_SAMPLE]
    best: tuple[float, Any] | None = None
    for k in range(3, min(8, distinct - 1) + 1):
        model = fit(k, 2)
        labels = model.labels_[some]
        if len(np.unique(labels)) < 2:
            continue
        score = float(silhouettes(points[some], labels).mean())
        if best is None or score > best[0]:
            best = (score, model)
    chosen = best[1] if best is not None else fit(2, 2)
    return chosen.cluster_centers_, none, np.empty(0)


def _mixture(points: Float64, parameters: ClusterParameters) -> tuple[Float64, Float64, Float64]:
    from sklearn.mixture import GaussianMixture

    def fit(k: int) -> Any:
        # Days and orders are whole numbers: without a floor a component shrinks onto one value.
        return GaussianMixture(
            k, covariance_type="diag", reg_covar=0.02, random_state=parameters.seed, max_iter=200
        ).fit(points)

    sizes = [parameters.k] if parameters.k else range(3, 9)
    chosen = min((fit(k) for k in sizes if k < len(points)), key=lambda m: float(m.bic(points)))
    return chosen.means_, chosen.covariances_, np.log(chosen.weights_)


def _rows(matrix: Float64) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())


def _by_revenue(
    points: Float64, revenue: npt.NDArray[np.int64], means: Float64, variances: Float64, weights: Float64
) -> npt.NDArray[np.int64]:
    codes = _closest(points, means, variances, weights)
    people = np.bincount(codes, minlength=len(means))
    each = np.bincount(codes, revenue, len(means)) / np.maximum(people, 1)
    return np.argsort(-each, kind="stable")


def _scaled(buyers: Standing, model: ClusterModel) -> Float64:
    raw = log_features(buyers, model.features)
    points: Float64 = (np.clip(raw, model.low, model.high) - np.array(model.center)) / np.array(model.scale)
    return points


def _nearest(points: Float64, model: ClusterModel) -> npt.NDArray[np.int16]:
    variances, weights = np.array(model.variances), np.array(model.log_weights)
    return _closest(points, np.array(model.means), variances, weights).astype(np.int16)


def _closest(points: Float64, means: Float64, variances: Float64, weights: Float64) -> npt.NDArray[np.int64]:
    """The nearest mean, or the likeliest component where there are variances; a column of scores at a time."""
    if len(points) == 0:
        return np.empty(0, np.int64)
    best = np.full(len(points), np.inf)
    codes = np.zeros(len(points), np.int64)
    for i, mean in enumerate(means):
        if len(variances):
            cost = ((points - mean) ** 2 / variances[i]).sum(axis=1) + np.log(variances[i]).sum() - 2 * weights[i]
        else:
            cost = ((points - mean) ** 2).sum(axis=1)
        nearer = cost < best
        best[nearer], codes[nearer] = cost[nearer], i
    return codes


def _layers(model: ClusterModel) -> list[LayerName]:
    """A name from the features that set the cluster apart most, with as many as it takes to be the only one."""
    means = np.array(model.means)
    if len(means) == 1:
        return [
            LayerName(
                key="c1", name=Text("全部购买者", "All buyers"), rule=Text("有购买的所有人", "everyone with a purchase")
            )
        ]
    ranked = [np.argsort(-np.abs(mean), kind="stable") for mean in means]

    def words(cluster: int, depth: int) -> tuple[Text, ...]:
        told = [f for f in ranked[cluster][:depth] if abs(means[cluster][f]) >= 0.35 or depth > 2]
        told = told or list(ranked[cluster][:1])
        return tuple(FEATURES[model.features[f]][1 if means[cluster][f] > 0 else 2] for f in told)

    labels = []
    for cluster in range(len(means)):
        depth = 2
        while depth < len(model.features) and any(
            words(cluster, depth) == words(other, depth) for other in range(len(means)) if other != cluster
        ):
            depth += 1
        labels.append(words(cluster, depth))
    layers = []
    for cluster, label in enumerate(labels):
        twin = sum(1 for other in labels[:cluster] if other == label)
        number = f" {twin + 1}" if labels.count(label) > 1 else ""
        zh, en = "·".join(t.zh for t in label), ", ".join(t.en for t in label)
        details_zh, details_en = _details(model, means[cluster])
        layers.append(
            LayerName(
                key=f"c{cluster + 1}",
                name=Text(zh + number, en[:1].upper() + en[1:] + number),
                rule=Text(f"最接近这一群的中心：{details_zh}", f"nearest to this group's center: {details_en}"),
            )
        )
    return layers


def _details(model: ClusterModel, mean: Float64) -> tuple[str, str]:
    zh = "，".join(f"{FEATURES[f][0].zh} {z:+.1f}σ" for f, z in zip(model.features, mean, strict=True))
    en = ", ".join(f"{FEATURES[f][0].en} {z:+.1f} sd" for f, z in zip(model.features, mean, strict=True))
    return zh, en


KIND = Kind(
    key="clusters",
    name=Text("聚类分层", "Clusters"),
    about=Text("让数据自己分群（k-means 或高斯混合），群数自动选择。", "Groups the data fall into by themselves; their number is chosen."),
    parameters=ClusterParameters,
    about_parameters={
        "method": Text("kmeans 或 mixture（高斯混合）", "kmeans or mixture (Gaussian)"),
        "k": Text("群数；0 为自动选择", "number of clusters; 0 chooses"),
        "features": Text("用哪些特征", "which numbers of a buyer count"),
        "seed": Text("随机种子", "random seed"),
    },
    assign=assign,
    refit=_refit,
    needs=frozenset({"activity"}),
    model=ClusterModel,
)  # fmt: skip
