//! Time. Formats are those of `strftime`, and literal: one that means nothing is found when the program is compiled.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use vrl::compiler::function::{ArgumentList, Compiled, Example, FunctionCompileContext};
use vrl::compiler::prelude::*;
use vrl::compiler::state::TypeState;

use super::argument::Argument;
use super::checked::{Checked, held_to, optional, required, text};

/// RFC 3339, as `strftime` abbreviates it.
const RFC_3339: &str = "%+";

/// What nearly every program writes; each costs a fraction of what the general way does.
const DAY: &str = "%F";
const MILLISECONDS: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

pub(super) const ALL: &[Checked] = &[
    Checked {
        name: "from_unix_timestamp",
        usage: "The timestamp so many seconds (or `milliseconds`, `microseconds`, `nanoseconds`) after the epoch.",
        parameters: &[
            required("value", kind::INTEGER),
            optional("unit", kind::BYTES),
        ],
        returns: |_| TypeDef::timestamp().fallible(),
        run: |&[value, unit, _]| {
            let value = value.as_integer().unwrap_or(0);
            let time = match unit_of(unit)? {
                Unit::Seconds => DateTime::from_timestamp(value, 0),
                Unit::Milliseconds => DateTime::from_timestamp_millis(value),
                Unit::Microseconds => DateTime::from_timestamp_micros(value),
                Unit::Nanoseconds => Some(DateTime::from_timestamp_nanos(value)),
            };
            time.map(Value::Timestamp)
                .ok_or_else(|| "no timestamp is that far from the epoch".into())
        },
    },
    Checked {
        name: "to_unix_timestamp",
        usage: "How many seconds (or `milliseconds`, `microseconds`, `nanoseconds`) after the epoch the timestamp lies.",
        parameters: &[
            required("value", kind::TIMESTAMP),
            optional("unit", kind::BYTES),
        ],
        returns: |_| TypeDef::integer().fallible(),
        run: |&[value, unit, _]| {
            let time = value.as_timestamp().copied().unwrap_or_default();
            let since = match unit_of(unit)? {
                Unit::Seconds => Some(time.timestamp()),
                Unit::Milliseconds => Some(time.timestamp_millis()),
                Unit::Microseconds => Some(time.timestamp_micros()),
                Unit::Nanoseconds => time.timestamp_nanos_opt(),
            };
            since
                .map(Value::Integer)
                .ok_or_else(|| "the timestamp is too far from the epoch".into())
        },
    },
];

enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

fn unit_of(unit: &Value) -> ExpressionResult<Unit> {
    match &*text(unit) {
        "" | "seconds" => Ok(Unit::Seconds),
        "milliseconds" => Ok(Unit::Milliseconds),
        "microseconds" => Ok(Unit::Microseconds),
        "nanoseconds" => Ok(Unit::Nanoseconds),
        _ => Err("a unit is seconds, milliseconds, microseconds or nanoseconds".into()),
    }
}

/// The functions that take a format.
pub(super) fn formatted() -> Vec<Box<dyn Function>> {
    vec![Box::new(Formatted::Parse), Box::new(Formatted::Format)]
}

#[derive(Clone, Copy, Debug)]
enum Formatted {
    Parse,
    Format,
}

impl Function for Formatted {
    fn identifier(&self) -> &'static str {
        match self {
            Self::Parse => "parse_timestamp",
            Self::Format => "format_timestamp",
        }
    }

    fn usage(&self) -> &'static str {
        match self {
            Self::Parse => {
                "The timestamp that the text tells in the format; UTC where it tells no zone."
            }
            Self::Format => "The timestamp's text in the format, in UTC.",
        }
    }

    fn category(&self) -> &'static str {
        ""
    }

    fn return_kind(&self) -> u16 {
        match self {
            Self::Parse => kind::TIMESTAMP,
            Self::Format => kind::BYTES,
        }
    }

    fn examples(&self) -> &'static [Example] {
        &[]
    }

    fn parameters(&self) -> &'static [Parameter] {
        const TEXT: &[Parameter] = &[
            required("value", kind::BYTES),
            required("format", kind::BYTES),
        ];
        const TIMESTAMP: &[Parameter] = &[
            required("value", kind::TIMESTAMP),
            required("format", kind::BYTES),
        ];
        match self {
            Self::Parse => TEXT,
            Self::Format => TIMESTAMP,
        }
    }

    fn compile(
        &self,
        state: &TypeState,
        _context: &mut FunctionCompileContext,
        arguments: ArgumentList,
    ) -> Compiled {
        let expression = arguments.required_expr("value");
        let value = Argument::of(expression);
        let literal = arguments.required_literal("format", state)?;
        let format = Format::of(&text(&literal)).ok_or_else(|| {
            Box::new(function::Error::InvalidArgument {
                keyword: "format",
                value: literal,
                error: "not a format of strftime",
            }) as Box<dyn DiagnosticMessage>
        })?;
        Ok(match self {
            Self::Parse => Parsing { value, format }.as_expr(),
            Self::Format => Formatting { value, format }.as_expr(),
        })
    }
}

