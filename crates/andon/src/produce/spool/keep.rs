//! Takes readings in: as many as are there are written, synced and acknowledged together.

use std::io;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, watch};

use super::store::Writer;
use crate::failure::Failure;
use crate::input::{Line, Lines};
use crate::produce::queue::MAX_RECORD_BYTES;

/// At most so many lines, and no further one from so many bytes on, are synced together.
const GROUP_LINES: usize = 4_096;
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// What a line may have: a record, less the longest key and an aggregate's frame.
const MAX_LINE_BYTES: usize = MAX_RECORD_BYTES - 2_048;

/// What has been taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Lines that are safe on the disk, those that were set apart among them.
    pub(super) lines: u64,
    /// Lines that fit no record and were set apart.
    pub(super) too_large: u64,
}

/// Reads lines in a thread of its own, so that what is there can be taken together.
pub(super) fn read(lines: Lines) -> mpsc::Receiver<Result<Line, Failure>> {
    let (sender, receiver) = mpsc::channel(GROUP_LINES);
    tokio::task::spawn_blocking(move || {
        for line in lines {
            let end = line.is_err();
            if sender.blocking_send(line).is_err() || end {
                return;
            }
        }
    });
    receiver
}

/// Keeps lines until they end. Waits where `room` has fewer permits than a group has bytes. To be run where blocking is
/// allowed.
pub(super) fn keep(
    mut lines: mpsc::Receiver<Result<Line, Failure>>,
    mut writer: Writer,
    room: &Arc<Semaphore>,
    taken: &watch::Sender<Taken>,
    runtime: &Handle,
) -> Result<(), Failure> {
    while let Some(first) = lines.blocking_recv() {
        let mut group = vec![first?.bytes];
        let mut bytes = size(&group[0]);
        let mut end = None;
        while group.len() < GROUP_LINES && bytes < GROUP_BYTES {
            match lines.try_recv() {
                Ok(Ok(line)) => {
                    bytes += size(&line.bytes);
                    group.push(line.bytes);
                }
                Ok(Err(failure)) => {
                    end = Some(failure);
                    break;
                }
                Err(_) => break,
            }
        }
        // Shipping has ended for good: nobody makes room any more.
        let Ok(()) = runtime.block_on(reserve(room, bytes)) else {
            return Ok(());
        };
        let too_large = write(&mut writer, &group).map_err(|error| {
            Failure::check("cannot write to the spool; what it holds stays there").caused_by(error)
        })?;
        taken.send_modify(|taken| {
            taken.lines += group.len() as u64;
            taken.too_large += too_large;
        });
        if let Some(failure) = end {
            return Err(failure);
        }
    }
    Ok(())
}

/// What a line takes in the spool; one that is set apart takes nothing.
fn size(line: &[u8]) -> usize {
    match line.len() > MAX_LINE_BYTES {
        true => 0,
        false => line.len() + 1,
    }
}

async fn reserve(room: &Semaphore, bytes: usize) -> Result<(), ()> {
    let permits = u32::try_from(bytes).map_err(|_| ())?;
    room.acquire_many(permits).await.map_err(|_| ())?.forget();
    Ok(())
}

fn write(writer: &mut Writer, group: &[Vec<u8>]) -> io::Result<u64> {
    let mut too_large = 0;
    for line in group {
        if line.len() > MAX_LINE_BYTES {
            writer.set_apart(line)?;
            too_large += 1;
        } else {
            writer.append(line)?;
        }
    }
    writer.sync()?;
    Ok(too_large)
}
