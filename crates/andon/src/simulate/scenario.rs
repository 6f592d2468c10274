//! Scenarios: what goes wrong on the line, where and when.
//!
//! A disturbance holds on one machine over a window of its readings, given in thousandths of the run, so that a
//! scenario keeps its shape whatever the number of readings. Machines are counted from 0 and wrap around
//! where the run has fewer.

use clap::ValueEnum;

/// What happens on the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Nothing but the line model, whose own failures are rare
    #[default]
    Normal,
    /// From the middle of the run, the third machine's torque climbs by 20 Nm, as with a wearing bearing
    TorqueDrift,
    /// From 50 % to 60 % of the run, the sixth machine's torque sensor repeats one value
    StuckSensor,
    /// From 50 % to 60 % of the run, the fifth machine's torque is missing from its readings
    DropOut,
    /// Every 50th reading is damaged: not JSON, no machine, bad time, truncated, empty, no object, in turn
    Malformed,
    /// The recorded shift: drift, stuck sensor, drop-out and damaged payloads at stated times
    Shift,
    /// Bearings wear until they seize, every machine's; no rule of the press line's plan sees it coming
    Wear,
}

/// What one disturbance does to a reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Disturbance {
    /// Torque that climbs evenly, from nothing to so many newton metres at the window's end.
    TorqueDrift {
        /// At the window's end.
        rise_nm: f64,
    },
    /// The torque sensor repeats the value it had when the window began.
    StuckTorque,
    /// The torque is missing from the measurements.
    MissingTorque,
    /// The payload is damaged.
    Damaged(Damage),
}

/// A damaged payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Text that is no JSON.
    NotJson,
    /// A reading that names no machine.
    NoMachine,
    /// A reading whose time is none.
    BadTime,
    /// A reading cut off in the middle.
    Truncated,
    /// No bytes at all.
    Empty,
    /// JSON, but not an object.
    NotAnObject,
}

impl Damage {
    /// Every kind, in the order in which the scenario `malformed` takes them.
    pub const ALL: [Self; 6] = [
        Self::NotJson,
        Self::NoMachine,
        Self::BadTime,
        Self::Truncated,
        Self::Empty,
        Self::NotAnObject,
    ];
}

/// A disturbance on one machine over part of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// The machine, from 0.
    pub machine: u64,
    /// Where the window begins, in thousandths of the machine's readings.
    pub from: u64,
    /// Where it ends; its end is not part of it.
    pub to: u64,
    /// What happens.
    pub what: Disturbance,
}

impl Event {
    /// How far into the window reading `index` of `count` lies, from 0 up to but not including 1; none outside it.
    pub fn progress(&self, index: u64, count: u64) -> Option<f64> {
        let (start, end) = (self.from * count / 1_000, self.to * count / 1_000);
        (start..end)
            .contains(&index)
            .then(|| (index - start) as f64 / (end - start) as f64)
    }
}

/// Every how many readings of the run the scenario `malformed` damages one.
pub const DAMAGED_EVERY: u64 = 50;

const fn event(machine: u64, from: u64, to: u64, what: Disturbance) -> Event {
    Event {
        machine,
        from,
        to,
        what,
    }
}

/// The recorded shift: 7.5 hours, of which a thousandth is 27 seconds. Three of each damaged payload.
const SHIFT: [Event; 9] = [
    event(0, 100, 104, Disturbance::Damaged(Damage::NotJson)), // 00:45
    event(2, 200, 500, Disturbance::TorqueDrift { rise_nm: 20.0 }), // 01:30 to 03:45, when the bearing is changed
    event(1, 300, 304, Disturbance::Damaged(Damage::NoMachine)),    // 02:15
    event(5, 400, 467, Disturbance::StuckTorque),                   // 03:00 to 03:30
    event(3, 500, 504, Disturbance::Damaged(Damage::BadTime)),      // 03:45
    event(6, 600, 604, Disturbance::Damaged(Damage::Truncated)),    // 04:30
    event(4, 668, 700, Disturbance::MissingTorque),                 // 05:00 to 05:15
    event(7, 800, 804, Disturbance::Damaged(Damage::Empty)),        // 06:00
    event(0, 900, 904, Disturbance::Damaged(Damage::NotAnObject)),  // 06:45
];

impl Scenario {
    /// The scenario's disturbances, but for the ones that [`Scenario::damages`].
    pub fn events(self) -> &'static [Event] {
        const DRIFT: [Event; 1] = [event(
            2,
            500,
            1_000,
            Disturbance::TorqueDrift { rise_nm: 20.0 },
        )];
        const STUCK: [Event; 1] = [event(5, 500, 600, Disturbance::StuckTorque)];
        const DROP_OUT: [Event; 1] = [event(4, 500, 600, Disturbance::MissingTorque)];
        match self {
            Self::Normal | Self::Malformed | Self::Wear => &[],
            Self::TorqueDrift => &DRIFT,
            Self::StuckSensor => &STUCK,
            Self::DropOut => &DROP_OUT,
            Self::Shift => &SHIFT,
        }
    }

    /// How the scenario damages reading `number` (from 0) of the run, whichever machine it is of.
    pub fn damages(self, number: u64) -> Option<Damage> {
        let due = self == Self::Malformed && number % DAMAGED_EVERY == DAMAGED_EVERY - 1;
        let turn = number / DAMAGED_EVERY % Damage::ALL.len() as u64;
        due.then(|| Damage::ALL[turn as usize])
    }

    /// Readings in the run, unless said otherwise.
    pub fn default_readings(self) -> u64 {
        if self.is_a_shift() { 6_000 } else { 1_000 }
    }

    /// Seconds between two readings of one machine, unless said otherwise: the shift's machines make a part
    /// every 36 seconds.
    pub fn default_cycle_s(self) -> f64 {
        if self.is_a_shift() { 36.0 } else { 1.0 }
    }

    fn is_a_shift(self) -> bool {
        matches!(self, Self::Shift | Self::Wear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_keep_their_share_of_the_run() {
        let stuck = Scenario::StuckSensor.events()[0];
        for (index, count, expected) in [
            (499, 1_000, None),
            (500, 1_000, Some(0.0)),
            (550, 1_000, Some(0.5)),
            (600, 1_000, None),
            (5, 10, Some(0.0)),
            (6, 10, None),
            (0, 1, None),
        ] {
            assert_eq!(stuck.progress(index, count), expected, "{index} of {count}");
        }
    }

    #[test]
    fn damages_one_reading_in_fifty_in_turn() {
        let damaged: Vec<(u64, Damage)> = (0..400)
            .filter_map(|number| Some((number, Scenario::Malformed.damages(number)?)))
            .collect();
        assert_eq!(damaged.len(), 8);
        assert_eq!(damaged[0], (49, Damage::NotJson));
        assert_eq!(damaged[5], (299, Damage::NotAnObject));
        assert_eq!(damaged[6], (349, Damage::NotJson));
        assert_eq!(Scenario::Normal.damages(49), None);
    }

    #[test]
    fn the_shift_has_every_kind_of_trouble() {
        let events = Scenario::Shift.events();
        let has = |wanted: Disturbance| {
            events
                .iter()
                .any(|event| std::mem::discriminant(&event.what) == std::mem::discriminant(&wanted))
        };
        assert!(has(Disturbance::TorqueDrift { rise_nm: 0.0 }));
        assert!(has(Disturbance::StuckTorque));
        assert!(has(Disturbance::MissingTorque));
        for damage in Damage::ALL {
            assert!(
                events
                    .iter()
                    .any(|event| event.what == Disturbance::Damaged(damage)),
                "{damage:?}"
            );
        }
    }
}
