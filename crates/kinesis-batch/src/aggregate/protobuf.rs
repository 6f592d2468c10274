//! Protobuf's wire format, as far as the aggregated record needs it: varints and length-delimited fields.
//! Reading never allocates and never panics.
//!
//! Format: <https://protobuf.dev/programming-guides/encoding/>.

/// A field's value on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes: the aggregated record has no such field.
    Fixed,
}

/// The bytes are not a message, or have a group (deprecated, and never written by a producer library).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// A message's fields in the order of the wire; ends after the first fault.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), Broken> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Broken)?;
        let number = tag >> 3;
        if number == 0 {
            return Err(Broken);
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.bytes(8).map(|_| Value::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| Broken)?;
                Value::Bytes(self.bytes(len)?)
            }
            5 => self.bytes(4).map(|_| Value::Fixed)?,
            _ => return Err(Broken),
        };
        Ok((number, value))
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0_u64;
        for (index, &byte) in self.0.iter().take(MAX_VARINT_LEN).enumerate() {
            // The tenth byte holds the 64th bit alone.
            if index == MAX_VARINT_LEN - 1 && byte > 1 {
                return Err(Broken);
            }
            value |= u64::from(byte & 0x7F) << (7 * index);
            if byte < 0x80 {
                self.0 = &self.0[index + 1..];
                return Ok(value);
            }
        }
        Err(Broken)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Broken> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Broken)?;
        self.0 = rest;
        Ok(bytes)
    }
}

const MAX_VARINT_LEN: usize = 10;

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

pub(super) fn put_varint_field(out: &mut Vec<u8>, number: u32, value: u64) {
    put_varint(out, u64::from(number << 3));
    put_varint(out, value);
}

pub(super) fn put_bytes_field(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_bytes_header(out, number, bytes.len());
    out.extend_from_slice(bytes);
}

pub(super) fn put_bytes_header(out: &mut Vec<u8>, number: u32, len: usize) {
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, len as u64);
}

/// The length of a field whose number is below 16.
pub(super) fn varint_field_len(value: u64) -> usize {
    1 + varint_len(value)
}

/// The length of a field whose number is below 16.
pub(super) fn bytes_field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_len(value: u64) -> usize {
    (u64::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_survive_at_every_length() {
        let mut values = vec![0, u64::MAX];
        values.extend((0..64).flat_map(|bit| [1_u64 << bit, (1_u64 << bit) - 1]));
        for value in values {
            let mut out = Vec::new();
            put_varint_field(&mut out, 1, value);
            assert_eq!(out.len(), varint_field_len(value), "{value}");
            assert_eq!(Fields::of(&out).next(), Some(Ok((1, Value::Varint(value)))));
        }
    }

    #[test]
    fn a_fault_ends_the_walk() {
        let overlong = [&[0x08][..], &[0x80; 10], &[0x01]].concat();
        let beyond_64_bits = [&[0x08][..], &[0xFF; 9], &[0x02]].concat();
        let cases: [(&str, &[u8]); 9] = [
            ("field number 0", &[0x00, 0x00]),
            ("a group", &[0x0B, 0x0C]),
            ("wire type 6", &[0x0E, 0x00]),
            ("no value", &[0x08]),
            ("bytes beyond the end", &[0x0A, 0x02, 0x00]),
            (
                "a length beyond memory",
                &[
                    0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,
                ],
            ),
            ("four bytes cut short", &[0x0D, 1, 2, 3]),
            ("a varint of eleven bytes", &overlong),
            ("a varint of 65 bits", &beyond_64_bits),
        ];
        for (name, message) in cases {
            assert_eq!(
                Fields::of(message).collect::<Vec<_>>(),
                [Err(Broken)],
                "{name}"
            );
        }
    }
}
