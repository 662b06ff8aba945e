"""How many retries the client can afford, over all its calls.

Pure. The figures are those of the retry quota of the AWS SDKs, revision of 2026: passing faults
cost more than throttling, since a broad outage answers with faults. There an empty quota fails
the call; here it slows everybody down, since a batch should outlast an outage.
"""

from __future__ import annotations

import attrs

__all__ = ["Quota"]

CAPACITY = 500.0
FAULT_COST = 14.0
THROTTLE_COST = 5.0
REWARD = 1.0  # for a success


@attrs.define
class Quota:
    """What is left."""

    balance: float = CAPACITY

    @property
    def exhausted(self) -> bool:
        """Whether a retry after a fault can no longer be paid in full."""
        return self.balance < FAULT_COST

    def pay(self, cost: float) -> float:
        """Pay for a retry, as far as the balance goes; gives what was paid."""
        paid = min(cost, self.balance)
        self.balance -= paid
        return paid

    def reward(self, paid: float) -> None:
        """Note a success: what its retry cost comes back, or a little more for a first try."""
        self.balance = min(CAPACITY, self.balance + max(paid, REWARD))
