"""Sizes: each deposit once, every amount in whole minor units."""

from domain.plan.cents import refuse_half_cents
from domain.plan.events import Size
from domain.plan.findings import Notes


def lint_sizes(sizes: tuple[Size, ...], currency: str, notes: Notes) -> None:
    seen: dict[object, int] = {}
    for place, size in enumerate(sizes):
        for name in ("deposit", "price"):
            amount, field = getattr(size, name), f"sizes[{place}].{name}"
            told = f"{amount:f} {currency}"
            refuse_half_cents(amount, currency, field, told, notes)
        first = seen.setdefault(size.deposit, place)
        if first != place:
            notes.open(
                f"sizes[{place}].deposit",
                f"{size.deposit:f} is on sale twice",
                f"it costs {sizes[first].price:f} {currency}",
                f"it costs {size.price:f} {currency}",
            )
