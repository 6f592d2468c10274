//! A part as the payload that a gateway would put on the stream.

use quality_event::Timestamp;

use super::model::Part;
use super::scenario::Damage;

/// What a payload says.
pub struct Reading<'a> {
    /// The machine's name.
    pub machine: &'a str,
    /// Its line's name.
    pub line: &'a str,
    /// When the part was made.
    pub time: Timestamp,
    /// The product's name.
    pub product: String,
    /// The part.
    pub part: &'a Part,
    /// Whether the torque sensor answered.
    pub torque_known: bool,
}

impl Reading<'_> {
    /// One JSON object on one line, numbers with the decimals of the published data.
    pub fn payload(&self) -> Vec<u8> {
        let machine = format!("\"machine\":{},", quoted(self.machine));
        self.object(&machine, &self.time.to_string())
    }

    /// The payload as it comes when something broke on the way.
    pub fn damaged(&self, damage: Damage) -> Vec<u8> {
        match damage {
            Damage::NotJson => {
                format!("{} ERROR gateway: sensor bus time-out", self.machine).into_bytes()
            }
            Damage::NoMachine => self.object("", &self.time.to_string()),
            Damage::BadTime => {
                let machine = format!("\"machine\":{},", quoted(self.machine));
                self.object(&machine, "2026-11-31T25:61:00Z")
            }
            Damage::Truncated => {
                let mut payload = self.payload();
                payload.truncate(payload.len() * 2 / 3);
                payload
            }
            Damage::Empty => Vec::new(),
            Damage::NotAnObject => format!(
                "[{},{},{}]",
                quoted(self.machine),
                self.part.speed_rpm,
                tenths(self.part.torque_dnm)
            )
            .into_bytes(),
        }
    }

    fn object(&self, machine: &str, time: &str) -> Vec<u8> {
        let part = self.part;
        let torque = match self.torque_known {
            true => format!("\"torque\":{},", tenths(part.torque_dnm)),
            false => String::new(),
        };
        format!(
            concat!(
                "{{{machine}\"line\":{line},\"time\":\"{time}\",\"product\":\"{product}\",\"grade\":\"{grade}\",",
                "\"measurements\":{{\"air_temperature\":{air},\"process_temperature\":{process},",
                "\"rotational_speed\":{speed},{torque}\"tool_wear\":{wear}}}}}"
            ),
            machine = machine,
            line = quoted(self.line),
            time = time,
            product = self.product,
            grade = part.grade.letter(),
            air = tenths(part.air_dk),
            process = tenths(part.process_dk),
            speed = part.speed_rpm,
            torque = torque,
            wear = part.wear_min,
        )
        .into_bytes()
    }
}

/// A number of tenths with its one decimal: exact, where a double printed again might not be.
fn tenths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}.{}", value.abs() / 10, value.abs() % 10)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::model::Grade;

    const PART: Part = Part {
        grade: Grade::M,
        air_dk: 2_981,
        process_dk: 3_086,
        speed_rpm: 1_551,
        torque_dnm: 428,
        wear_min: 0,
        tool_failed: false,
    };

    fn reading(machine: &'static str) -> Reading<'static> {
        Reading {
            machine,
            line: "L2",
            time: "2026-11-20T01:02:03.456Z".parse().unwrap(),
            product: PART.product(1),
            part: &PART,
            torque_known: true,
        }
    }

    #[track_caller]
    fn check(payload: Vec<u8>, expected: &str) {
        assert_eq!(String::from_utf8(payload).unwrap(), expected);
    }

    #[test]
    fn has_the_documented_shape() {
        check(
            reading("press-07").payload(),
            r#"{"machine":"press-07","line":"L2","time":"2026-11-20T01:02:03.456Z","product":"M14860","grade":"M","measurements":{"air_temperature":298.1,"process_temperature":308.6,"rotational_speed":1551,"torque":42.8,"tool_wear":0}}"#,
        );
    }

    #[test]
    fn names_are_escaped_and_stay_utf_8() {
        let payload = reading("프레스-07 \"A\"").payload();
        let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(value["machine"], "프레스-07 \"A\"");
        assert!(payload.windows(6).any(|bytes| bytes == "프레".as_bytes()));
    }

    #[test]
    fn a_silent_sensor_is_missing_not_null() {
        let payload = Reading {
            torque_known: false,
            ..reading("press-07")
        }
        .payload();
        let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert!(value["measurements"].get("torque").is_none());
        assert_eq!(value["measurements"]["tool_wear"], 0);
    }

    #[test]
    fn damage_is_what_it_says() {
        let reading = reading("press-07");
        let json = |damage| serde_json::from_slice::<serde_json::Value>(&reading.damaged(damage));
        assert!(json(Damage::NotJson).is_err());
        assert!(json(Damage::Truncated).is_err());
        assert!(json(Damage::NoMachine).unwrap().get("machine").is_none());
        assert!(
            json(Damage::BadTime).unwrap()["time"]
                .as_str()
                .unwrap()
                .parse::<Timestamp>()
                .is_err()
        );
        check(reading.damaged(Damage::Empty), "");
        check(
            reading.damaged(Damage::NotAnObject),
            r#"["press-07",1551,42.8]"#,
        );
    }

    #[test]
    fn tenths_are_exact() {
        for (value, expected) in [
            (0, "0.0"),
            (5, "0.5"),
            (428, "42.8"),
            (3_000, "300.0"),
            (-5, "-0.5"),
            (-12, "-1.2"),
        ] {
            assert_eq!(tenths(value), expected);
        }
    }
}
