//! Rows as a request's body: text/csv, or the dense forms of JSON that SageMaker's own algorithms take. Pure.
//!
//! Each row is encoded once; a body is rows in a frame, so that halving a call costs no encoding.

use control_plan::ContentType;

/// What stands around and between the rows of a content type.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    head: &'static str,
    between: &'static str,
    tail: &'static str,
}

impl Form {
    /// The content type's.
    pub fn of(content_type: ContentType) -> Self {
        match content_type {
            ContentType::Csv | ContentType::JsonLines => Self {
                head: "",
                between: "\n",
                tail: "\n",
            },
            ContentType::Json => Self {
                head: "{\"instances\":[",
                between: ",",
                tail: "]}",
            },
        }
    }

    /// The bytes that a body has besides its rows, at most, and per row.
    pub fn weights(self) -> (usize, usize) {
        (self.head.len() + self.tail.len(), self.between.len())
    }

    /// The body that holds these rows.
    pub fn body<'r>(self, rows: impl Iterator<Item = &'r str>) -> Vec<u8> {
        let mut body = self.head.to_owned();
        for (n, row) in rows.enumerate() {
            if n > 0 {
                body.push_str(self.between);
            }
            body.push_str(row);
        }
        body.push_str(self.tail);
        body.into_bytes()
    }
}

/// One row. Numbers are written so that reading them gives the same double.
pub fn encode(content_type: ContentType, features: &[f64]) -> String {
    let mut row = String::with_capacity(features.len() * 20 + 16);
    let mut numbers = zmij::Buffer::new();
    if content_type != ContentType::Csv {
        row.push_str("{\"features\":[");
    }
    for (n, feature) in features.iter().enumerate() {
        if n > 0 {
            row.push(',');
        }
        row.push_str(numbers.format(*feature));
    }
    if content_type != ContentType::Csv {
        row.push_str("]}");
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: ContentType, rows: &[&[f64]], expected: &str) {
        let rows: Vec<String> = rows.iter().map(|row| encode(content_type, row)).collect();
        let body = Form::of(content_type).body(rows.iter().map(String::as_str));
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn each_content_type_has_its_form() {
        let rows: [&[f64]; 2] = [&[42.8, 0.0, 1e300], &[-1.5, 1.0, 0.1]];
        check(ContentType::Csv, &rows, "42.8,0.0,1e+300\n-1.5,1.0,0.1\n");
        check(
            ContentType::JsonLines,
            &rows,
            "{\"features\":[42.8,0.0,1e+300]}\n{\"features\":[-1.5,1.0,0.1]}\n",
        );
        check(
            ContentType::Json,
            &rows,
            "{\"instances\":[{\"features\":[42.8,0.0,1e+300]},{\"features\":[-1.5,1.0,0.1]}]}",
        );
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        for number in [
            0.1 + 0.2,
            1.0 / 3.0,
            5e-324,
            f64::MAX,
            -0.0,
            123_456_789.123,
        ] {
            let row = encode(ContentType::Csv, &[number]);
            assert_eq!(
                row.parse::<f64>().unwrap().to_bits(),
                number.to_bits(),
                "{row}"
            );
        }
    }
}
