//! Ids of invocations: counted, so that a run can be repeated, in the shape that Lambda gives them.

/// The request id and trace header of a host's `number`-th invocation.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
}

impl Identity {
    pub(crate) fn new(function: &str, number: u64) -> Self {
        let high = mix(name_hash(function).wrapping_add(number));
        let low = mix(high ^ number);
        let digits = |value: u64, bits: u32| value & ((1 << bits) - 1);
        Self {
            // Version 4, variant 1, as RFC 9562 lays a random UUID out.
            request_id: format!(
                "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                high >> 32,
                digits(high >> 16, 16),
                digits(high, 12),
                0x8000 | digits(low >> 48, 14),
                digits(low, 48),
            ),
            trace_id: format!(
                "Root=1-{:08x}-{:024x};Parent={low:016x};Sampled=0",
                high >> 32,
                low
            ),
        }
    }
}

/// FNV-1a: the same in every build, which the standard hasher does not promise.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads neighbours.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_differ_and_can_be_repeated() {
        let ids: BTreeSet<String> = (0..1_000)
            .flat_map(|number| {
                ["evaluator", "writer"].map(|name| Identity::new(name, number).request_id)
            })
            .collect();
        assert_eq!(ids.len(), 2_000);
        assert_eq!(
            Identity::new("writer", 3).request_id,
            Identity::new("writer", 3).request_id
        );
    }

    #[test]
    fn ids_have_the_shape_of_a_version_4_uuid() {
        for number in 0..100 {
            let id = Identity::new("writer", number).request_id;
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }
}
