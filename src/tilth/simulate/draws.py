"""Random draws that belong to a person, not to a chunk or a thread.

Every person (and every purpose, called a *stream*) has its own generator, started from
`(seed, stream, key)`. What is drawn for a person is therefore the same however the people are cut
into chunks, in whatever order and on however many threads. The generator is SplitMix64 (Steele,
Lea and Flood 2014): one addition and one mix a number, which is what makes a million events a
second possible. The state is a `uint64[1]` array so that compiled functions can advance it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "begin",
    "beta",
    "choose",
    "exponential",
    "gamma",
    "hashed",
    "mix",
    "normal",
    "poisson",
    "uniform",
    "uniforms",
]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_STREAM = np.uint64(0xD1B54A32D192ED03)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 1.0 / 9007199254740992.0


@njit(cache=True, nogil=True)
def mix(x: Any) -> Any:
    """A bijection of 64 bits that scatters neighbours (the finaliser of SplitMix64)."""
    z = np.uint64(x)
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@njit(cache=True, nogil=True)
def begin(state: Any, seed: Any, stream: Any, key: Any) -> None:
    """Start the generator of one key in one stream."""
    a = mix(np.uint64(seed) + _STEP * np.uint64(stream + 1))
    state[0] = mix(a ^ (np.uint64(key) * _STREAM + _STEP))


@njit(cache=True, nogil=True)
def uniform(state: Any) -> float:
    """In [0, 1)."""
    state[0] += _STEP
    return np.float64(mix(state[0]) >> _S11) * _UNIT


@njit(cache=True, nogil=True)
def exponential(state: Any) -> float:
    """Mean 1."""
    return -np.log1p(-uniform(state))


@njit(cache=True, nogil=True)
def normal(state: Any) -> float:
    """Mean 0, variance 1 (Box and Muller, one of the pair)."""
    r = np.sqrt(-2.0 * np.log1p(-uniform(state)))
    return r * np.cos(6.283185307179586 * uniform(state))


@njit(cache=True, nogil=True)
def gamma(state: Any, shape: float) -> float:
    """Scale 1, any shape > 0 (Marsaglia and Tsang 2000)."""
    boost = 1.0
    if shape < 1.0:
        boost = (1.0 - uniform(state)) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    while True:
        x = normal(state)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        u = 1.0 - uniform(state)
        if np.log(u) < 0.5 * x * x + d - d * v + d * np.log(v):
            return boost * d * v


@njit(cache=True, nogil=True)
def beta(state: Any, a: float, b: float) -> float:
    x = gamma(state, a)
    return x / (x + gamma(state, b))


@njit(cache=True, nogil=True)
def poisson(state: Any, mean: float) -> int:
    """By multiplication: for small means only (it takes `mean` steps)."""
    limit = np.exp(-mean)
    n = 0
    product = uniform(state)
    while product > limit:
        n += 1
        product *= uniform(state)
    return n


@njit(cache=True, nogil=True)
def choose(state: Any, cumulative: Any) -> int:
    """An index, by its cumulative probabilities (the last is taken as 1)."""
    u = uniform(state)
    last = cumulative.shape[0] - 1
    for i in range(last):
        if u < cumulative[i]:
            return i
    return last


def hashed(seed: int, stream: int, keys: NDArray[Any]) -> NDArray[np.uint64]:
    """One number of 64 bits for each key, vectorised."""
    with np.errstate(over="ignore"):
        first = np.uint64(seed) + _STEP * np.uint64(stream + 1)
        return _mixed(_mixed(np.array([first])) ^ (keys.astype(np.uint64) * _STREAM + _STEP))


def uniforms(seed: int, stream: int, keys: NDArray[Any]) -> NDArray[np.float64]:
    """One number in [0, 1) for each key, vectorised."""
    return (hashed(seed, stream, keys) >> _S11).astype(np.float64) * _UNIT


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    out: NDArray[np.uint64] = z ^ (z >> _S31)
    return out
