//! The control plan: what is measured, its limits, and what is done when one is left, as a file that a quality
//! engineer writes and this crate checks, compiles and applies.
//!
//! The promises: a plan with a fault is refused with **every** fault named, each with line, column and a caret under
//! the spot; and a plan that is accepted reads and judges any payload without failing.
//!
//! ```
//! use control_plan::{ControlPlan, Evidence, Verdict};
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
//! assert_eq!(rule.verdict(&reading, &[]), Verdict::Fires);
//! assert_eq!(rule.summary(&reading, &Evidence::Reading), "power-high: power 9424.78 W on press-07 (power > 9000.0)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The file
//!
//! YAML (JSON is a part of it), at most 256 KiB, without anchors, aliases and tags. Editors complete and check it by the
//! JSON Schema beside the example plans, `infra/plans/control-plan.schema.json` (a plan names it in its first line,
//! `# yaml-language-server: $schema=control-plan.schema.json`), which is generated from this crate (feature `schema`).
//!
//! | key | | what it says |
//! |---|---|---|
//! | `version` | required | `1` |
//! | `reading.machine` | required | JSON pointer (RFC 6901) to the machine: a text of 1 to 256 characters, or a whole number |
//! | `reading.time` | required | pointer to the time: RFC 3339, or a number: below 1e11 seconds since 1970, otherwise milliseconds |
//! | `reading.line` | | pointer to the machine's line |
//! | `reading.id` | | pointer to the producer's own id of the reading: a text or a whole number. Of a machine's readings with one id the first is judged |
//! | `reading.attributes` | | name → pointer to a text; numbers and booleans count as their text |
//! | `characteristics` | required | name → `{at: pointer}` or `{formula: expression}`, with an optional `unit` |
//! | `constants` | | name → a number, or `{by: attribute, values: {text: number}}` |
//! | `rules` | required | a list, at least one |
//! | `model` | | a [model](#the-model) that is asked about every reading |
//!
//! Characteristics, attributes and constants share one space of names (letters, digits and `_`, at most 64 characters).
//!
//! # Rules
//!
//! | key | | what it says |
//! |---|---|---|
//! | `id` | required | lower-case words joined by `-`, at most 64 characters, unique |
//! | the kind | required | one of the keys below |
//! | `for` | | `{readings: N}` in a row, or `{seconds: N}` of reading time (0.001 to a week); default: fires at once. Not with `stuck`, `missing` and `gap`, which say it themselves |
//! | `severity` | | `info`, `warning` (default) or `critical`: a label for routing |
//! | `reaction` | | `record`, `notify` (default) or `stop-line`: what is done |
//! | `summary` | | a sentence with `{machine}`, `{line}` and any `{name}` of the plan, in chart rules `{tests}`; `{{` is a brace; default: rule, values, limits |
//!
//! | kind | its keys | it fires when |
//! |---|---|---|
//! | `when` | a condition | the condition is true |
//! | `specification` | `characteristic`, `lower`, `upper`, `subgroup` | the value is below the lower or above the upper specification limit (one of them suffices); a value on a limit conforms. `subgroup`: 2 to 25 readings in a row, for the capability within subgroups; it decides no verdict |
//! | `chart` | [below](#charts) | one of the chart's tests does |
//! | `rate` | `characteristic`, `max_per_second` (above 0) | the value changed since the latest one by more than that per second of reading time, up or down. Not applicable where time does not advance |
//! | `stuck` | `characteristic`, `readings` (2 to 1,000,000), `tolerance` (0) | so many readings in a row, and each further one, lie within the tolerance of the first of the row |
//! | `missing` | `characteristic`, `readings` (1 to 1,000,000) | so many readings in a row, and each further one, have no value |
//! | `gap` | `seconds` (0.001 to a week) | no reading came for longer than that; seen at the reading that ends the silence |
//!
//! A reading that lacks what a rule needs makes it *not applicable* ([`Verdict`]): it neither counts, breaks nor clears.
//! What rules remember from reading to reading is the business of the crate `judgement`; here are the parts that one
//! reading decides.
//!
//! # Charts
//!
//! | `type` | plotted | its own keys |
//! |---|---|---|
//! | `individuals` | each value, with its moving range | `tests` |
//! | `xbar-r`, `xbar-s` | means of subgroups, with range or standard deviation | `subgroup`, `tests` |
//! | `ewma` | the exponentially weighted moving average | `lambda`, `width` (3), `limits` (`time-varying`, or `steady`) |
//! | `cusum` | the tabular CUSUM, both sides | `k` (0.5), `h` (5), `head_start` (0), all in sigmas |
//! | `p`, `u` | a count by its size: proportion, per unit | `size`, `tests` |
//! | `np` | a count in samples of one size | `size`, `tests` |
//! | `c` | a count | `tests` |
//!
//! | key | what it says |
//! |---|---|
//! | `characteristic` | what is charted; for p, np, c and u it is the count |
//! | `center`, `sigma` | the process in control: target and standard deviation of single values. p, np, c and u take `center` alone (a proportion, the expected count, the count per unit) |
//! | `learn` | instead of these: so many points (10 to 100,000) that phase I learns them from; none of them is judged |
//! | `tests` | `limits` (default), `western-electric`, `nelson`, or a list of single tests, as in `[beyond-limits, nelson-3]` |
//! | `subgroup` | 2 to 25 readings in a row, or `{by: attribute}`: a change of the attribute ends a subgroup, and so does its 25th reading |
//! | `size` | items or units in each sample: a number, or for p and u the characteristic that counts them |
//! | `reset_on` | an attribute, or a list: when its text changes, the chart forgets its points (a new tool) |
//! | `relearn_on` | likewise, and it forgets what it has learned (a new product). Neither an absent attribute nor its first text is a change |
//!
//! Formulas, limits, tests and phase I are those of the crate `control-chart`. `limits` are the chart's own tests,
//! `beyond-limits` and that of its second chart (`moving-range-`, `range-`, `standard-deviation-beyond-limits`); the
//! groups `western-electric` (1 to 4) and `nelson` (1 to 8) contain the second chart's too. An ewma or a cusum takes no
//! tests: its points depend on one another.
//!
//! # The model
//!
//! | key | | what it says |
//! |---|---|---|
//! | `id` | required | like a rule's id, and none of theirs: events carry it |
//! | `features` | required | a list, in the order that the model was trained on: a characteristic's name, `{name, formula}`, or `{one_hot: attribute, of: [texts]}`, a column of 0 or 1 for each text. A reading that lacks one is not scored; a text that is not listed leaves its columns 0 |
//! | `request` | | `text/csv` (default; no header), `application/jsonlines` (`{"features": [...]}`) or `application/json` (`{"instances": [{"features": [...]}]}`) |
//! | `answer` | | `content_type` (that of the request), `rows` (a pointer to the array, in `application/json`), `score` (a pointer into a row: `/1` its second column) |
//! | `thresholds` | required | rising `{score, severity, reaction}`: a reading with at least the lowest score is flagged, the highest that it reaches counts |
//! | `summary` | | as in rules, with `{score}` |
//!
//! Who asks the model is no business of this crate: it makes the row ([`ControlPlan::features`]) and says what a score
//! calls for ([`Model::reached`]).
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
//! - `previous(x)` is the value that the characteristic x had when it last had one before this reading, for this
//!   machine and this rule; no value at first. It stands in conditions only: formulas have no memory.
//!
//! # What events carry
//!
//! [`Rule::values`]: the value of each characteristic that the rule names, and what the rule found. Names that the plan
//! does not know have a dot, which no name of a plan has:
//!
//! | kind | besides the characteristics' own values |
//! |---|---|
//! | `rate` | `torque.per_second` |
//! | `gap` | `reading.gap_seconds` |
//! | every chart | `torque.center`, `torque.lower_limit`, `torque.upper_limit`, where they exist (cusum: the upper alone) |
//! | `individuals` | `torque.moving_range` |
//! | `xbar-r`, `xbar-s` | `torque.mean`, with `torque.range` or `torque.standard_deviation` |
//! | `ewma` | `torque.ewma` |
//! | `cusum` | `torque.cusum_high`, `torque.cusum_low` |
//! | `p`, `u` | `defects.proportion`, `defects.per_unit` |
//!
//! An episode keeps the extreme of [`Rule::tracked`]: characteristics of conditions, specifications and `stuck`; of a
//! chart the plotted statistic (`torque.cusum`: the larger sum); the rate; the silence. Numbers in a summary read as
//! [`readable`] says.
//!
//! # Readings
//!
//! [`ControlPlan::read`] walks the payload once and keeps only what pointers name.
//!
//! | the payload has | what comes of it |
//! |---|---|
//! | something else than one JSON value; a byte-order mark; `NaN`, `Infinity`, `+1`, `.5`, `01` anywhere | refused: [`Unreadable`], `not-json`. It is set aside with its bytes: the producer is at fault, and no rule could tell |
//! | a number beyond a double's range (`1e999`) where a pointer leads | refused likewise; elsewhere it is skipped |
//! | no machine, an empty one, one of more than 256 characters, a fraction | refused: `no-machine`, `bad-machine` |
//! | no time, or none that is RFC 3339 or a number between the years -9999 and 9999 | refused: `no-time`, `bad-time` |
//! | a number in quotes, a boolean, null, an object or an array for a characteristic | no value: rules that need it are not applicable, `missing` counts it |
//! | `-0` | zero: equal to 0 in every comparison |
//! | a whole number beyond 2^53, or more digits than a double has | the nearest double. Machines, lines, ids and attributes keep every digit of whole numbers up to 64 bits |
//! | a number too small for a double (`1e-999`) | 0 |
//! | a member twice | the last one wins, with all that is below it |
//! | time running backwards, a time or a `reading.id` seen before | a reading like any other here; `judgement` decides |
//!
//! # Bounds
//!
//! | of a plan | at most |
//! |---|---|
//! | state of one machine ([`ControlPlan::state_bytes`]) | 32 KiB ([`MAX_STATE_BYTES`]): the worst case of every rule, an open episode included, and of the latest reading ids |
//! | steps for one reading ([`ControlPlan::steps`]) | 20,000 ([`MAX_STEPS`]): operations of formulas and conditions, texts compared with, tests of charts |
//! | rules, characteristics, entries of a table | 1,000 each; 100 attributes |
//!
//! Beyond these a plan is refused. Evaluating allocates nothing and takes a time linear in the length of the rules.

mod check;
mod digest;
mod expression;
mod model;
mod number;
mod plan;
mod reading;
mod rule;
#[cfg(feature = "schema")]
mod schema;

pub use check::fault::{PlanErrors, PlanFault};
pub use expression::is_reserved_word;
pub use model::{Answer, ContentType, Model, NoFeature, Threshold};
pub use number::readable;
pub use plan::{Characteristic, ControlPlan, MAX_PLAN_BYTES, MAX_STEPS};
pub use reading::{AttributeId, CharacteristicId, Pointed, Reading, Unreadable};
pub use rule::{
    ChartRule, Evidence, Gap, MAX_STATE_BYTES, Missing, Rate, Rule, RuleKind, SampleSize,
    Specification, Stuck, Sustain, Verdict, When,
};
#[cfg(feature = "schema")]
pub use schema::json_schema;
