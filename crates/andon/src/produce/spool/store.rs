//! The spool's files: segments that are appended to and read from, and the position between the two.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failure::Failure;

/// A segment that has grown to so many bytes is followed by another.
const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
/// What a spool must hold at least: two groups of lines.
pub const MIN_BYTES: u64 = 16 * 1024 * 1024;

/// A spool that has been opened: this process's own until both its writer and its reader are gone.
#[derive(Debug)]
pub struct Kept {
    /// Takes lines in.
    pub writer: Writer,
    /// Gives them back, from where the last process came to.
    pub reader: Reader,
    /// What lies there already, in bytes.
    pub bytes: u64,
}

/// Opens the spool in `dir`, which is created if it is not there.
///
/// # Errors
/// If another process uses it, or it cannot be read or written.
pub fn open(dir: &Path) -> Result<Kept, Failure> {
    let unusable = |error: io::Error| {
        Failure::input(format_args!("cannot use the spool {}", dir.display())).caused_by(error)
    };
    fs::create_dir_all(dir).map_err(unusable)?;
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))
        .map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(unusable(error)),
        Err(TryLockError::WouldBlock) => {
            let message = format_args!("another process uses the spool {}", dir.display());
            return Err(Failure::input(message).cure("give each producer a spool of its own"));
        }
    }
    restore(dir, lock).map_err(unusable)
}

fn restore(dir: &Path, lock: File) -> io::Result<Kept> {
    let lock = Arc::new(lock);
    let segments = segments(dir)?;
    if let Some(last) = segments.last() {
        end_line(&path(dir, *last))?;
    }
    let next = segments.last().map_or(1, |last| last + 1);
    let first = segments.first().copied().unwrap_or(next);
    let start = Position {
        segment: first,
        offset: 0,
    };
    let at = match Position::read(dir) {
        Some(at) if at.segment >= first => at,
        _ => start,
    };
    let mut bytes = 0;
    for segment in segments.range(at.segment..) {
        bytes += fs::metadata(path(dir, *segment))?.len();
    }
    // Where the disk lost what a position had counted on, there is less than it says.
    let bytes = match segments.contains(&at.segment) {
        true => bytes.saturating_sub(at.offset),
        false => bytes,
    };
    Ok(Kept {
        writer: Writer {
            // A number that a position has named before is not given again: it would be read from the middle.
            segment: Segment::create(dir, next.max(at.segment + 1))?,
            dir: dir.to_owned(),
            line: Vec::new(),
            _lock: Arc::clone(&lock),
        },
        reader: Reader {
            dir: dir.to_owned(),
            at,
            _lock: lock,
        },
        bytes,
    })
}

/// What a process was writing when it was killed is a line like any other; whether it is whole shows in the pipeline.
fn end_line(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last != *b"\n" {
        file.write_all(b"\n")?;
        file.sync_data()?;
    }
    Ok(())
}

fn path(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("{segment:020}.ndjson"))
}

fn segments(dir: &Path) -> io::Result<BTreeSet<u64>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".ndjson"));
        found.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    Ok(found)
}

/// Up to where the stream has accepted everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    segment: u64,
    offset: u64,
}

impl Position {
    fn read(dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(dir.join("position")).ok()?;
        let mut numbers = text.split_ascii_whitespace().map(str::parse);
        let mut number = || numbers.next()?.ok();
        let at = Self {
            segment: number()?,
            offset: number()?,
        };
        (number() == Some(at.check())).then_some(at)
    }

    /// In place, for a full disk has no room for another file: what it needs to be freed is this very position. The check
    /// tells one that was written half.
    fn write(self, dir: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("position"))?;
        let Self { segment, offset } = self;
        file.write_all(format!("{segment:020} {offset:020} {:020}\n", self.check()).as_bytes())
    }

    fn check(self) -> u64 {
        self.segment
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(self.offset)
    }
}

#[derive(Debug)]
struct Segment {
    number: u64,
    file: File,
    bytes: u64,
}

impl Segment {
    fn create(dir: &Path, number: u64) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path(dir, number))?;
        // The name must outlive a power cut too.
        File::open(dir)?.sync_all()?;
        Ok(Self {
            number,
            file,
            bytes: 0,
        })
    }
}

/// Takes lines in.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    segment: Segment,
    line: Vec<u8>,
    _lock: Arc<File>,
}

