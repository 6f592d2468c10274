//! Why an installation failed, told from what pip and venv print: they have one exit code for everything.

/// Why an installation failed, read from what pip says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallFault {
    /// The package index could not be reached.
    IndexUnreachable,
    /// The index answered with a certificate that Python does not trust.
    IndexUntrusted,
    /// The index was reached and lacks a pinned version.
    IndexLacksVersion,
    /// No space left.
    DiskFull,
    /// The folder cannot be written.
    NotWritable,
    /// The user's own settings have led pip to another folder.
    Elsewhere,
    /// Something else: the output tells.
    Other,
}

impl InstallFault {
    /// The first sign wins: a full disk or a dead network makes pip complain about much else afterwards.
    pub fn of(output: &str) -> Self {
        SIGNS
            .iter()
            .find(|(_, signs)| signs.iter().any(|sign| output.contains(sign)))
            .map_or(Self::Other, |(fault, _)| *fault)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::IndexUnreachable => "the package index is out of reach",
            Self::IndexUntrusted => {
                "the package index has a certificate that Python does not trust"
            }
            Self::IndexLacksVersion => "the package index does not offer a pinned version",
            Self::DiskFull => "the disk is full",
            Self::NotWritable => "the target folder cannot be written",
            Self::Elsewhere => "pip has put the packages somewhere else",
            Self::Other => "pip ended with an error",
        }
    }

    pub(super) fn cure(self) -> &'static str {
        match self {
            Self::IndexUnreachable => {
                "check the network (pip reads HTTPS_PROXY, and PIP_INDEX_URL for an index of your own) and run again; \
                 only the first run needs it"
            }
            Self::IndexUntrusted => {
                "give PIP_CERT the file with your network's root certificate and run again"
            }
            Self::IndexLacksVersion => {
                "let PIP_INDEX_URL name an index that has it (https://pypi.org/simple), or use a Python for which the \
                 version exists"
            }
            Self::DiskFull => "free about 300 MB where the target folder is and run again",
            Self::NotWritable => "make the folder target/andon writable and run again",
            Self::Elsewhere => {
                "take target, prefix and root out of your settings for pip (`python3 -m pip config list` shows them) and run \
                 again"
            }
            Self::Other => "the output ends so:",
        }
    }
}

/// Most specific first.
const SIGNS: &[(InstallFault, &[&str])] = &[
    (
        InstallFault::DiskFull,
        &["No space left on device", "Errno 28", "Disk quota exceeded"],
    ),
    (
        InstallFault::IndexUntrusted,
        &["CERTIFICATE_VERIFY_FAILED", "certificate verify failed"],
    ),
    (
        InstallFault::IndexUnreachable,
        &[
            "after connection broken by",
            "NewConnectionError",
            "Max retries exceeded",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ProxyError",
            "SSLError",
            "Name or service not known",
            "Temporary failure in name resolution",
            "nodename nor servname provided",
            "Network is unreachable",
            "not a trusted or secure host",
        ],
    ),
    (
        InstallFault::NotWritable,
        &["Permission denied", "Read-only file system"],
    ),
    (
        InstallFault::IndexLacksVersion,
        &["No matching distribution found"],
    ),
    // What Python says after an installation that ended well; the names are those of the environments.
    (
        InstallFault::Elsewhere,
        &["No module named 'ministack'", "No module named 'awscli'"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Each text was printed by pip or venv in the situation named.
    #[test]
    fn tells_from_the_output_why_an_installation_failed() {
        for (fault, output) in [
            (
                InstallFault::IndexUnreachable,
                "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection \
                 broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object at 0x7faeedc7e590>: \
                 Failed to establish a new connection: [Errno 111] Connection refused')': /simple/ministack/\n\
                 ERROR: Could not find a version that satisfies the requirement ministack==1.5.33 (from versions: none)\n\
                 ERROR: No matching distribution found for ministack==1.5.33",
            ),
            (
                InstallFault::IndexUnreachable,
                "WARNING: Retrying (Retry(total=0)) after connection broken by 'ProxyError('Cannot connect to proxy.', \
                 NewConnectionError('…: [Errno 111] Connection refused'))': /simple/ministack/\n\
                 ERROR: No matching distribution found for ministack==1.5.33",
            ),
            (
                InstallFault::IndexUntrusted,
                "WARNING: Retrying (Retry(total=1)) after connection broken by 'SSLError(SSLCertVerificationError(1, \
                 '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate'))': /simple/six/",
            ),
            (
                InstallFault::IndexLacksVersion,
                "ERROR: Could not find a version that satisfies the requirement ministack==1.5.33 (from versions: 1.0.7)\n\
                 ERROR: No matching distribution found for ministack==1.5.33",
            ),
            (
                InstallFault::DiskFull,
                "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            ),
            (
                InstallFault::NotWritable,
                "Error: [Errno 13] Permission denied: '/srv/target/andon/venv-ministack'",
            ),
            (
                InstallFault::Elsewhere,
                "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n\
                 ModuleNotFoundError: No module named 'ministack'",
            ),
            (
                InstallFault::Other,
                "ERROR: Cannot install six==1.0 and six==2.0 because of conflicting dependencies.",
            ),
        ] {
            assert_eq!(InstallFault::of(output), fault, "{output}");
        }
    }
}
