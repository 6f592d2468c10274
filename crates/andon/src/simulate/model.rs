//! The line model of the AI4I 2020 predictive maintenance data set: S. Matzka, "Explainable Artificial
//! Intelligence for Predictive Maintenance Applications", AI4I 2020; data at UCI 601 under CC BY 4.0.
//!
//! As published: air temperature, a random walk normalised to 2 K around 300 K; process temperature, a walk
//! normalised to 1 K on top of air + 10 K; torque, normal around 40 Nm with 10 Nm and no negative values;
//! grades L/M/H at 60/30/10 % that add 2/3/5 minutes of tool wear; a tool that is replaced, or fails, between 200
//! and 240 minutes; speed from a power of 2,860 W with normal noise.
//!
//! Where the publication leaves room:
//! - 2,860 W over the *measured* torque would give 683 rpm at 40 Nm, while the data set has 1,539 rpm on average,
//!   with a correlation of -0.88 between the two. So the 2,860 W work against a **load torque** of 18 Nm
//!   that follows the measured torque ([`LOAD_NM`], [`LOAD_PER_TORQUE`]) and carries the noise ([`LOAD_NOISE_NM`]).
//!   These three are fitted to the data set's mean, deviation and correlation.
//! - The data set is one run of 10,000 parts; here each machine walks on its own, over its own readings.
//! - In that one run the two walks happen to be correlated at -0.7; here they are independent, so the process
//!   temperature deviates by 2.2 K instead of 1.5 K. The difference, which the heat rule looks at, is the same.
//! - Its random failures (0.1 %) change no measurement and are left out.

use super::bearing::HEAT_K_PER_NM;
use super::random::Random;
use super::walk::Walk;

/// The drive's power, in watts.
pub const POWER_W: f64 = 2_860.0;
/// The load torque at 40 Nm of measured torque, in newton metres.
pub const LOAD_NM: f64 = 17.9;
/// Newton metres of load torque per newton metre of measured torque.
pub const LOAD_PER_TORQUE: f64 = 0.175;
/// The load torque's standard deviation about that, in newton metres.
pub const LOAD_NOISE_NM: f64 = 0.9;
/// No load falls below this, so that the speed stays finite.
const LEAST_LOAD_NM: f64 = 9.0;
/// Mean and standard deviation of the torque, in newton metres.
const TORQUE_NM: (f64, f64) = (40.0, 10.0);
/// Of 120 tools at their end, 51 fail and 69 are replaced in time.
const TOOL_FAILS: f64 = 51.0 / 120.0;
/// Revolutions per minute in one radian per second.
const RPM: f64 = 30.0 / std::f64::consts::PI;

/// A product's quality grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Low, 60 %.
    L,
    /// Medium, 30 %.
    M,
    /// High, 10 %.
    H,
}

impl Grade {
    /// The letter that stands in a reading.
    pub fn letter(self) -> char {
        match self {
            Self::L => 'L',
            Self::M => 'M',
            Self::H => 'H',
        }
    }

    /// Minutes of tool wear that one product adds.
    fn wear_min(self) -> u32 {
        match self {
            Self::L => 2,
            Self::M => 3,
            Self::H => 5,
        }
    }

    /// Tool wear x torque beyond which the product overstrains the tool, in minute newton metres.
    pub fn overstrain_limit(self) -> f64 {
        match self {
            Self::L => 11_000.0,
            Self::M => 12_000.0,
            Self::H => 13_000.0,
        }
    }

    /// What the data set adds to a part's running number to make its serial number.
    fn first_serial(self) -> u64 {
        match self {
            Self::L => 47_179,
            Self::M => 14_859,
            Self::H => 29_413,
        }
    }

    fn draw(random: &mut Random) -> Self {
        match random.uniform() {
            share if share < 0.6 => Self::L,
            share if share < 0.9 => Self::M,
            _ => Self::H,
        }
    }
}

/// One part's measurements, rounded as the data set rounds them.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The product's grade.
    pub grade: Grade,
    /// Air temperature, in tenths of a kelvin.
    pub air_dk: i64,
    /// Process temperature, in tenths of a kelvin.
    pub process_dk: i64,
    /// Rotational speed, in revolutions per minute.
    pub speed_rpm: i64,
    /// Torque, in tenths of a newton metre.
    pub torque_dnm: i64,
    /// The tool's wear before this part, in minutes.
    pub wear_min: u32,
    /// Whether the tool fails on this part; it is changed after it.
    pub tool_failed: bool,
}

/// The data set's failure modes, on one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// TWF: the tool fails at the end of its life.
    pub tool_wear: bool,
    /// HDF: process - air temperature below 8.6 K and speed below 1,380 rpm.
    pub heat_dissipation: bool,
    /// PWF: torque x angular speed outside 3,500..9,000 W.
    pub power: bool,
    /// OSF: tool wear x torque beyond the grade's limit.
    pub overstrain: bool,
}

impl Part {
    /// The product's name: its grade and a serial number, from the part's running number in the whole run (from 1).
    pub fn product(&self, number: u64) -> String {
        format!(
            "{}{}",
            self.grade.letter(),
            self.grade.first_serial() + number
        )
    }

