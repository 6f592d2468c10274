//! A run of the simulated line: readings of all machines, in order of time.

use quality_event::{BadTimestamp, Timestamp};

use super::bearing::Bearing;
use super::model::{Machine, Part};
use super::reading::Reading;
use super::scenario::{Damage, Disturbance, Scenario};
use super::truth::Breakdown;

/// What to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many machines, at least one.
    pub machines: u64,
    /// How many readings over all the machines.
    pub readings: u64,
    /// The seed of everything random.
    pub seed: u64,
    /// What goes wrong.
    pub scenario: Scenario,
    /// The first reading's time.
    pub start: Timestamp,
    /// Readings per second of reading time, over all the machines.
    pub rate: f64,
    /// What machine names begin with; a number of two digits follows.
    pub machine_prefix: String,
    /// What line names begin with; 1 or 2 follows.
    pub line_prefix: String,
}

/// The machines take turns: each reading is the next machine's, a fixed time after the one before. The first half
/// of the machines stands on line 1, the second on line 2. Yields payloads; equal settings yield equal bytes.
pub struct Run {
    settings: Settings,
    machines: Vec<Station>,
    breakdowns: Vec<Breakdown>,
    next: u64,
}

/// A machine in its place.
struct Station {
    name: String,
    line: String,
    machine: Machine,
    bearing: Option<Bearing>,
    stuck_at_dnm: Option<i64>,
}

impl Run {
    /// Sets the line up; the last reading's time must be one.
    pub fn new(settings: Settings) -> Result<Self, BadTimestamp> {
        let machines = settings.machines;
        let stations = (0..machines).map(|index| Station {
            name: format!("{}{:02}", settings.machine_prefix, index + 1),
            line: format!(
                "{}{}",
                settings.line_prefix,
                if index < machines.div_ceil(2) { 1 } else { 2 }
            ),
            machine: Machine::new(settings.seed, index, parts_of(index, &settings)),
            bearing: (settings.scenario == Scenario::Wear)
                .then(|| Bearing::new(settings.seed, index)),
            stuck_at_dnm: None,
        });
        let run = Self {
            machines: stations.collect(),
            settings,
            breakdowns: Vec::new(),
            next: 0,
        };
        run.time_of(run.settings.readings.saturating_sub(1))?;
        Ok(run)
    }

    /// The failures so far, in order of time.
    pub fn breakdowns(&self) -> &[Breakdown] {
        &self.breakdowns
    }

    fn time_of(&self, number: u64) -> Result<Timestamp, BadTimestamp> {
        let ms = (number as f64 * 1_000.0 / self.settings.rate).round() as i64;
        Timestamp::from_millis(self.settings.start.as_millis().saturating_add(ms))
    }
}

/// How many of the run's readings are of machine `index`.
fn parts_of(index: u64, settings: &Settings) -> u64 {
    settings.readings / settings.machines + u64::from(index < settings.readings % settings.machines)
}

impl Iterator for Run {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let number = self.next;
        if number >= self.settings.readings {
            return None;
        }
        self.next += 1;
        let time = self.time_of(number).ok()?;
        let settings = &self.settings;
        let index = number % settings.machines;
        let parts = parts_of(index, settings);
        let station = self.machines.get_mut(usize::try_from(index).ok()?)?;
        let (part, torque_known, damage) =
            station.make(settings, index, number / settings.machines, parts);
        if station.bearing.as_mut().is_some_and(Bearing::wear) {
            self.breakdowns.push(Breakdown {
                machine: station.name.clone(),
                time,
                part: number / settings.machines + 1,
                failure: "bearing",
            });
        }
        let reading = Reading {
            machine: &station.name,
            line: &station.line,
            time,
            product: part.product(number + 1),
            part: &part,
            torque_known,
        };
        Some(match damage.or_else(|| settings.scenario.damages(number)) {
            Some(damage) => reading.damaged(damage),
            None => reading.payload(),
        })
    }
}

