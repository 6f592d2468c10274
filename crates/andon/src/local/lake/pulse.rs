//! How a delivery stream gets on, seen by those who wait for its end.

use std::sync::atomic::{AtomicU64, Ordering};

use firehose_delivery::Counts;

/// Written by the delivery stream, read by whoever waits.
#[derive(Debug, Default)]
pub struct Pulse {
    moves: AtomicU64,
    held: AtomicU64,
}

impl Pulse {
    /// An invocation was answered, well or badly, or an object was stored: there is an end to both.
    pub fn beat(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how many records are taken and neither stored nor dropped.
    pub fn hold(&self, counts: Counts) {
        let done = counts.delivered + counts.dropped + counts.failed + counts.lost;
        self.held
            .store(counts.taken.saturating_sub(done), Ordering::Relaxed);
    }

    /// How often it has moved on.
    pub fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    /// How many records it still has.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_stored_nor_dropped_is_held() {
        let pulse = Pulse::default();
        let mut counts = Counts {
            taken: 10,
            delivered: 4,
            dropped: 3,
            failed: 1,
            lost: 0,
        };
        pulse.hold(counts);
        assert_eq!(pulse.held(), 2);
        counts.lost = 2;
        pulse.hold(counts);
        assert_eq!((pulse.held(), pulse.moves()), (0, 0));
    }
}
