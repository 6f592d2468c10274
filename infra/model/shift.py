"""Labels, and what people on the line would see of the scores: alarms, in time or false."""

from dataclasses import dataclass, field

import numpy as np

# A machine alerts again after so many of its readings at the earliest: the alerter's cool-down, 300 s by default.
COOL_DOWN = 9
# Eight hours on a line of eight presses, a part every 36 seconds.
READINGS_PER_SHIFT = 8 * 800


def horizon_labels(machine, part, failures):
    """How many more parts each machine makes after the reading until it fails; infinite where it does not."""
    left = np.full(len(part), np.inf)
    for one, parts in failures.items():
        rows = np.flatnonzero(machine == one)
        following = np.searchsorted(parts, part[rows])
        fails = following < len(parts)
        left[rows[fails]] = np.array(parts)[following[fails]] - part[rows[fails]]
    return left


@dataclass
class Alarms:
    """Alarms of a run: a flagged reading of a machine that told of none for the cool-down."""

    machine: np.ndarray
    part: np.ndarray
    flagged: np.ndarray
    failures: dict
    horizon: int
    right: int = 0
    false: int = 0
    soon: int = 0
    # Parts between the first alarm within the horizon and the failure, for each failure that has one.
    leads: list = field(default_factory=list)
    missed: int = 0

    def __post_init__(self):
        for one in np.unique(self.machine):
            rows = self.machine == one
            parts = self.part[rows]
            told = self._told(parts[self.flagged[rows]])
            failures = np.array(self.failures.get(int(one), []))
            for at in told:
                ahead = failures[failures >= at] - at
                if len(ahead) and ahead[0] < self.horizon:
                    self.right += 1
                else:
                    self.false += 1
                    self.soon += bool(len(ahead) and ahead[0] < 2 * self.horizon)
            for failure in failures[(failures >= parts[0] + self.horizon) & (failures <= parts[-1])]:
                leads = [failure - at for at in told if 0 <= failure - at < self.horizon]
                if leads:
                    self.leads.append(int(max(leads)))
                else:
                    self.missed += 1

    @staticmethod
    def _told(flags):
        told = []
        for at in flags:
            if not told or at - told[-1] >= COOL_DOWN:
                told.append(int(at))
        return told

    def false_per_shift(self):
        """False alarms in eight hours on eight presses."""
        return self.false * READINGS_PER_SHIFT / len(self.part)