/// A format, taken apart once.
#[derive(Clone, Debug)]
enum Format {
    Rfc3339,
    Day,
    Milliseconds,
    Items(Vec<Item<'static>>),
}

impl Format {
    fn of(text: &str) -> Option<Self> {
        match text {
            RFC_3339 => Some(Self::Rfc3339),
            DAY | "%Y-%m-%d" => Some(Self::Day),
            MILLISECONDS => Some(Self::Milliseconds),
            other => StrftimeItems::new(other)
                .parse_to_owned()
                .ok()
                .map(Self::Items),
        }
    }

    fn parse(&self, text: &str) -> Option<DateTime<Utc>> {
        match self {
            Self::Rfc3339 => plain(text).or_else(|| {
                DateTime::parse_from_rfc3339(text)
                    .ok()
                    .map(|time| time.to_utc())
            }),
            Self::Day => parse_items(text, StrftimeItems::new(DAY)),
            Self::Milliseconds => parse_items(text, StrftimeItems::new(MILLISECONDS)),
            Self::Items(items) => parse_items(text, items.iter()),
        }
    }

    fn write(&self, time: &DateTime<Utc>) -> String {
        // Years beyond four digits are written in another way.
        let plain_year = (0..=9999).contains(&time.year());
        match self {
            Self::Rfc3339 => time.format(RFC_3339).to_string(),
            Self::Day if plain_year => written(time, 10),
            Self::Milliseconds if plain_year => written(time, 24),
            Self::Day => time.format(DAY).to_string(),
            Self::Milliseconds => time.format(MILLISECONDS).to_string(),
            Self::Items(items) => time.format_with_items(items.iter()).to_string(),
        }
    }
}

fn parse_items<'i, I, B>(text: &str, items: I) -> Option<DateTime<Utc>>
where
    I: Iterator<Item = B>,
    B: std::borrow::Borrow<Item<'i>>,
{
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items).ok()?;
    let zoned = parsed.to_datetime().map(|time| time.to_utc());
    zoned
        .or_else(|_| {
            parsed
                .to_naive_datetime_with_offset(0)
                .map(|time| time.and_utc())
        })
        .ok()
}

