//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;

/// `arn:partition:service:region:account:resource`, checked for its shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn(String);

/// The text has not the shape of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form arn:partition:service:region:account:resource")]
pub struct BadArn;

impl Arn {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The third part, e.g. `sns`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// What comes after the account, colons included.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }
}

impl FromStr for Arn {
    type Err = BadArn;

    /// Region and account may be empty (as in a bucket's); all else must be there.
    fn from_str(text: &str) -> Result<Self, BadArn> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts[..] {
            ["arn", partition, service, _, _, resource]
                if !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(BadArn),
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_parts() {
        let arn: Arn = "arn:aws:sns:eu-central-1:123456789012:andon-alerts"
            .parse()
            .unwrap();
        assert_eq!((arn.service(), arn.resource()), ("sns", "andon-alerts"));
        let group: Arn = "arn:aws:logs:eu-central-1:123456789012:log-group:a:*"
            .parse()
            .unwrap();
        assert_eq!(group.resource(), "log-group:a:*");
        assert!("arn:aws:s3:::bucket/key".parse::<Arn>().is_ok());
    }

    #[test]
    fn refuses_what_has_not_its_shape() {
        for text in [
            "",
            "andon-alerts",
            "arn:aws:sns:eu-central-1:1",
            "arn:aws::r:a:x",
            "arn:aws:sns:r:a:",
        ] {
            assert_eq!(text.parse::<Arn>(), Err(BadArn), "{text}");
        }
    }
}
