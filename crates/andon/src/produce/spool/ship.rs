//! Puts what the spool holds on the stream, chunk by chunk, for as long as it takes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lambda_function::backoff::Backoff;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, watch};

use super::keep::{Taken, keep, read};
use super::store::{Chunk, Reader, open};
use crate::failure::Failure;
use crate::input::Lines;
use crate::produce::keying::Keying;
use crate::produce::pack::Packing;
use crate::produce::producer::{Options, ProduceError, Report, run as put};
use crate::produce::queue::MAX_CALL_ENTRIES;
use crate::produce::stream::Stream;

/// A spool and how much it may hold.
#[derive(Clone, Debug)]
pub struct Spooled {
    /// Its folder.
    pub dir: PathBuf,
    /// From so many bytes on nothing is taken in; at least [`MIN_BYTES`](super::MIN_BYTES).
    pub max_bytes: u64,
}

/// What happens between the beginning and the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// So many lines are safe on the disk.
    Kept(u64),
    /// The stream does not take what it is given; it is tried again and again.
    OutOfReach(String),
    /// It does again.
    Back,
}

/// The longest wait between two attempts; each of them is several calls already.
const MAX_DELAY: Duration = Duration::from_secs(30);
const BASE_DELAY: Duration = Duration::from_secs(1);
/// What one chunk may hold of aggregated readings, and of bytes.
const CHUNK_READINGS: usize = 10_000;
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// Keeps every line and puts it on the stream. Ends when the lines have ended and the stream has accepted what the spool
/// holds; gives up only then, and leaves in the spool what the stream does not take. Tells what it put in any case.
pub async fn run(
    stream: &impl Stream,
    options: &Options,
    spooled: &Spooled,
    keying: &Keying,
    lines: Lines,
    news: impl FnMut(News),
) -> (Report, Result<(), Failure>) {
    let kept = match open(&spooled.dir) {
        Ok(kept) => kept,
        Err(failure) => return (Report::default(), Err(failure)),
    };
    // What room is given back is never more than there was: a semaphore would not take it.
    let max_bytes = spooled.max_bytes.min(Semaphore::MAX_PERMITS as u64);
    let over = kept.bytes.saturating_sub(max_bytes);
    let room = Arc::new(Semaphore::new(permits(
        max_bytes.saturating_sub(kept.bytes),
    )));
    let (sender, taken) = watch::channel(Taken::default());
    let keeping = tokio::task::spawn_blocking({
        let (room, runtime, lines) = (Arc::clone(&room), Handle::current(), read(lines));
        move || keep(lines, kept.writer, &room, &sender, &runtime)
    });
    let mut shipper = Shipper {
        stream,
        options,
        keying,
        dir: &spooled.dir,
        reader: kept.reader,
        room: Arc::clone(&room),
        over,
        news,
        told: 0,
        report: Report::default(),
    };
    let shipped = shipper.ship(taken).await;
    let report = shipper.report;
    if shipped.is_err() && !room.is_closed() {
        // The spool itself fails. Its writer waits for a line that may never come; what it takes in now is not acknowledged.
        room.close();
        return (report, shipped);
    }
    // A reading that cannot be taken in is the first thing to tell: the rest may be on the stream.
    let kept = match keeping.await {
        Ok(kept) => kept,
        Err(error) => Err(Failure::check("the spool's writer ended").caused_by(error)),
    };
    (report, kept.and(shipped))
}

struct Shipper<'a, S, N> {
    stream: &'a S,
    options: &'a Options,
    keying: &'a Keying,
    dir: &'a Path,
    reader: Reader,
    room: Arc<Semaphore>,
    /// What the spool held above its limit when it was opened.
    over: u64,
    news: N,
    /// The lines of which it was told that they are safe.
    told: u64,
    report: Report,
}

