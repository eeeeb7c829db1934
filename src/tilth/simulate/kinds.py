"""The kinds of people there are: the planted structure that a layering is to find again.

Within a kind, purchase rates are gamma, dropout beta and order values gamma-gamma distributed, so
the BG/NBD and Gamma-Gamma models hold exactly (Fader, Hardie and Lee 2005).
"""

from __future__ import annotations

import msgspec

__all__ = ["KINDS", "RING", "KindOfPerson"]


class KindOfPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of customer.

    rate_shape, rate_mean: gamma of orders per week after the first, while active (r, and r / alpha).
    drop_a, drop_b: beta of the probability of leaving after each further order. value_mean: mean
    order in fen before rounding to packs; value_shape (p): of the orders of one person around the
    person's mean; value_spread (q): of the persons' means (inverse gamma). lines: mean extra lines
    an order. coupon, price_sensitivity, refund: means. triggers: weights of decision triggers.
    needs: weights of the five needs. axes: centre of taste. rhythm: row of `calendar.RHYTHMS`.
    inviting: chance of being one who invites. interest: days a person who never orders keeps looking.
    """

    name: str
    chinese: str
    rate_shape: float
    rate_mean: float
    drop_a: float
    drop_b: float
    value_mean: float
    value_shape: float
    value_spread: float
    lines: float
    coupon: float
    price_sensitivity: float
    refund: float
    triggers: tuple[float, float, float, float, float]
    needs: tuple[float, float, float, float, float]
    axes: tuple[float, float, float]
    rhythm: int
    inviting: float
    interest: float

    @property
    def alpha(self) -> float:
        """BG/NBD alpha, in weeks."""
        return self.rate_shape / self.rate_mean


KINDS = (
    KindOfPerson(
        name="casual",
        chinese="随缘客",
        rate_shape=1.2,
        rate_mean=0.013,
        drop_a=1.8,
        drop_b=6.2,
        value_mean=8200,
        value_shape=6.0,
        value_spread=12.0,
        lines=0.6,
        coupon=0.35,
        price_sensitivity=0.45,
        refund=0.03,
        triggers=(0.30, 0.30, 0.08, 0.12, 0.20),
        needs=(0.30, 0.10, 0.12, 0.26, 0.22),
        axes=(0.1, 0.0, -0.2),
        rhythm=0,
        inviting=0.16,
        interest=24,
    ),
    KindOfPerson(
        name="regular",
        chinese="日常茶客",
        rate_shape=6.0,
        rate_mean=0.27,
        drop_a=1.4,
        drop_b=22.6,
        value_mean=13200,
        value_shape=8.0,
        value_spread=14.0,
        lines=1.1,
        coupon=0.25,
        price_sensitivity=0.25,
        refund=0.015,
        triggers=(0.12, 0.24, 0.04, 0.46, 0.14),
        needs=(0.26, 0.46, 0.06, 0.16, 0.06),
        axes=(-0.6, 0.2, 0.2),
        rhythm=0,
        inviting=0.34,
        interest=45,
    ),
    KindOfPerson(
        name="giver",
        chinese="送礼客",
        rate_shape=3.0,
        rate_mean=0.026,
        drop_a=1.4,
        drop_b=8.6,
        value_mean=41000,
        value_shape=6.0,
        value_spread=12.0,
        lines=1.0,
        coupon=0.15,
        price_sensitivity=0.15,
        refund=0.02,
        triggers=(0.10, 0.46, 0.04, 0.34, 0.06),
        needs=(0.08, 0.14, 0.64, 0.04, 0.10),
        axes=(-0.2, 0.0, 0.9),
        rhythm=1,
        inviting=0.12,
        interest=18,
    ),
    KindOfPerson(
        name="bargain_hunter",
        chinese="羊毛党",
        rate_shape=2.0,
        rate_mean=0.1,
        drop_a=3.0,
        drop_b=7.0,
        value_mean=3900,
        value_shape=9.0,
        value_spread=16.0,
        lines=0.4,
        coupon=0.82,
        price_sensitivity=0.90,
        refund=0.06,
        triggers=(0.56, 0.08, 0.28, 0.02, 0.06),
        needs=(0.18, 0.06, 0.10, 0.32, 0.34),
        axes=(0.4, -0.2, -0.8),
        rhythm=0,
        inviting=0.26,
        interest=30,
    ),
    KindOfPerson(
        name="explorer",
        chinese="尝鲜客",
        rate_shape=2.0,
        rate_mean=0.11,
        drop_a=4.4,
        drop_b=5.6,
        value_mean=9600,
        value_shape=7.0,
        value_spread=14.0,
        lines=1.9,
        coupon=0.40,
        price_sensitivity=0.40,
        refund=0.04,
        triggers=(0.14, 0.26, 0.06, 0.12, 0.42),
        needs=(0.14, 0.16, 0.08, 0.10, 0.52),
        axes=(0.9, -0.3, 0.1),
        rhythm=0,
        inviting=0.24,
        interest=26,
    ),
    KindOfPerson(
        name="office",
        chinese="企业采购",
        rate_shape=8.0,
        rate_mean=0.19,
        drop_a=1.2,
        drop_b=18.8,
        value_mean=52000,
        value_shape=9.0,
        value_spread=12.0,
        lines=2.6,
        coupon=0.12,
        price_sensitivity=0.30,
        refund=0.01,
        triggers=(0.20, 0.24, 0.02, 0.44, 0.10),
        needs=(0.12, 0.14, 0.26, 0.46, 0.02),
        axes=(-0.3, 0.4, 0.0),
        rhythm=2,
        inviting=0.06,
        interest=20,
    ),
    KindOfPerson(
        name="ring_account",
        chinese="黑产账号",
        rate_shape=1.0,
        rate_mean=1e-9,
        drop_a=9.0,
        drop_b=1.0,
        value_mean=1500,
        value_shape=60.0,
        value_spread=60.0,
        lines=0.0,
        coupon=1.0,
        price_sensitivity=1.0,
        refund=0.65,
        triggers=(0.9, 0.0, 0.1, 0.0, 0.0),
        needs=(0.2, 0.2, 0.2, 0.2, 0.2),
        axes=(0.0, 0.0, 0.0),
        rhythm=0,
        inviting=0.0,
        interest=1,
    ),
)
RING = 6
