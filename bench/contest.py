"""Contenders that do the same work, taking turns, so that a slow minute slows them all."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Does the work once more and returns how much of it was done a second.
Sample = Callable[[], float]


@dataclass(frozen=True)
class Contest:
    """One kind of work. The first contender is pgwallet; `at_least` are its targets."""

    work: str
    unit: str
    contenders: Mapping[str, Sample]
    at_least: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What was measured: a rate a round for each contender."""

    work: str
    unit: str
    rates: Mapping[str, list[float]]
    at_least: Mapping[str, float]

    def median(self, contender: str) -> float:
        return statistics.median(self.rates[contender])

    def ratio(self, contender: str) -> float:
        """How many times as fast pgwallet is, by the medians."""
        return self.median(next(iter(self.rates))) / self.median(contender)

    def met(self, contender: str) -> bool | None:
        """Whether a target was reached; None where there is none."""
        if contender not in self.at_least:
            return None
        return self.ratio(contender) >= self.at_least[contender]


def held(contest: Contest, rounds: int, told: Callable[[], object]) -> Result:
    """The result of so many rounds; `told` is called after each sample.

    Each other round goes backwards, so that nobody always comes right after the same one.
    """
    rates: dict[str, list[float]] = {name: [] for name in contest.contenders}
    for number in range(rounds):
        names = list(contest.contenders)
        for name in names if number % 2 == 0 else reversed(names):
            rates[name].append(contest.contenders[name]())
            told()
    return Result(contest.work, contest.unit, rates, contest.at_least)


@dataclass(frozen=True)
class Figure:
    """One number and the most that it may be."""

    name: str
    unit: str
    value: float
    at_most: float

    @property
    def met(self) -> bool:
        return self.value <= self.at_most
