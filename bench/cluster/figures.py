"""What was measured: samples by work, way, clients and shards, and their medians."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """Calls a second, and microseconds of processor that one took on routers and on shards."""

    rate: float
    router_us: float
    shard_us: float


@dataclass(frozen=True)
class Figure:
    """One thing that was measured again and again, in turns with the others."""

    work: str
    way: str
    clients: int
    shards: int
    samples: list[Sample] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(sample.rate for sample in self.samples)

    @property
    def router_us(self) -> float:
        return statistics.median(sample.router_us for sample in self.samples)

    @property
    def shard_us(self) -> float:
        return statistics.median(sample.shard_us for sample in self.samples)

    @property
    def ms(self) -> float:
        """How long a client waits for a call."""
        return 1000 * self.clients / self.rate
