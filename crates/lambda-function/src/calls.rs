//! Cutting a batch into calls that stay within a service's limits.

/// The limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// The most entries.
    pub entries: usize,
    /// The most bytes.
    pub bytes: usize,
}

impl CallLimits {
    /// `entries` cut into calls, in their order. An entry that is over the limit by itself makes a call of its own.
    pub fn cut<T>(self, entries: &[T], bytes_of: impl Fn(&T) -> usize) -> Vec<&[T]> {
        let mut calls = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (index, entry) in entries.iter().enumerate() {
            let entry_bytes = bytes_of(entry);
            if index - start == self.entries || (index > start && bytes + entry_bytes > self.bytes)
            {
                calls.push(&entries[start..index]);
                (start, bytes) = (index, 0);
            }
            bytes += entry_bytes;
        }
        if start < entries.len() {
            calls.push(&entries[start..]);
        }
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CallLimits = CallLimits {
        entries: 10,
        bytes: 1_000,
    };

    #[track_caller]
    fn check(sizes: &[usize], expected: &[usize]) {
        let lengths: Vec<_> = LIMITS
            .cut(sizes, |size| *size)
            .into_iter()
            .map(<[_]>::len)
            .collect();
        assert_eq!(lengths, expected);
    }

    #[test]
    fn a_call_stays_within_entries_and_bytes() {
        check(&[], &[]);
        check(&[1; 10], &[10]);
        check(&[1; 11], &[10, 1]);
        check(&[999, 1], &[2]);
        check(&[1_000, 1], &[1, 1]);
        check(&[500; 3], &[2, 1]);
        check(&[101; 10], &[9, 1]);
        check(&[2_000, 1], &[1, 1]);
    }
}
