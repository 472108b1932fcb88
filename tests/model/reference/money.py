"""Exact arithmetic: minor units, rounding, splitting by percentage, and what a release takes."""

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction

from pgwallet.errors import CurrencyMismatch, InvalidAmount

# The last one is created, all others are of ISO 4217.
EXPONENTS = {"JPY": 0, "EUR": 2, "KWD": 3, "TOKEN": 18}
TOO_MUCH = 10**15
# Amounts of a currency with 18 decimals have more digits than Python keeps by default.
EXACT = Context(prec=100)


def exponent_of(currency: str | None) -> int:
    if currency not in EXPONENTS:
        raise CurrencyMismatch(f"currency {currency} is unknown")
    return EXPONENTS[currency]


def check_amount(amount: Decimal | None) -> None:
    """Refuses what is no amount in any currency."""
    if amount is None or not amount.is_finite() or not 0 < amount < TOO_MUCH:
        raise InvalidAmount(f"{amount} is not an amount")


def minor_units(amount: Decimal, currency: str) -> int:
    """Refuses more decimals than the currency has; zeros at the end do not count."""
    units = Fraction(amount) * 10 ** EXPONENTS[currency]
    if units.denominator != 1:
        raise InvalidAmount(f"{amount} has too many decimals for {currency}")
    return int(units)


def money(units: int, currency: str) -> Decimal:
    """Major units, with exactly the currency's decimals."""
    return Decimal(units).scaleb(-EXPONENTS[currency], EXACT)


def half_up(value: Fraction) -> int:
    """Half away from zero; nothing here is below zero."""
    return int(value + Fraction(1, 2))


def shares_half_up(
    amount: int, percentages: Sequence[Decimal], most: Sequence[int | None]
) -> list[int]:
    """Each share rounded, but never more than a pocket may get and than is left."""
    shares, left = [], amount
    for percentage, limit in zip(percentages, most, strict=False):
        share = min(half_up(amount * Fraction(percentage) / 100), left)
        share = share if limit is None else min(share, limit)
        shares.append(share)
        left -= share
    return shares


def shares_largest_remainder(
    amount: int, percentages: Sequence[Decimal], most: Sequence[int | None]
) -> list[int]:
    """Each share cut off; the units missing to the total go to the largest fractions.

    Only then is a pocket asked what it may get.
    """
    exact = [amount * Fraction(percentage) / 100 for percentage in percentages]
    shares = [int(share) for share in exact]
    missing = int(sum(exact, Fraction(0))) - sum(shares)
    by_fraction = sorted(range(len(exact)), key=lambda place: (shares[place] - exact[place], place))
    for place in by_fraction[:missing]:
        shares[place] += 1
    limited = zip(shares, most, strict=False)
    return [share if limit is None else min(share, limit) for share, limit in limited]


SHARES = {"half_up": shares_half_up, "largest_remainder": shares_largest_remainder}


def part(most: int, released: int, taken: int, rate: Decimal) -> int:
    """What a rate still takes once `released` is released in all and `taken` taken before."""
    return max(0, min(most, half_up(released * Fraction(rate)) - taken))