impl Station {
    /// The next part, as the sensors show it: whether torque is known, and how the payload is damaged.
    fn make(
        &mut self,
        settings: &Settings,
        index: u64,
        turn: u64,
        parts: u64,
    ) -> (Part, bool, Option<Damage>) {
        let friction_nm = self.bearing.as_ref().map_or(0.0, Bearing::friction_nm);
        let mut part = self.machine.make_against(friction_nm);
        let mut torque_known = true;
        let mut damage = None;
        let mut stuck = false;
        for event in settings
            .scenario
            .events()
            .iter()
            .filter(|event| event.machine % settings.machines == index)
        {
            let Some(progress) = event.progress(turn, parts) else {
                continue;
            };
            match event.what {
                Disturbance::TorqueDrift { rise_nm } => {
                    part.torque_dnm += (rise_nm * 10.0 * progress).round() as i64;
                }
                Disturbance::StuckTorque => {
                    stuck = true;
                    part.torque_dnm = *self.stuck_at_dnm.get_or_insert(part.torque_dnm);
                }
                Disturbance::MissingTorque => torque_known = false,
                Disturbance::Damaged(kind) => damage = Some(kind),
            }
        }
        if !stuck {
            self.stuck_at_dnm = None;
        }
        (part, torque_known, damage)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use sha2::{Digest, Sha256};

    use super::*;

    fn settings(scenario: Scenario, readings: u64) -> Settings {
        Settings {
            machines: 8,
            readings,
            seed: 1,
            scenario,
            start: "2026-11-20T00:00:00Z".parse().unwrap(),
            rate: 8.0,
            machine_prefix: "press-".into(),
            line_prefix: "L".into(),
        }
    }

    fn values(settings: Settings) -> Vec<Value> {
        Run::new(settings)
            .unwrap()
            .map(|payload| serde_json::from_slice(&payload).unwrap_or(Value::Null))
            .collect()
    }

    fn torques(scenario: Scenario, machine: &str) -> Vec<Value> {
        values(settings(scenario, 8_000))
            .into_iter()
            .filter(|value| value["machine"] == machine)
            .map(|value| value["measurements"]["torque"].clone())
            .collect()
    }

    /// The bytes are a promise: fixtures, goldens and published figures rest on them, on every platform.
    #[test]
    fn the_same_seed_gives_the_same_bytes_for_ever() {
        let mut hash = Sha256::new();
        for scenario in [Scenario::Normal, Scenario::Malformed, Scenario::Shift] {
            for payload in Run::new(settings(scenario, 2_000)).unwrap() {
                hash.update(&payload);
                hash.update(b"\n");
            }
        }
        let digest: String = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            digest,
            "d4d68f6be1e0596e6a8ef9bcd5cacd2ce71bd4fbfe774c29eb6ac6b40861d0fe"
        );
    }