/// Reads `2026-11-20T01:02:03.456Z`, and nothing else.
fn plain(text: &str) -> Option<DateTime<Utc>> {
    let text: &[u8; 24] = text.as_bytes().try_into().ok()?;
    for (place, mark) in [
        (4, b'-'),
        (7, b'-'),
        (10, b'T'),
        (13, b':'),
        (16, b':'),
        (19, b'.'),
        (23, b'Z'),
    ] {
        if text[place] != mark {
            return None;
        }
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().try_fold(0_u32, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let day = NaiveDate::from_ymd_opt(number(0, 4)?.cast_signed(), number(5, 7)?, number(8, 10)?)?;
    let second = number(17, 19).filter(|second| *second < 60)?;
    let time = day.and_hms_milli_opt(number(11, 13)?, number(14, 16)?, second, number(20, 23)?)?;
    Some(time.and_utc())
}

/// The beginning of `2026-11-20T01:02:03.456Z`.
fn written(time: &DateTime<Utc>, length: usize) -> String {
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut write = |end: usize, digits: usize, mut number: u32| {
        for digit in text[end - digits..end].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    write(4, 4, time.year().unsigned_abs());
    write(7, 2, time.month());
    write(10, 2, time.day());
    if length > 10 {
        let second = time.num_seconds_from_midnight();
        write(13, 2, second / 3600);
        write(16, 2, second / 60 % 60);
        write(19, 2, second % 60);
        // A leap second has a thousand more.
        write(23, 3, time.timestamp_subsec_millis() % 1000);
    }
    String::from_utf8_lossy(&text[..length]).into_owned()
}

#[derive(Clone, Debug)]
struct Parsing {
    value: Argument,
    format: Format,
}

impl FunctionExpression for Parsing {
    fn resolve(&self, context: &mut Context<'_>) -> Resolved {
        let computed = self.value.compute(context)?;
        let value = self.value.value(&computed, context);
        held_to(value, kind::BYTES)?;
        self.format
            .parse(&text(value))
            .map(Value::Timestamp)
            .ok_or_else(|| "the text is no timestamp of this format".into())
    }

    fn type_def(&self, _: &TypeState) -> TypeDef {
        TypeDef::timestamp().fallible()
    }
}

#[derive(Clone, Debug)]
struct Formatting {
    value: Argument,
    format: Format,
}

impl FunctionExpression for Formatting {
    fn resolve(&self, context: &mut Context<'_>) -> Resolved {
        let computed = self.value.compute(context)?;
        let value = self.value.value(&computed, context);
        held_to(value, kind::TIMESTAMP)?;
        let time = value.as_timestamp().copied().unwrap_or_default();
        Ok(self.format.write(&time).into())
    }

    fn type_def(&self, _: &TypeState) -> TypeDef {
        TypeDef::bytes().infallible()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::functions::tests::check;

    #[test]
    fn timestamps_are_read_and_written() {
        check(&[
            (
                "parse_timestamp!(\"2026-11-20T01:02:03.456+09:00\", \"%+\")",
                "\"2026-11-19T16:02:03.456Z\"",
            ),
            (
                "parse_timestamp!(\"20.11.2026 01:02\", \"%d.%m.%Y %H:%M\")",
                "\"2026-11-20T01:02:00Z\"",
            ),
            (
                "parse_timestamp!(.t, \"%+\")",
                "the text is no timestamp of this format",
            ),
            (
                "parse_timestamp!(.n, \"%+\")",
                "an argument is integer, which it cannot be",
            ),
            (
                "format_timestamp(t'2026-11-20T01:02:03.456789Z', \"%Y-%m-%dT%H:%M:%S%.3fZ\")",
                "\"2026-11-20T01:02:03.456Z\"",
            ),
            (
                "format_timestamp(t'2026-11-20T01:02:03Z', \"%F\")",
                "\"2026-11-20\"",
            ),
        ]);
    }

    proptest! {
        #[test]
        fn the_short_ways_say_what_the_long_ones_say(ms in -200_000_000_000_000_i64..400_000_000_000_000, noise in "[0-9TZ:.+-]{20,26}") {
            let time = DateTime::from_timestamp_millis(ms).unwrap();
            for (format, long) in [(Format::Day, DAY), (Format::Milliseconds, MILLISECONDS)] {
                prop_assert_eq!(format.write(&time), time.format(long).to_string());
            }
            let text = Format::Milliseconds.write(&time);
            for text in [text.as_str(), noise.as_str()] {
                if let Some(time) = plain(text) {
                    prop_assert_eq!(Some(time), DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()));
                }
            }
        }
    }

    #[test]
    fn a_format_that_means_nothing_is_found_at_once() {
        check(&[
            ("parse_timestamp!(.t, \"%!\")", "invalid argument"),
            (
                "format_timestamp(t'2026-11-20T01:02:03Z', \"%\")",
                "invalid argument",
            ),
        ]);
    }

    #[test]
    fn timestamps_are_counted_from_the_epoch() {
        check(&[
            (
                "from_unix_timestamp!(1795136523)",
                "\"2026-11-20T01:02:03Z\"",
            ),
            (
                "from_unix_timestamp!(1795136523456, unit: \"milliseconds\")",
                "\"2026-11-20T01:02:03.456Z\"",
            ),
            (
                "from_unix_timestamp!(9223372036854775807)",
                "no timestamp is that far from the epoch",
            ),
            (
                "from_unix_timestamp!(1, unit: \"weeks\")",
                "a unit is seconds, milliseconds, microseconds or nanoseconds",
            ),
            (
                "to_unix_timestamp!(t'2026-11-20T01:02:03.456Z', \"milliseconds\")",
                "1795136523456",
            ),
            (
                "to_unix_timestamp!(t'2026-11-20T01:02:03.456Z')",
                "1795136523",
            ),
        ]);
    }
}