impl<S: Stream, N: FnMut(News)> Shipper<'_, S, N> {
    async fn ship(&mut self, mut taken: watch::Receiver<Taken>) -> Result<(), Failure> {
        let most = match self.options.packing {
            Packing::Plain => MAX_CALL_ENTRIES,
            Packing::ByKey { .. } => CHUNK_READINGS,
        };
        let dir = self.dir;
        let unusable = |what: &str, error: io::Error| {
            Failure::check(format_args!("cannot {what} the spool {}", dir.display()))
                .caused_by(error)
                .cure("what it holds stays there; the next run with it puts it")
        };
        loop {
            // Asked first: what was kept before the end is found now.
            let ended = has_ended(&taken);
            self.tell(&taken);
            let chunk = self.reader.next(most, CHUNK_BYTES);
            let chunk = chunk.map_err(|error| unusable("read", error))?;
            if !chunk.lines.is_empty() {
                self.put(&chunk, &mut taken).await?;
                let done = self.reader.done(&chunk);
                done.map_err(|error| unusable("write to", error))?;
                self.make_room(chunk.bytes);
            } else if ended {
                let cleared = self.reader.clear();
                cleared.map_err(|error| unusable("write to", error))?;
                self.report.too_large = taken.borrow().too_large;
                return Ok(());
            } else {
                // An error is the end, which the next round sees.
                taken.changed().await.ok();
            }
        }
    }

    fn tell(&mut self, taken: &watch::Receiver<Taken>) {
        let lines = taken.borrow().lines;
        if lines > self.told {
            self.told = lines;
            (self.news)(News::Kept(lines));
        }
    }

    fn make_room(&mut self, bytes: u64) {
        let above = self.over.min(bytes);
        self.over -= above;
        self.room.add_permits(permits(bytes - above));
    }

    /// Puts a chunk again and again; gives up only where the lines have ended.
    async fn put(
        &mut self,
        chunk: &Chunk,
        taken: &mut watch::Receiver<Taken>,
    ) -> Result<(), Failure> {
        let mut backoff = Backoff::new(BASE_DELAY, MAX_DELAY);
        let mut told = None;
        loop {
            let readings = self.readings(chunk);
            let attempt = put(self.stream, self.options, readings, |_| {});
            let ended = has_ended(taken);
            let error = match self.meanwhile(attempt, taken).await {
                Ok(report) => {
                    self.report.add(&report);
                    if told.is_some() {
                        (self.news)(News::Back);
                    }
                    return Ok(());
                }
                Err(ProduceError::Input { failure, .. }) => return Err(failure),
                Err(ProduceError::Stream { error, report }) => {
                    // The same lines come again, to be counted then.
                    self.report.add(&Report {
                        without_key: 0,
                        ..*report
                    });
                    error.to_string()
                }
            };
            if ended {
                // Whoever waits for room waits in vain.
                self.room.close();
                let failure = Failure::check(format_args!("cannot put records: {error}"));
                return Err(failure.cure(format_args!(
                    "what the stream has not accepted stays in {}: the next run with it puts it",
                    self.dir.display()
                )));
            }
            if told.as_ref() != Some(&error) {
                (self.news)(News::OutOfReach(error.clone()));
                told = Some(error);
            }
            let wait = tokio::time::sleep(backoff.next_delay());
            let end = until_ended(taken.clone());
            self.meanwhile(
                async {
                    tokio::select! {
                        () = wait => {}
                        () = end => {}
                    }
                },
                taken,
            )
            .await;
        }
    }

    fn readings(
        &self,
        chunk: &Chunk,
    ) -> mpsc::Receiver<Result<crate::produce::keying::Keyed, Failure>> {
        let (sender, receiver) = mpsc::channel(chunk.lines.len().max(1));
        for line in &chunk.lines {
            // It has room for all of them.
            let sent = sender.try_send(Ok(self.keying.key(line.clone())));
            debug_assert!(sent.is_ok());
        }
        receiver
    }

    /// Does `work`, and tells meanwhile of what is taken in.
    async fn meanwhile<T>(
        &mut self,
        work: impl Future<Output = T>,
        taken: &mut watch::Receiver<Taken>,
    ) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                Ok(()) = taken.changed() => self.tell(taken),
            }
        }
    }
}

fn has_ended(taken: &watch::Receiver<Taken>) -> bool {
    taken.has_changed().is_err()
}

async fn until_ended(mut taken: watch::Receiver<Taken>) {
    while taken.changed().await.is_ok() {}
}

fn permits(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
