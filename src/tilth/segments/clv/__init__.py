"""Customer lifetime value (CLV): P(alive), expected purchases and value, one paper a file.

    from tilth.segments.clv import CLVRequest, clv
    answer = clv(history, CLVRequest(model="bgnbd", time_unit="week", calibration_end="1997-09-30"))
    answer.parameters, answer.holdout, answer.forecasts.expected_value

`summary` makes (x, tx, T) of orders; `bgnbd`, `mbgnbd` and `pareto_nbd` say how often people buy and
whether they have stopped; `gamma_gamma` what a purchase is worth; `sbg` how long subscribers stay;
`forecast` scores everybody, `predictive` gives the intervals, `holdout` checks against what happened.
May import what `tilth.segments` may; it takes arrays and gives arrays.
"""

from tilth.segments.clv.base import Estimate, PurchaseModel, Triples
from tilth.segments.clv.bgnbd import BGNBD
from tilth.segments.clv.clv import MODELS, CLVRequest, CLVResult, DistinctId, clv
from tilth.segments.clv.forecast import Forecasts, PersonForecast
from tilth.segments.clv.holdout import CalibrationRow, Holdout
from tilth.segments.clv.mbgnbd import MBGNBD
from tilth.segments.clv.pareto_nbd import PARETO_NBD
from tilth.segments.clv.sbg import SubscriptionForecast
from tilth.segments.clv.summary import Buyers, summarise

__all__ = [
    "BGNBD",
    "MBGNBD",
    "MODELS",
    "PARETO_NBD",
    "Buyers",
    "CLVRequest",
    "CLVResult",
    "CalibrationRow",
    "DistinctId",
    "Estimate",
    "Forecasts",
    "Holdout",
    "PersonForecast",
    "PurchaseModel",
    "SubscriptionForecast",
    "Triples",
    "clv",
    "summarise",
]
