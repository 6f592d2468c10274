//! What the SDK makes of a body on its way: chunks, trailers, checksums.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::not_implemented;
use crate::protocol::{Refusal, Request};

/// A body as it was before the SDK wrapped it, with the CRC32 that came along.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) content: Bytes,
    pub(super) crc32: Option<String>,
}

/// Unwraps `aws-chunked` and holds the content against what the request says of it.
pub(super) fn read(request: &Request) -> Result<Body, Refusal> {
    let is_chunked = request
        .header("x-amz-content-sha256")
        .is_some_and(|hash| hash.starts_with("STREAMING-"))
        || request
            .header("content-encoding")
            .is_some_and(|encoding| encoding.contains("aws-chunked"));
    let (content, trailers) = if is_chunked {
        unchunk(&request.body).ok_or_else(incomplete)?
    } else {
        (request.body.clone(), Vec::new())
    };
    if let Some(length) = request.header("x-amz-decoded-content-length")
        && length.parse() != Ok(content.len())
    {
        return Err(incomplete());
    }
    if let Some(expected) = request.header("content-md5") {
        let digest: [u8; 16] = Md5::digest(&content).into();
        if base64_simd::STANDARD.encode_to_string(digest) != expected {
            return Err(bad_digest("Content-MD5"));
        }
    }
    let in_trailer =
        |(name, value): &(String, String)| (name == "x-amz-checksum-crc32").then(|| value.clone());
    let unknown = trailers
        .iter()
        .map(|(name, _)| name)
        .find(|name| *name != "x-amz-checksum-crc32");
    if let Some(name) = unknown {
        return Err(not_implemented(name));
    }
    let in_header = request.header("x-amz-checksum-crc32").map(str::to_owned);
    let expected = in_header.or_else(|| trailers.iter().find_map(in_trailer));
    if let Some(expected) = &expected
        && base64_simd::STANDARD.encode_to_string(crc32(&content).to_be_bytes()) != *expected
    {
        return Err(bad_digest("CRC32"));
    }
    Ok(Body {
        content,
        crc32: expected,
    })
}

type Trailers = Vec<(String, String)>;

/// Each chunk is its length in hexadecimal, possibly a signature, and as many bytes; after an empty chunk come
/// the trailers.
fn unchunk(body: &Bytes) -> Option<(Bytes, Trailers)> {
    let mut content = Vec::with_capacity(body.len());
    let mut rest = body.as_ref();
    loop {
        let (header, after) = line(rest)?;
        let length = header.split(';').next()?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            rest = after;
            break;
        }
        content.extend_from_slice(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = Vec::new();
    while let Some((header, after)) = line(rest) {
        if let Some((name, value)) = header.split_once(':') {
            trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        rest = after;
    }
    Some((content.into(), trailers))
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

/// The CRC-32 of ISO 3309, reflected, as zip and S3 use it.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    };
    !bytes.iter().fold(!0, step)
}

fn incomplete() -> Refusal {
    Refusal::new(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

fn bad_digest(which: &str) -> Refusal {
    Refusal::new(
        "BadDigest",
        format!("The {which} you specified did not match the calculated checksum."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_trailers_come_apart() {
        let body = Bytes::from_static(
            b"4;chunk-signature=ab\r\nWiki\r\n5\r\npedia\r\n0\r\nx-amz-checksum-crc32:rcGoaw==\r\n\r\n",
        );
        let (content, trailers) = unchunk(&body).unwrap();
        assert_eq!(content, "Wikipedia");
        assert_eq!(
            trailers,
            [("x-amz-checksum-crc32".to_owned(), "rcGoaw==".to_owned())]
        );
        assert_eq!(unchunk(&Bytes::from_static(b"0\r\n\r\n")).unwrap().0, "");
        for broken in [
            "",
            "zz\r\n",
            "9\r\nWiki\r\n0\r\n\r\n",
            "4\r\nWikiXX0\r\n\r\n",
        ] {
            assert!(
                unchunk(&Bytes::from_static(broken.as_bytes())).is_none(),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn crc32_has_its_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