impl Writer {
    /// Writes a line, whole or not at all.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.segment.bytes >= SEGMENT_BYTES {
            self.sync()?;
            self.segment = Segment::create(&self.dir, self.segment.number + 1)?;
        }
        self.line.clear();
        self.line.extend_from_slice(line);
        self.line.push(b'\n');
        let written = self.segment.file.write_all(&self.line);
        if written.is_err() {
            self.segment.file.set_len(self.segment.bytes)?;
        }
        written?;
        self.segment.bytes += self.line.len() as u64;
        Ok(())
    }

    /// Sets a line apart that no stream takes.
    pub(super) fn set_apart(&mut self, line: &[u8]) -> io::Result<()> {
        let name = self.dir.join("too-large.ndjson");
        let mut file = OpenOptions::new().append(true).create(true).open(name)?;
        file.write_all(&[line, b"\n"].concat())?;
        file.sync_data()
    }

    /// Returns when what was written is on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.segment.file.sync_data()
    }
}

/// Gives lines back.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    at: Position,
    /// Readings end before all of them are shipped: nobody else may ship them, or delete what is done, until then.
    _lock: Arc<File>,
}

/// Lines that follow one another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) lines: Vec<Vec<u8>>,
    /// What they take in the spool.
    pub(super) bytes: u64,
    end: Position,
}

impl Reader {
    /// The next lines, at most so many, and no further one from so many bytes on; none if there is nothing new.
    pub(super) fn next(&mut self, most_lines: usize, most_bytes: u64) -> io::Result<Chunk> {
        loop {
            // Asked first: once there is a later segment, nothing comes to this one any more.
            let later = segments(&self.dir)?
                .range(self.at.segment + 1..)
                .next()
                .copied();
            let chunk = self.read(most_lines, most_bytes)?;
            match later {
                Some(later) if chunk.lines.is_empty() => {
                    self.at = Position {
                        segment: later,
                        offset: 0,
                    };
                }
                _ => return Ok(chunk),
            }
        }
    }

