"""BG/NBD: people buy at their own steady pace and may stop for good after any repeat purchase.

P. S. Fader, B. G. S. Hardie, K. L. Lee, “Counting Your Customers” the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24 (2), 2005. On the CDNOW sample of the paper, calibrated over
39 weeks, the estimates are r = 0.243, alpha = 4.414, a = 0.793, b = 2.426, log-likelihood -9582.4.

Parameters: purchase rates per time unit are Gamma(shape r, rate alpha); the chance to stop after a
repeat purchase is Beta(a, b). Somebody who never came back has not had the chance to stop, so their
P(alive) is 1; where that is unreasonable use MBG/NBD.
"""

from __future__ import annotations

from functools import partial

from tilth.segments.clv import beta_geometric
from tilth.segments.clv.base import PurchaseModel

__all__ = ["BGNBD"]

BGNBD = PurchaseModel(
    name="bgnbd",
    parameters=beta_geometric.NAMES,
    fit=partial(beta_geometric.fit, first=0),
    p_alive=partial(beta_geometric.p_alive, first=0),
    future=partial(beta_geometric.future, first=0),
)
