//! `andon redrive show`: the records of an object or a file, as lines that a person can edit.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::held::Held;
use super::lines;
use super::lines_file::LinesFile;
use super::place::Where;
use super::source::{Source, read_file};
use crate::failure::Failure;

/// The records of an object or a file, as lines that can be edited
///
/// A payload stands under `text` where it is text, else in base64 under `data`. What holds an `envelope`, an aggregate or a
/// record that cannot be read, is shown as it stood in the event: its payload is in there, in base64 under `kinesis.data`.
/// `andon redrive run FILE` takes the lines back, edited or not.
#[derive(Args, Clone, Debug)]
pub struct Show {
    /// An object's key, or a file
    #[arg(value_name = "KEY|FILE")]
    what: Source,
    /// Write the lines here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Where,
}

impl Show {
    /// Writes the lines.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        let held = match &self.what {
            Source::File(path) => read_file(path)?,
            Source::Key(key) => self.place.find().await?.bucket()?.read(key).await?,
        };
        self.write(&held, out)
    }

    fn write(&self, held: &[Held], out: &mut impl Write) -> Result<(), Failure> {
        let Some(path) = &self.out else {
            let lines = lines::write(held).map_err(std::io::Error::from)?;
            return Ok(out.write_all(&lines)?);
        };
        let mut file = LinesFile::create(path)?;
        file.add(held)?;
        Ok(writeln!(out, "{}", file.summary())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redrive::held::tests::parked;

    #[test]
    fn lines_go_to_the_file_and_the_next_step_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fixed.ndjson");
        let show = Show {
            what: Source::Key("parked/x".into()),
            out: Some(path.clone()),
            place: Where::default(),
        };
        let mut out = Vec::new();
        show.write(&[parked(1)], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("1 record in ") && text.contains("andon redrive run"),
            "{text}"
        );
        let held = read_file(&path).unwrap();
        assert_eq!(held[0].record, parked(1).record);
        assert_eq!(held[0].origin, parked(1).origin);
        std::fs::write(&path, "edited").unwrap();
        let refused = show.write(&[parked(1)], &mut Vec::new()).unwrap_err();
        assert_eq!(refused.exit_code(), 2, "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "edited");
    }
}
