//! The control plan: what is measured, its limits, and what is done when one is left, as a file that a quality
//! engineer writes and this crate checks, compiles and applies.
//!
//! The promises: a plan with a fault is refused with **every** fault named, each with line, column and a caret under
//! the spot; and a plan that is accepted reads and judges any payload without failing.
//!
//! ```
//! use control_plan::{ControlPlan, Verdict};
//!
//! let plan = ControlPlan::parse("press-line.yaml", r#"
//! version: 1
//! reading: {machine: /machine, time: /time}
//! characteristics:
//!   torque: {at: /torque, unit: Nm}
//!   speed: {at: /speed, unit: rpm}
//!   power: {formula: torque * speed * 0.10471975511965977, unit: W}
//! rules:
//!   - {id: power-high, when: power > 9000.0, severity: critical}
//! "#)?;
//! let reading = plan.read(br#"{"machine":"press-07","time":1795136523,"torque":60,"speed":1500}"#)?;
//! let rule = plan.rule("power-high").ok_or("no such rule")?;
//! assert_eq!(rule.verdict(&reading), Verdict::Fires);
//! assert_eq!(rule.summary(&reading), "power-high: power 9424.78 W on press-07 (power > 9000.0)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The file
//!
//! YAML (JSON is a part of it), at most 256 KiB, without anchors and tags.
//!
//! | key | | what it says |
//! |---|---|---|
//! | `version` | required | `1` |
//! | `reading.machine` | required | JSON pointer (RFC 6901) to the machine: a text of 1 to 256 characters, or a whole number |
//! | `reading.time` | required | pointer to the time: RFC 3339, or a number: below 1e11 seconds since 1970, otherwise milliseconds |
//! | `reading.line` | | pointer to the machine's line |
//! | `reading.id` | | pointer to the producer's own id of the reading; it is read and has no effect on judging |
//! | `reading.attributes` | | name → pointer to a text; numbers and booleans count as their text |
//! | `characteristics` | required | name → `{at: pointer}` or `{formula: expression}`, with an optional `unit` |
//! | `constants` | | name → a number, or `{by: attribute, values: {text: number}}` |
//! | `rules` | required | a list, at least one |
//!
//! A rule:
//!
//! | key | | what it says |
//! |---|---|---|
//! | `id` | required | lower-case words joined by `-`, at most 64 characters, unique |
//! | `when` | one of these | a condition that must not hold |
//! | `specification` | one of these | `{characteristic, lower, upper}`: at least one limit; a value on a limit conforms |
//! | `for` | | `{readings: N}` in a row, or `{seconds: N}` of reading time; default: fires at once |
//! | `severity` | | `info`, `warning` (default) or `critical`: a label for routing |
//! | `reaction` | | `record`, `notify` (default) or `stop-line`: what is done |
//! | `summary` | | a sentence with `{machine}`, `{line}` and any `{name}` of the plan; `{{` is a brace; default: rule, values, limits |
//!
//! Characteristics, attributes and constants share one space of names (letters, digits and `_`). Numbers in a summary
//! read as [`readable`] says.
//!
//! # Conditions and formulas
//!
//! Expressions of CEL (the Common Expression Language) over the plan's names: `&& || ! < <= > >= == != + - * /`,
//! `c ? a : b`, parentheses, `has(x)`, `abs(x)`, `min(x, y, …)`, `max(x, y, …)`; texts take `==`, `!=` and
//! `in ['a', 'b']`. A condition is a boolean, a formula a number; types are checked when the plan is read. At most 2,048
//! bytes and 32 levels of nesting.
//!
//! - Every number is a double, integer literals too: `7 / 2` is 3.5, where plain CEL says 3. Arithmetic is IEEE 754
//!   in the order written; nothing is folded or rewritten. `308.6 - 300.0 < 8.6` is false and `308.7 - 300.1 < 8.6`
//!   is true, as published labels expect.
//! - A characteristic has **no value** where the payload has none, or anything but a number there (a number in quotes is
//!   a text). An arithmetic result that is not finite (division by zero, overflow) is no value either, nor is a
//!   table's constant whose attribute is absent or not listed.
//! - What is computed from no value has no value, and a rule whose condition has none is *not applicable* to that
//!   reading. Except, as in CEL: `false && …` is false and `true || …` is true on whichever side they stand; of
//!   `c ? a : b` only `c` and the branch taken matter; `has(x)` is always true or false.
//!
//! # Readings
//!
//! [`ControlPlan::read`] walks the payload once and keeps only what pointers name. Of duplicate members the last wins.
//! A payload is refused ([`Unreadable`]) if it is not one JSON value (NaN and numbers beyond a double's range are none),
//! or lacks a machine or a time; everything else only makes rules not applicable.
//!
//! # Bounds
//!
//! A plan whose rules might need more than [`MAX_STATE_BYTES`] of state for one machine is refused. Evaluating takes no
//! allocation and a time linear in the length of the rules.

mod check;
mod digest;
mod expression;
mod number;
mod plan;
mod reading;
mod rule;

pub use check::fault::{PlanErrors, PlanFault};
pub use number::readable;
pub use plan::{Characteristic, ControlPlan, MAX_PLAN_BYTES};
pub use reading::{Reading, Unreadable};
pub use rule::{MAX_STATE_BYTES, Rule, RuleKind, Specification, Sustain, Verdict, When};