    /// The failure modes that the part's rounded measurements show.
    pub fn failures(&self) -> Failures {
        let torque_nm = self.torque_dnm as f64 / 10.0;
        let power_w = torque_nm * self.speed_rpm as f64 / RPM;
        Failures {
            tool_wear: self.tool_failed,
            heat_dissipation: self.process_dk - self.air_dk < 86 && self.speed_rpm < 1_380,
            power: !(3_500.0..=9_000.0).contains(&power_w),
            overstrain: f64::from(self.wear_min) * torque_nm > self.grade.overstrain_limit(),
        }
    }
}

/// One machine of the line, part after part.
#[derive(Clone, Debug)]
pub struct Machine {
    random: Random,
    air: Walk,
    process: Walk,
    wear_min: u32,
    tool_life_min: u32,
}

impl Machine {
    /// Machine number `index` of the seed, about to make `parts` parts.
    pub fn new(seed: u64, index: u64, parts: u64) -> Self {
        let stream = |purpose| Random::new(seed, index * 3 + purpose);
        let mut random = stream(0);
        let tool_life_min = tool_life_min(&mut random);
        Self {
            random,
            air: Walk::new(stream(1), parts, 2.0),
            process: Walk::new(stream(2), parts, 1.0),
            wear_min: 0,
            tool_life_min,
        }
    }

    /// Makes the next part.
    pub fn make(&mut self) -> Part {
        self.make_against(0.0)
    }

    /// Makes the next part against so many newton metres of a bearing's friction: it adds to the drive's load and heats
    /// the process.
    pub fn make_against(&mut self, friction_nm: f64) -> Part {
        let air_k = 300.0 + self.air.step();
        let process_k = air_k + 10.0 + self.process.step() + HEAT_K_PER_NM * friction_nm;
        let grade = Grade::draw(&mut self.random);
        let torque_nm = positive(|| TORQUE_NM.0 + TORQUE_NM.1 * self.random.normal());
        let load_nm = LOAD_NM
            + LOAD_PER_TORQUE * (torque_nm - TORQUE_NM.0)
            + LOAD_NOISE_NM * self.random.normal()
            + friction_nm;
        let wear_min = self.wear_min;
        let worn_out = wear_min >= self.tool_life_min;
        let tool_failed = worn_out && self.random.uniform() < TOOL_FAILS;
        if worn_out {
            self.wear_min = 0;
            self.tool_life_min = tool_life_min(&mut self.random);
        } else {
            self.wear_min += grade.wear_min();
        }
        Part {
            grade,
            air_dk: (air_k * 10.0).round() as i64,
            process_dk: (process_k * 10.0).round() as i64,
            speed_rpm: (POWER_W / load_nm.max(LEAST_LOAD_NM) * RPM).round() as i64,
            torque_dnm: (torque_nm * 10.0).round() as i64,
            wear_min,
            tool_failed,
        }
    }
}

fn tool_life_min(random: &mut Random) -> u32 {
    random.between(200, 240)
}