    fn read(&self, most_lines: usize, most_bytes: u64) -> io::Result<Chunk> {
        let mut chunk = Chunk {
            lines: Vec::new(),
            bytes: 0,
            end: self.at,
        };
        let mut file = match File::open(path(&self.dir, self.at.segment)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(chunk),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.at.offset))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        while chunk.lines.len() < most_lines && chunk.bytes < most_bytes {
            let mut line = Vec::new();
            let read = file.read_until(b'\n', &mut line)?;
            // What has no line feed yet is still being written.
            if line.pop() != Some(b'\n') {
                break;
            }
            chunk.lines.push(line);
            chunk.bytes += read as u64;
        }
        chunk.end.offset += chunk.bytes;
        Ok(chunk)
    }

    /// The stream has accepted these lines.
    pub(super) fn done(&mut self, chunk: &Chunk) -> io::Result<()> {
        chunk.end.write(&self.dir)?;
        self.at = chunk.end;
        self.delete(self.at.segment)
    }

    /// There is nothing more to give back and nothing more comes: only the position stays.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.at.write(&self.dir)?;
        self.delete(self.at.segment + 1)
    }

    fn delete(&self, before: u64) -> io::Result<()> {
        for segment in segments(&self.dir)?.range(..before) {
            fs::remove_file(path(&self.dir, *segment))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(reader: &mut Reader, most: usize) -> Vec<String> {
        let chunk = reader.next(most, u64::MAX).unwrap();
        reader.done(&chunk).unwrap();
        let text = |line: &Vec<u8>| String::from_utf8(line.clone()).unwrap();
        chunk.lines.iter().map(text).collect()
    }

    fn spool() -> (tempfile::TempDir, Kept) {
        let dir = tempfile::tempdir().unwrap();
        let kept = open(dir.path()).unwrap();
        (dir, kept)
    }

    #[test]
    fn lines_come_back_in_order_and_once() {
        let (_dir, mut kept) = spool();
        for line in ["a", "", "c", "d"] {
            kept.writer.append(line.as_bytes()).unwrap();
        }
        assert_eq!(lines(&mut kept.reader, 3), ["a", "", "c"]);
        kept.writer.append(b"e").unwrap();
        assert_eq!(lines(&mut kept.reader, 3), ["d", "e"]);
        assert_eq!(lines(&mut kept.reader, 3), [""; 0]);
    }

    #[test]
    fn what_was_not_done_comes_again_after_a_restart() {
        let (dir, mut kept) = spool();
        for line in ["a", "b", "c"] {
            kept.writer.append(line.as_bytes()).unwrap();
        }
        assert_eq!(lines(&mut kept.reader, 1), ["a"]);
        let taken = kept.reader.next(1, u64::MAX).unwrap();
        assert_eq!(taken.lines, [b"b"]);
        drop(kept);
        for _ in 0..2 {
            let mut kept = open(dir.path()).unwrap();
            assert_eq!(kept.bytes, 4);
            assert_eq!(kept.reader.next(9, u64::MAX).unwrap().lines, [b"b", b"c"]);
        }
        let mut kept = open(dir.path()).unwrap();
        assert_eq!(lines(&mut kept.reader, 9), ["b", "c"]);
        drop(kept);
        let mut kept = open(dir.path()).unwrap();
        kept.writer.append(b"d").unwrap();
        assert_eq!(
            (kept.bytes, lines(&mut kept.reader, 9)),
            (0, vec!["d".to_owned()])
        );
    }

    #[test]
    fn segments_go_once_they_are_done() {
        let (dir, mut kept) = spool();
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            kept.writer.append(&line).unwrap();
        }
        assert_eq!(segments(dir.path()).unwrap().len(), 3);
        let mut found = 0;
        loop {
            let chunk = kept.reader.next(500, 4 * 1024 * 1024).unwrap();
            if chunk.lines.is_empty() {
                break;
            }
            assert!(chunk.lines.len() <= 4, "{}", chunk.lines.len());
            found += chunk.lines.len();
            kept.reader.done(&chunk).unwrap();
        }
        assert_eq!(found, 20);
        assert_eq!(segments(dir.path()).unwrap().len(), 1);
        kept.reader.clear().unwrap();
        assert!(segments(dir.path()).unwrap().is_empty());
        drop(kept);
        let mut kept = open(dir.path()).unwrap();
        kept.writer.append(b"later").unwrap();
        assert_eq!(lines(&mut kept.reader, 9), ["later"]);
    }

    #[test]
    fn a_line_that_broke_off_is_a_line_and_the_next_one_is_another() {
        let (dir, mut kept) = spool();
        kept.writer.append(b"whole").unwrap();
        drop(kept);
        let last = *segments(dir.path()).unwrap().last().unwrap();
        let mut file = OpenOptions::new()
            .append(true)
            .open(path(dir.path(), last))
            .unwrap();
        file.write_all(b"bro").unwrap();
        let mut kept = open(dir.path()).unwrap();
        kept.writer.append(b"next").unwrap();
        assert_eq!(lines(&mut kept.reader, 2), ["whole", "bro"]);
        assert_eq!(lines(&mut kept.reader, 2), ["next"]);
    }

    #[test]
    fn a_line_that_is_being_written_is_not_given_yet() {
        let (dir, mut kept) = spool();
        let segment = *segments(dir.path()).unwrap().last().unwrap();
        let mut file = OpenOptions::new()
            .append(true)
            .open(path(dir.path(), segment))
            .unwrap();
        file.write_all(b"hal").unwrap();
        assert_eq!(lines(&mut kept.reader, 9), [""; 0]);
        file.write_all(b"f\n").unwrap();
        assert_eq!(lines(&mut kept.reader, 9), ["half"]);
    }

    #[test]
    fn a_lost_position_repeats_and_loses_nothing() {
        let (dir, mut kept) = spool();
        for line in ["a", "b"] {
            kept.writer.append(line.as_bytes()).unwrap();
        }
        assert_eq!(lines(&mut kept.reader, 1), ["a"]);
        drop(kept);
        let position = dir.path().join("position");
        let written = fs::read_to_string(&position).unwrap();
        // Digits of two positions in one.
        let half = written.replacen(" 0", " 1", 1);
        assert_ne!(half, written);
        for garbage in ["garbage", "", &half] {
            fs::write(&position, garbage).unwrap();
            let mut kept = open(dir.path()).unwrap();
            assert_eq!(lines(&mut kept.reader, 9), ["a", "b"], "{garbage}");
        }
    }

    #[test]
    fn two_processes_do_not_share_a_spool() {
        let (dir, _kept) = spool();
        let failure = open(dir.path()).unwrap_err();
        assert!(failure.to_string().contains("another process"), "{failure}");
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn a_spool_is_its_process_own_until_it_is_neither_written_nor_read() {
        let (dir, kept) = spool();
        let Kept { writer, reader, .. } = kept;
        drop(writer);
        let failure = open(dir.path()).unwrap_err();
        assert!(failure.to_string().contains("another process"), "{failure}");
        drop(reader);
        let Kept { writer, reader, .. } = open(dir.path()).unwrap();
        drop(reader);
        assert!(open(dir.path()).is_err());
        drop(writer);
        open(dir.path()).unwrap();
    }
}
