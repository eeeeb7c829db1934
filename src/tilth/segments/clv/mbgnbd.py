"""MBG/NBD: as BG/NBD, but people may already stop after their first purchase.

E. P. Batislam, M. Denizel, A. Filiztekin, Empirical validation and comparison of models for customer
base analysis, International Journal of Research in Marketing 24 (3), 2007; the same model as the
CBG/NBD of D. Hoppe and U. Wagner, Marketing JRM 3 (2), 2007.

Parameters: purchase rates per time unit are Gamma(shape r, rate alpha); the chance to stop after any
purchase, the first included, is Beta(a, b). P(alive) of people who bought once is therefore below 1.
"""

from __future__ import annotations

from functools import partial

from tilth.segments.clv import beta_geometric
from tilth.segments.clv.base import PurchaseModel

__all__ = ["MBGNBD"]

MBGNBD = PurchaseModel(
    name="mbgnbd",
    parameters=beta_geometric.NAMES,
    fit=partial(beta_geometric.fit, first=1),
    p_alive=partial(beta_geometric.p_alive, first=1),
    future=partial(beta_geometric.future, first=1),
)