/// Draws again until the value is positive.
fn positive(mut draw: impl FnMut() -> f64) -> f64 {
    loop {
        let value = draw();
        if value > 0.0 {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten runs of the data set's size.
    fn parts() -> Vec<Part> {
        (0..10)
            .flat_map(|index| {
                let mut machine = Machine::new(2020, index, 10_000);
                (0..10_000).map(move |_| machine.make()).collect::<Vec<_>>()
            })
            .collect()
    }

    fn mean_and_sigma(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        (
            mean,
            (values.map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt(),
        )
    }

    #[track_caller]
    fn check(what: &str, found: f64, published: f64, tolerance: f64) {
        assert!(
            (found - published).abs() <= tolerance,
            "{what}: {found}, published {published} ± {tolerance}"
        );
    }

    /// The published moments are those of the data set's 10,000 rows.
    #[test]
    fn moments_are_the_published_ones() {
        let parts = parts();
        let (mean, sigma) = mean_and_sigma(parts.iter().map(|part| part.torque_dnm as f64 / 10.0));
        check("torque", mean, 39.99, 0.1);
        check("torque's deviation", sigma, 9.97, 0.1);
        let (mean, sigma) = mean_and_sigma(parts.iter().map(|part| part.speed_rpm as f64));
        check("speed", mean, 1538.8, 10.0);
        check("speed's deviation", sigma, 179.3, 8.0);
        let (mean, sigma) = mean_and_sigma(parts.iter().map(|part| part.air_dk as f64 / 10.0));
        check("air temperature", mean, 300.0, 0.01);
        check("air temperature's deviation", sigma, 2.0, 0.01);
        let (mean, sigma) = mean_and_sigma(
            parts
                .iter()
                .map(|part| (part.process_dk - part.air_dk) as f64 / 10.0),
        );
        check("process - air", mean, 10.0, 0.01);
        check("process - air's deviation", sigma, 1.0, 0.01);
        let (mean, sigma) = mean_and_sigma(parts.iter().map(|part| f64::from(part.wear_min)));
        check("tool wear", mean, 107.95, 4.0);
        check("tool wear's deviation", sigma, 63.65, 2.0);
    }

    #[test]
    fn speed_falls_with_torque_as_published() {
        let parts = parts();
        let speed = mean_and_sigma(parts.iter().map(|part| part.speed_rpm as f64));
        let torque = mean_and_sigma(parts.iter().map(|part| part.torque_dnm as f64));
        let products = parts
            .iter()
            .map(|part| (part.speed_rpm as f64 - speed.0) * (part.torque_dnm as f64 - torque.0));
        let correlation = products.sum::<f64>() / parts.len() as f64 / speed.1 / torque.1;
        check("correlation", correlation, -0.875, 0.02);
    }

    /// Shares of the data set: TWF 46, HDF 115, PWF 95, OSF 98 of 10,000 rows. Here they are 0.49, 1.44, 1.20 and 1.28 %: the
    /// tool's law is published; the heat rule's share hangs on the one walk of the data set's run; power and
    /// overstrain sit in the tails, where a hundred rows are known to within ten. Tolerances are absolute.
    #[test]
    fn failure_shares_are_near_the_published_ones() {
        let parts = parts();
        let share = |failed: fn(Failures) -> bool| {
            100.0 * parts.iter().filter(|part| failed(part.failures())).count() as f64
                / parts.len() as f64
        };
        check("TWF %", share(|failures| failures.tool_wear), 0.46, 0.1);
        check(
            "HDF %",
            share(|failures| failures.heat_dissipation),
            1.15,
            0.4,
        );
        check("PWF %", share(|failures| failures.power), 0.95, 0.4);
        check("OSF %", share(|failures| failures.overstrain), 0.98, 0.4);
    }

    #[test]
    fn grades_come_60_30_10() {
        let parts = parts();
        let share = |grade| {
            parts.iter().filter(|part| part.grade == grade).count() as f64 / parts.len() as f64
        };
        check("L", share(Grade::L), 0.6, 0.01);
        check("M", share(Grade::M), 0.3, 0.01);
        check("H", share(Grade::H), 0.1, 0.01);
    }

    #[test]
    fn a_tool_is_changed_between_200_and_240_minutes() {
        let mut machine = Machine::new(2020, 0, 10_000);
        let wear: Vec<u32> = (0..10_000).map(|_| machine.make().wear_min).collect();
        let ends: Vec<u32> = wear
            .windows(2)
            .filter(|pair| pair[1] < pair[0])
            .map(|pair| pair[0])
            .collect();
        // A tool that is one minute short of 240 may still make a part that adds five.
        assert!(ends.iter().all(|end| (200..=244).contains(end)), "{ends:?}");
        assert!((110..=125).contains(&ends.len()), "{}", ends.len());
    }

    #[test]
    fn names_products_as_the_data_set_does() {
        let part = |grade| Part {
            grade,
            ..Machine::new(0, 0, 1).make()
        };
        assert_eq!(part(Grade::M).product(1), "M14860");
        assert_eq!(part(Grade::L).product(2), "L47181");
        assert_eq!(part(Grade::H).product(2_944), "H32357");
    }

    #[test]
    fn failures_follow_their_published_conditions() {
        let sound = Part {
            grade: Grade::L,
            air_dk: 3_000,
            process_dk: 3_100,
            speed_rpm: 1_500,
            torque_dnm: 400,
            wear_min: 100,
            tool_failed: false,
        };
        let none = Failures {
            tool_wear: false,
            heat_dissipation: false,
            power: false,
            overstrain: false,
        };
        let cases = [
            ("sound", sound.clone(), none),
            (
                "heat",
                Part {
                    process_dk: 3_085,
                    speed_rpm: 1_379,
                    ..sound.clone()
                },
                Failures {
                    heat_dissipation: true,
                    ..none
                },
            ),
            (
                "8.6 K is enough",
                Part {
                    process_dk: 3_086,
                    speed_rpm: 1_379,
                    ..sound.clone()
                },
                none,
            ),
            (
                "1,380 rpm is enough",
                Part {
                    process_dk: 3_085,
                    speed_rpm: 1_380,
                    ..sound.clone()
                },
                none,
            ),
            (
                "power too low",
                Part {
                    torque_dnm: 100,
                    ..sound.clone()
                },
                Failures {
                    power: true,
                    ..none
                },
            ),
            (
                "power too high",
                Part {
                    torque_dnm: 600,
                    ..sound.clone()
                },
                Failures {
                    power: true,
                    ..none
                },
            ),
            (
                "overstrain",
                Part {
                    wear_min: 220,
                    torque_dnm: 501,
                    ..sound.clone()
                },
                Failures {
                    overstrain: true,
                    ..none
                },
            ),
            (
                "at its limit",
                Part {
                    wear_min: 220,
                    torque_dnm: 500,
                    ..sound.clone()
                },
                none,
            ),
            (
                "tool",
                Part {
                    tool_failed: true,
                    ..sound
                },
                Failures {
                    tool_wear: true,
                    ..none
                },
            ),
        ];
        for (case, part, expected) in cases {
            assert_eq!(part.failures(), expected, "{case}");
        }
    }
}
