//! Prefixes of object keys: text with expressions `!{namespace:value}`.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The most characters of a prefix once it is evaluated.
pub const MAX_PREFIX_CHARS: usize = 512;

/// The time that is appended where a prefix says none.
const DEFAULT_TIME: &str = "yyyy/MM/dd/HH/";

/// A prefix, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Time(Vec<TimePart>),
    Key(String),
    ErrorOutputType,
    RandomString,
}

/// A run of equal pattern letters, or text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TimePart {
    Text(String),
    Letters(char, usize),
}

/// What a prefix is evaluated with.
pub(crate) struct Given<'a> {
    /// In milliseconds since the epoch: the arrival of the oldest record in the object.
    pub time_ms: i64,
    pub keys: &'a BTreeMap<String, String>,
    pub error_output_type: &'a str,
    /// Different for every object.
    pub object: &'a str,
}

impl Prefix {
    /// Parses `text`; the fault is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("!{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (expression, after) = after
                .split_once('}')
                .ok_or_else(|| format!("`!{{{after}` has no end"))?;
            parts.push(Part::parse(expression)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The prefix with the default time behind it, if it says no time itself.
    pub(crate) fn with_time(mut self) -> Self {
        if !self.0.iter().any(|part| matches!(part, Part::Time(_))) {
            // The pattern is a valid one.
            self.0
                .extend(time_pattern(DEFAULT_TIME).ok().map(Part::Time));
        }
        self
    }

    /// The prefix with the error's type behind it.
    pub(crate) fn with_error_output_type(mut self) -> Self {
        self.0
            .extend([Part::ErrorOutputType, Part::Text("/".into())]);
        self
    }

    /// Whether there is any expression in it.
    pub fn has_expressions(&self) -> bool {
        !self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Whether the error's type is in it.
    pub fn has_error_output_type(&self) -> bool {
        self.0.contains(&Part::ErrorOutputType)
    }

    /// The partition keys that it names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Key(key) => Some(key.as_str()),
            _ => None,
        })
    }

    /// The key's beginning.
    pub(crate) fn evaluate(&self, given: &Given<'_>) -> String {
        let mut text = String::new();
        for (place, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Time(parts) => write_time(&mut text, parts, given.time_ms),
                Part::Key(key) => text.push_str(given.keys.get(key).map_or("", String::as_str)),
                Part::ErrorOutputType => text.push_str(given.error_output_type),
                Part::RandomString => {
                    let digest = crate::object::uuid(&[given.object, &place.to_string()]);
                    text.extend(digest.chars().take(11));
                }
            }
        }
        text
    }
}

impl Part {
    fn parse(expression: &str) -> Result<Self, String> {
        match expression.split_once(':') {
            Some(("timestamp", pattern)) => time_pattern(pattern).map(Self::Time),
            Some(("firehose", "error-output-type")) => Ok(Self::ErrorOutputType),
            Some(("firehose", "random-string")) => Ok(Self::RandomString),
            Some(("partitionKeyFromLambda", key)) if !key.is_empty() => {
                Ok(Self::Key(key.to_owned()))
            }
            Some(("partitionKeyFromQuery", _)) => Err(
                "partitionKeyFromQuery is not reproduced: let the function give the keys".into(),
            ),
            _ => Err(format!("`!{{{expression}}}` is no expression")),
        }
    }
}

/// The part of Java's `DateTimeFormatter` that names places of a date and a time of day.
fn time_pattern(pattern: &str) -> Result<Vec<TimePart>, String> {
    let mut parts: Vec<TimePart> = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                let mut text = String::new();
                if letters.next_if_eq(&'\'').is_some() {
                    text.push('\'');
                } else {
                    loop {
                        match letters.next() {
                            Some('\'') if letters.next_if_eq(&'\'').is_some() => text.push('\''),
                            Some('\'') => break,
                            Some(letter) => text.push(letter),
                            None => return Err(format!("`{pattern}` has a quote without end")),
                        }
                    }
                }
                parts.push(TimePart::Text(text));
            }
            'y' | 'u' | 'M' | 'd' | 'D' | 'H' | 'm' | 's' | 'S' => match parts.last_mut() {
                Some(TimePart::Letters(last, count)) if *last == letter => *count += 1,
                _ => parts.push(TimePart::Letters(letter, 1)),
            },
            other if other.is_ascii_alphabetic() || "[]{}#".contains(other) => {
                return Err(format!("`{other}` in `{pattern}` is not reproduced"));
            }
            other => parts.push(TimePart::Text(other.into())),
        }
    }
    for part in &parts {
        if let TimePart::Letters(letter, count) = part
            && *count > most(*letter)
        {
            let run = letter.to_string().repeat(*count);
            return Err(format!("`{run}` in `{pattern}` has too many letters"));
        }
    }
    Ok(parts)
}

/// How many of a letter there may be in a row. A month has its name from three on; that of one letter is not reproduced.
fn most(letter: char) -> usize {
    match letter {
        'd' | 'H' | 'm' | 's' => 2,
        'D' => 3,
        'M' => 4,
        'S' => 9,
        _ => 19,
    }
}

fn write_time(text: &mut String, parts: &[TimePart], time_ms: i64) {
    let time = utc(time_ms);
    for part in parts {
        // Writing to a text does not fail.
        let _ = match part {
            TimePart::Text(part) => text.write_str(part),
            TimePart::Letters('y' | 'u', 2) => write!(text, "{:02}", time.year().rem_euclid(100)),
            TimePart::Letters('y' | 'u', width) => write!(text, "{:0width$}", time.year()),
            TimePart::Letters('M', 3) => write!(text, "{}", time.strftime("%b")),
            TimePart::Letters('M', 4) => write!(text, "{}", time.strftime("%B")),
            TimePart::Letters('M', width) => write!(text, "{:0width$}", time.month()),
            TimePart::Letters('d', width) => write!(text, "{:0width$}", time.day()),
            TimePart::Letters('D', width) => write!(text, "{:0width$}", time.day_of_year()),
            TimePart::Letters('H', width) => write!(text, "{:0width$}", time.hour()),
            TimePart::Letters('m', width) => write!(text, "{:0width$}", time.minute()),
            TimePart::Letters('s', width) => write!(text, "{:0width$}", time.second()),
            TimePart::Letters(_, digits) => {
                let nanoseconds = format!("{:09}", time.subsec_nanosecond());
                text.write_str(&nanoseconds[..(*digits).min(9)])
            }
        };
    }
}

/// The civil time in UTC; what is out of the calendar's range is its beginning.
pub(crate) fn utc(time_ms: i64) -> DateTime {
    let time = jiff::Timestamp::from_millisecond(time_ms).unwrap_or_default();
    Offset::UTC.to_datetime(time)
}