    #[test]
    fn another_seed_gives_other_readings() {
        let first = |seed| {
            Run::new(Settings {
                seed,
                ..settings(Scenario::Normal, 1)
            })
            .unwrap()
            .next()
        };
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn machines_take_turns_on_two_lines() {
        let values = values(settings(Scenario::Normal, 20));
        assert_eq!(values.len(), 20);
        let at = |index: usize, key: &str| values[index][key].as_str().unwrap().to_owned();
        assert_eq!(
            (at(0, "machine"), at(0, "line")),
            ("press-01".into(), "L1".into())
        );
        assert_eq!(
            (at(3, "machine"), at(3, "line")),
            ("press-04".into(), "L1".into())
        );
        assert_eq!(
            (at(4, "machine"), at(4, "line")),
            ("press-05".into(), "L2".into())
        );
        assert_eq!(at(8, "machine"), "press-01");
    }

    #[test]
    fn times_advance_by_the_rate() {
        let values = values(settings(Scenario::Normal, 20));
        let at = |index: usize| values[index]["time"].as_str().unwrap().to_owned();
        assert_eq!(at(0), "2026-11-20T00:00:00.000Z");
        assert_eq!(at(1), "2026-11-20T00:00:00.125Z");
        assert_eq!(at(8), "2026-11-20T00:00:01.000Z");
    }

    #[test]
    fn a_run_past_the_end_of_time_is_refused() {
        let start = "9999-12-30T00:00:00Z".parse().unwrap();
        assert!(
            Run::new(Settings {
                start,
                rate: 0.000_001,
                ..settings(Scenario::Normal, 2_000)
            })
            .is_err()
        );
    }

    #[test]
    fn readings_are_divided_evenly_however_many_there_are() {
        for readings in [0, 1, 7, 8, 9, 1_001] {
            let settings = settings(Scenario::Normal, readings);
            assert_eq!(
                (0..8).map(|index| parts_of(index, &settings)).sum::<u64>(),
                readings
            );
            assert_eq!(Run::new(settings).unwrap().count() as u64, readings);
        }
    }

    #[test]
    fn a_drifting_torque_climbs() {
        let torques: Vec<f64> = torques(Scenario::TorqueDrift, "press-03")
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        // Four standard errors of a mean of 500, and of 100 at the end.
        assert!(
            (mean(&torques[..500]) - 40.0).abs() < 1.8,
            "{}",
            mean(&torques[..500])
        );
        assert!(
            (mean(&torques[900..]) - 58.0).abs() < 4.0,
            "{}",
            mean(&torques[900..])
        );
    }

    #[test]
    fn a_stuck_sensor_repeats_one_value() {
        let torques = torques(Scenario::StuckSensor, "press-06");
        assert!(
            torques[500..600]
                .iter()
                .all(|torque| *torque == torques[500])
        );
        assert_ne!(torques[499], torques[500]);
        assert_ne!(torques[600], torques[599]);
    }

    #[test]
    fn a_dropped_out_sensor_is_missing() {
        let torques = torques(Scenario::DropOut, "press-05");
        assert!(torques[500..600].iter().all(Value::is_null));
        assert!(
            torques[..500]
                .iter()
                .chain(&torques[600..])
                .all(Value::is_number)
        );
    }

    #[test]
    fn the_shift_holds_three_of_each_damage() {
        let payloads: Vec<Vec<u8>> = Run::new(settings(Scenario::Shift, 6_000))
            .unwrap()
            .collect();
        let is_reading = |payload: &&Vec<u8>| {
            serde_json::from_slice::<Value>(payload).is_ok_and(|value| {
                let time = value["time"].as_str().map(str::parse::<Timestamp>);
                value.get("machine").is_some() && matches!(time, Some(Ok(_)))
            })
        };
        assert_eq!(payloads.len(), 6_000);
        assert_eq!(payloads.iter().filter(is_reading).count(), 6_000 - 18);
    }

    #[test]
    fn every_machine_fails_sooner_or_later_and_the_truth_tells_when() {
        let mut run = Run::new(settings(Scenario::Wear, 24_000)).unwrap();
        let readings: Vec<Value> = run
            .by_ref()
            .map(|payload| serde_json::from_slice(&payload).unwrap())
            .collect();
        let breakdowns = run.breakdowns();
        for machine in 1..=8 {
            let name = format!("press-{machine:02}");
            let mut own = readings.iter().filter(|value| value["machine"] == name);
            let breakdown = breakdowns
                .iter()
                .find(|breakdown| breakdown.machine == name)
                .unwrap();
            let last = own.nth(breakdown.part as usize - 1).unwrap();
            assert_eq!(last["time"], breakdown.time.to_string(), "{name}");
        }
        assert!(breakdowns.is_sorted_by_key(|breakdown| breakdown.time));
    }

    /// Published labels and a trained model rest on these bytes.
    #[test]
    fn wear_gives_the_same_bytes_and_failures_for_ever() {
        let mut run = Run::new(settings(Scenario::Wear, 16_000)).unwrap();
        let mut hash = Sha256::new();
        for payload in run.by_ref() {
            hash.update(&payload);
        }
        let failed: Vec<(&str, u64)> = run
            .breakdowns()
            .iter()
            .map(|breakdown| (breakdown.machine.as_str(), breakdown.part))
            .collect();
        let digest: String = hash
            .finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(digest, "08f5c7947dd99cf8");
        assert_eq!(failed.len(), 15);
        assert_eq!(
            failed[..4],
            [
                ("press-01", 97),
                ("press-08", 157),
                ("press-05", 354),
                ("press-03", 421)
            ]
        );
    }

    /// The friction shows in speed and process temperature, and the torque that the charts watch stays what it was.
    #[test]
    fn wear_brakes_and_heats_and_leaves_torque_alone() {
        let sound = values(settings(Scenario::Normal, 8_000));
        let worn = values(settings(Scenario::Wear, 8_000));
        let of = |value: &Value, name: &str| value["measurements"][name].as_f64().unwrap();
        for (sound, worn) in sound.iter().zip(&worn) {
            for name in ["air_temperature", "torque", "tool_wear"] {
                assert_eq!(of(sound, name), of(worn, name));
            }
            assert!(of(worn, "rotational_speed") <= of(sound, "rotational_speed"));
            assert!(of(worn, "process_temperature") >= of(sound, "process_temperature"));
        }
        let braked = |(sound, worn): (&Value, &Value)| {
            of(sound, "rotational_speed") - of(worn, "rotational_speed") > 150.0
        };
        let share = sound.iter().zip(&worn).filter(|pair| braked(*pair)).count();
        assert!((400..3_000).contains(&share), "{share}");
    }

    #[test]
    fn scenarios_fit_fewer_machines() {
        let values = values(Settings {
            machines: 2,
            ..settings(Scenario::DropOut, 100)
        });
        let missing = values
            .iter()
            .filter(|value| value["measurements"]["torque"].is_null())
            .count();
        // The fifth machine of two is the first.
        assert_eq!(missing, 5);
    }
}
