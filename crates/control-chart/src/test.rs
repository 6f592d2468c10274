//! The names of the tests, and sets of them.

use crate::ChartKind;

/// A test that a point may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// The point is beyond a control limit.
    BeyondLimits,
    /// The moving range is beyond its limit.
    MovingRangeBeyondLimits,
    /// The subgroup's range is beyond a limit.
    RangeBeyondLimits,
    /// The subgroup's standard deviation is beyond a limit.
    StandardDeviationBeyondLimits,
    /// One beyond 3 sigma.
    WesternElectric1,
    /// Two of three beyond 2 sigma.
    WesternElectric2,
    /// Four of five beyond 1 sigma.
    WesternElectric3,
    /// Eight in a row on one side.
    WesternElectric4,
    /// One beyond 3 sigma.
    Nelson1,
    /// Nine in a row on one side.
    Nelson2,
    /// Six in a row rising or falling.
    Nelson3,
    /// Fourteen in a row alternating.
    Nelson4,
    /// Two of three beyond 2 sigma.
    Nelson5,
    /// Four of five beyond 1 sigma.
    Nelson6,
    /// Fifteen in a row within 1 sigma.
    Nelson7,
    /// Eight in a row outside 1 sigma, on both sides.
    Nelson8,
}

impl Test {
    /// Every test, in the order in which they are told.
    pub const ALL: [Self; 16] = [
        Self::BeyondLimits,
        Self::MovingRangeBeyondLimits,
        Self::RangeBeyondLimits,
        Self::StandardDeviationBeyondLimits,
        Self::WesternElectric1,
        Self::WesternElectric2,
        Self::WesternElectric3,
        Self::WesternElectric4,
        Self::Nelson1,
        Self::Nelson2,
        Self::Nelson3,
        Self::Nelson4,
        Self::Nelson5,
        Self::Nelson6,
        Self::Nelson7,
        Self::Nelson8,
    ];

    /// The test's name in plans and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeyondLimits => "beyond-limits",
            Self::MovingRangeBeyondLimits => "moving-range-beyond-limits",
            Self::RangeBeyondLimits => "range-beyond-limits",
            Self::StandardDeviationBeyondLimits => "standard-deviation-beyond-limits",
            Self::WesternElectric1 => "western-electric-1",
            Self::WesternElectric2 => "western-electric-2",
            Self::WesternElectric3 => "western-electric-3",
            Self::WesternElectric4 => "western-electric-4",
            Self::Nelson1 => "nelson-1",
            Self::Nelson2 => "nelson-2",
            Self::Nelson3 => "nelson-3",
            Self::Nelson4 => "nelson-4",
            Self::Nelson5 => "nelson-5",
            Self::Nelson6 => "nelson-6",
            Self::Nelson7 => "nelson-7",
            Self::Nelson8 => "nelson-8",
        }
    }
}

/// A set of tests.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Tests(u16);

impl Tests {
    const WESTERN_ELECTRIC: Self = Self(0b1111 << Test::WesternElectric1 as u16);
    const NELSON: Self = Self(0b1111_1111 << Test::Nelson1 as u16);

    /// The set of one.
    pub const fn of(test: Test) -> Self {
        Self(1 << test as u16)
    }

    /// A chart's own tests: its limits, and those of its second chart.
    pub fn limits(kind: ChartKind) -> Self {
        Self::of(Test::BeyondLimits).union(Self::second_chart(kind))
    }

    /// The four Western Electric tests, and the limits of the second chart.
    pub fn western_electric(kind: ChartKind) -> Self {
        Self::WESTERN_ELECTRIC.union(Self::second_chart(kind))
    }

    /// Nelson's eight tests, and the limits of the second chart.
    pub fn nelson(kind: ChartKind) -> Self {
        Self::NELSON.union(Self::second_chart(kind))
    }

    /// The test of the chart's second chart, if it has one.
    pub(crate) fn second_chart(kind: ChartKind) -> Self {
        match kind {
            ChartKind::Individuals => Self::of(Test::MovingRangeBeyondLimits),
            ChartKind::XbarR(_) => Self::of(Test::RangeBeyondLimits),
            ChartKind::XbarS(_) => Self::of(Test::StandardDeviationBeyondLimits),
            _ => Self::default(),
        }
    }

    /// The tests that a chart of this kind can run.
    pub(crate) fn possible(kind: ChartKind) -> Self {
        match kind {
            ChartKind::Ewma { .. } | ChartKind::Cusum { .. } => Self::of(Test::BeyondLimits),
            _ => Self::limits(kind)
                .union(Self::WESTERN_ELECTRIC)
                .union(Self::NELSON),
        }
    }

    /// Adds a test.
    pub fn insert(&mut self, test: Test) {
        *self = self.union(Self::of(test));
    }

    /// Whether the test is in the set.
    pub const fn contains(self, test: Test) -> bool {
        self.0 & Self::of(test).0 != 0
    }

    /// Whether any test of the other set is in this one.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in either.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The tests, in their order.
    pub fn iter(self) -> impl Iterator<Item = Test> {
        Test::ALL
            .into_iter()
            .filter(move |test| self.contains(*test))
    }

    /// Adds those of `tests` that are wanted, if `fires`.
    pub(crate) fn raise(&mut self, wanted: Self, tests: Self, fires: bool) {
        if fires {
            self.0 |= wanted.0 & tests.0;
        }
    }
}

impl FromIterator<Test> for Tests {
    fn from_iter<I: IntoIterator<Item = Test>>(tests: I) -> Self {
        tests
            .into_iter()
            .fold(Self::default(), |set, test| set.union(Self::of(test)))
    }
}

impl std::fmt::Debug for Tests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Test::as_str))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_sets_hold_what_was_put_in() {
        let names: std::collections::BTreeSet<_> = Test::ALL.map(Test::as_str).into();
        assert_eq!(names.len(), Test::ALL.len());
        for test in Test::ALL {
            assert_eq!(Tests::of(test).iter().collect::<Vec<_>>(), [test]);
        }
        let nelson: Vec<_> = Tests::nelson(ChartKind::C)
            .iter()
            .map(Test::as_str)
            .collect();
        assert_eq!(
            (nelson.len(), nelson[0], nelson[7]),
            (8, "nelson-1", "nelson-8")
        );
        let own: Vec<_> = Tests::limits(ChartKind::Individuals).iter().collect();
        assert_eq!(own, [Test::BeyondLimits, Test::MovingRangeBeyondLimits]);
        assert_eq!(Tests::western_electric(ChartKind::C).iter().count(), 4);
    }
}
