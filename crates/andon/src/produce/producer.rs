//! The producer: gathers readings as they come due, packs them, and puts them until every one is accepted.

use std::time::Duration;

use lambda_function::backoff::Backoff;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::keying::{Keyed, Keying};
use super::pace::Pace;
use super::pack::{Packer, Packing};
use super::queue::{MAX_CALL_ENTRIES, Queue};
use super::stream::{PutError, Rejection, Stream};
use crate::failure::Failure;
use crate::input::Input;

/// How to produce.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How readings become records.
    pub packing: Packing,
    /// At most so many readings a second.
    pub rate: Option<f64>,
    /// One record of a key per call.
    pub strict_order: bool,
}

/// What has been put so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Readings that the stream has accepted.
    pub readings: u64,
    /// The records that carry them.
    pub records: u64,
    /// The records' data, in bytes.
    pub bytes: u64,
    /// Calls of PutRecords.
    pub calls: u64,
    /// Records that were put again after a rejection or a failed call.
    pub put_again: u64,
    /// Rejected records that a later one of the same key has overtaken.
    pub overtaken: u64,
    /// Readings in which no machine is found; their key is their hash.
    pub without_key: u64,
    /// Lines too large for a record, which are not on the stream.
    pub too_large: u64,
}

impl Report {
    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        self.readings += other.readings;
        self.records += other.records;
        self.bytes += other.bytes;
        self.calls += other.calls;
        self.put_again += other.put_again;
        self.overtaken += other.overtaken;
        self.without_key += other.without_key;
        self.too_large += other.too_large;
    }
}

/// Why producing stopped.
#[derive(Debug)]
pub enum ProduceError {
    /// The stream will not take what is left.
    Stream {
        /// Why.
        error: PutError,
        /// What it took before.
        report: Box<Report>,
    },
    /// The readings cannot be read on; those before are on the stream.
    Input {
        /// Why.
        failure: Failure,
        /// What was put.
        report: Box<Report>,
    },
}

const BASE_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_secs(2);
/// How long a call may be held back for readings that could still share it.
const LINGER: Duration = Duration::from_millis(20);
/// So many calls failing in a row, each retried by the SDK already, and the stream is given up.
const MAX_FAILED_CALLS: u32 = 6;
/// Readings gathered at a time; aggregated, a call carries many more than it has records.
const MAX_GATHERED: usize = 10_000;

/// Reads and keys the lines in a thread of its own.
pub fn feed(
    input: &Input,
    keying: Keying,
) -> Result<mpsc::Receiver<Result<Keyed, Failure>>, Failure> {
    let lines = input.lines()?;
    let (sender, receiver) = mpsc::channel(4 * MAX_CALL_ENTRIES);
    tokio::task::spawn_blocking(move || {
        for line in lines {
            let end = line.is_err();
            // A closed channel: the producer has stopped.
            if sender
                .blocking_send(line.map(|line| keying.key(line.bytes)))
                .is_err()
                || end
            {
                return;
            }
        }
    });
    Ok(receiver)
}

/// Puts every reading, and tells of each call's result. Ends when the readings end.
pub async fn run(
    stream: &impl Stream,
    options: &Options,
    mut readings: mpsc::Receiver<Result<Keyed, Failure>>,
    mut progress: impl FnMut(&Report),
) -> Result<Report, ProduceError> {
    let mut report = Report::default();
    let mut queue = Queue::new(options.strict_order);
    let mut packer = Packer::new(options.packing);
    let mut pace = Pace::new(options.rate);
    let mut backoff = fresh_backoff();
    let mut failed_calls = 0;
    let (mut open, mut unreadable) = (true, None);
    loop {
        if open && queue.len() < MAX_CALL_ENTRIES {
            let wait = queue.is_empty();
            let gathered = gather(&mut readings, &mut pace, &mut packer, &mut report, wait).await;
            // What was read before a line that cannot be is put first.
            open = gathered.unwrap_or_else(|failure| {
                unreadable = Some(failure);
                false
            });
            packer
                .flush()
                .into_iter()
                .for_each(|entry| queue.push(entry));
        }
        if queue.is_empty() {
            if open {
                continue;
            }
            return match unreadable {
                None => Ok(report),
                Some(failure) => Err(ProduceError::Input {
                    failure,
                    report: Box::new(report),
                }),
            };
        }
        let call = queue.next_call();
        report.calls += 1;
        let rejections = match stream.put(&call).await {
            Ok(rejections) => {
                failed_calls = 0;
                rejections
            }
            Err(PutError::Transient(message)) if failed_calls + 1 < MAX_FAILED_CALLS => {
                failed_calls += 1;
                vec![
                    Some(Rejection {
                        code: "InternalFailure".into(),
                        message
                    });
                    call.len()
                ]
            }
            Err(error) => {
                return Err(ProduceError::Stream {
                    error,
                    report: Box::new(report),
                });
            }
        };
        let settled = queue.settle(call, |index| {
            rejections.get(index).is_some_and(Option::is_some)
        });
        report.readings += settled.readings;
        report.records += settled.records;
        report.bytes += settled.bytes;
        report.put_again += settled.rejected;
        report.overtaken += settled.overtaken;
        progress(&report);
        if let Some(hopeless) = rejections
            .into_iter()
            .flatten()
            .find(|rejection| !rejection.is_worth_retrying())
        {
            return Err(ProduceError::Stream {
                error: PutError::Permanent(hopeless.to_string()),
                report: Box::new(report),
            });
        }
        if settled.rejected > 0 {
            tokio::time::sleep(backoff.next_delay()).await;
        } else {
            backoff = fresh_backoff();
        }
    }
}

fn fresh_backoff() -> Backoff {
    Backoff::new(BASE_DELAY, MAX_DELAY)
}

/// Takes the readings that are due; waits for the first one if there is nothing else to do. False at the end.
async fn gather(
    readings: &mut mpsc::Receiver<Result<Keyed, Failure>>,
    pace: &mut Pace,
    packer: &mut Packer,
    report: &mut Report,
    wait: bool,
) -> Result<bool, Failure> {
    let mut deadline = None;
    for gathered in 0..MAX_GATHERED {
        let due = pace.next_due();
        if due > Instant::now() {
            if gathered > 0 || !wait {
                return Ok(true);
            }
            tokio::time::sleep_until(due).await;
        }
        let next = match (deadline, wait) {
            (None, true) => readings.recv().await,
            (deadline, _) => {
                match timeout_at(deadline.unwrap_or_else(Instant::now), readings.recv()).await {
                    Ok(next) => next,
                    Err(_) => return Ok(true),
                }
            }
        };
        let Some(keyed) = next else { return Ok(false) };
        let keyed = keyed?;
        pace.take();
        deadline.get_or_insert_with(|| Instant::now() + LINGER);
        report.without_key += u64::from(!keyed.named);
        report.too_large += u64::from(packer.push(keyed).is_err());
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::queue::Entry;
    use super::*;

    /// Accepts what `reject` does not reject; remembers what it accepted, in order.
    struct Fake<R> {
        accepted: RefCell<Vec<Entry>>,
        calls: RefCell<Vec<usize>>,
        reject: R,
    }

    impl<R: Fn(usize, usize, &Entry) -> Result<bool, PutError>> Fake<R> {
        /// `reject` is asked with the call's number (from 0), the entry's index in it and the entry.
        fn new(reject: R) -> Self {
            Self {
                accepted: RefCell::default(),
                calls: RefCell::default(),
                reject,
            }
        }

        fn of(&self, key: &str) -> Vec<String> {
            let accepted = self.accepted.borrow();
            let of_key = accepted.iter().filter(|entry| entry.partition_key == key);
            of_key
                .map(|entry| String::from_utf8(entry.data.clone()).unwrap())
                .collect()
        }
    }

    impl<R: Fn(usize, usize, &Entry) -> Result<bool, PutError>> Stream for Fake<R> {
        async fn put(&self, entries: &[Entry]) -> Result<Vec<Option<Rejection>>, PutError> {
            let call = self.calls.borrow().len();
            self.calls.borrow_mut().push(entries.len());
            let mut rejections = Vec::new();
            for (index, entry) in entries.iter().enumerate() {
                let rejected = (self.reject)(call, index, entry)?;
                if !rejected {
                    self.accepted.borrow_mut().push(entry.clone());
                }
                let code = "ProvisionedThroughputExceededException".to_owned();
                rejections.push(rejected.then(|| Rejection {
                    code,
                    message: "slow down".into(),
                }));
            }
            Ok(rejections)
        }
    }

    const PLAIN: Options = Options {
        packing: Packing::Plain,
        rate: None,
        strict_order: false,
    };

    fn readings(machines: usize, count: usize) -> mpsc::Receiver<Result<Keyed, Failure>> {
        let (sender, receiver) = mpsc::channel(count.max(1));
        for n in 0..count {
            let machine = ["a", "b", "c", "d"][n % machines];
            let data = format!(r#"{{"machine":"{machine}","n":{n}}}"#).into_bytes();
            sender
                .try_send(Ok("/machine".parse::<Keying>().unwrap().key(data)))
                .unwrap();
        }
        receiver
    }

    fn expected(machines: usize, count: usize, machine: usize) -> Vec<String> {
        let of_machine = (0..count).filter(|n| n % machines == machine);
        of_machine
            .map(|n| {
                format!(
                    r#"{{"machine":"{}","n":{n}}}"#,
                    ["a", "b", "c", "d"][machine]
                )
            })
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn puts_everything_in_full_calls() {
        let stream = Fake::new(|_, _, _| Ok(false));
        let report = run(&stream, &PLAIN, readings(4, 1_201), |_| {})
            .await
            .unwrap();
        assert_eq!(
            (
                report.readings,
                report.records,
                report.calls,
                report.put_again
            ),
            (1_201, 1_201, 3, 0)
        );
        assert_eq!(*stream.calls.borrow(), [500, 500, 201]);
        assert_eq!(stream.of("c"), expected(4, 1_201, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_shard_keeps_its_order_and_holds_back_no_other() {
        // The shard of `b` is throttled for three calls.
        let stream = Fake::new(|call, _, entry: &Entry| Ok(call < 3 && entry.partition_key == "b"));
        let report = run(&stream, &PLAIN, readings(4, 40), |_| {}).await.unwrap();
        assert_eq!(report.readings, 40);
        assert_eq!(report.overtaken, 0);
        for (machine, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert_eq!(stream.of(key), expected(4, 40, machine), "{key}");
        }
        // Ten rejected at first; from then on `b` sends its first entry alone.
        assert_eq!(report.put_again, 10 + 1 + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn strict_order_survives_any_rejection() {
        // Every third entry of every call is rejected on each fifth call's rhythm.
        let stream =
            Fake::new(|call, index, _: &Entry| Ok(call % 5 != 4 && (index + call) % 3 == 0));
        let options = Options {
            strict_order: true,
            ..PLAIN
        };
        let report = run(&stream, &options, readings(4, 200), |_| {})
            .await
            .unwrap();
        assert_eq!((report.readings, report.overtaken), (200, 0));
        assert!(report.put_again > 0);
        for (machine, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert_eq!(stream.of(key), expected(4, 200, machine), "{key}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn overtaking_is_counted() {
        let stream = Fake::new(|call, index, _: &Entry| Ok(call == 0 && index == 0));
        let report = run(&stream, &PLAIN, readings(1, 3), |_| {}).await.unwrap();
        assert_eq!(
            (report.readings, report.put_again, report.overtaken),
            (3, 1, 1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_call_is_made_again() {
        let fail = |call, _, _: &Entry| {
            if call == 0 {
                Err(PutError::Transient("timed out".into()))
            } else {
                Ok(false)
            }
        };
        let stream = Fake::new(fail);
        let report = run(&stream, &PLAIN, readings(4, 8), |_| {}).await.unwrap();
        assert_eq!((report.readings, report.put_again), (8, 8));
        assert_eq!(stream.of("a"), expected(4, 8, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_out_of_reach_is_given_up() {
        let stream =
            Fake::new(|_, _, _: &Entry| Err(PutError::Transient("connection refused".into())));
        let ended = run(&stream, &PLAIN, readings(4, 8), |_| {}).await;
        let Err(ProduceError::Stream { error, report }) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!(error.to_string(), "connection refused");
        assert_eq!(
            (report.readings, report.calls),
            (0, u64::from(MAX_FAILED_CALLS))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_does_not_exist_ends_it_at_once() {
        let stream = Fake::new(|_, _, _: &Entry| {
            Err(PutError::Permanent("ResourceNotFoundException".into()))
        });
        let ended = run(&stream, &PLAIN, readings(4, 8), |_| {}).await;
        assert!(
            matches!(
                ended,
                Err(ProduceError::Stream {
                    error: PutError::Permanent(_),
                    ..
                })
            ),
            "{ended:?}"
        );
        assert_eq!(stream.calls.borrow().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_the_rate() {
        let stream = Fake::new(|_, _, _: &Entry| Ok(false));
        let start = Instant::now();
        let report = run(
            &stream,
            &Options {
                rate: Some(100.0),
                ..PLAIN
            },
            readings(4, 1_001),
            |_| {},
        )
        .await
        .unwrap();
        assert_eq!(report.readings, 1_001);
        assert_eq!(start.elapsed().as_millis() / 100, 100);
        assert!(
            stream.calls.borrow().iter().all(|entries| *entries <= 6),
            "{:?}",
            stream.calls.borrow()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn aggregates_carry_many_readings_in_few_records() {
        let stream = Fake::new(|_, _, _: &Entry| Ok(false));
        let options = Options {
            packing: Packing::ByKey { max_bytes: 51_200 },
            ..PLAIN
        };
        let report = run(&stream, &options, readings(4, 1_000), |_| {})
            .await
            .unwrap();
        assert_eq!(
            (report.readings, report.records, report.calls),
            (1_000, 4, 1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_no_machine_or_is_too_large_is_counted() {
        let (sender, receiver) = mpsc::channel(4);
        let keying: Keying = "/machine".parse().unwrap();
        for data in [
            b"no json".to_vec(),
            Vec::new(),
            vec![b'x'; 2 << 20],
            br#"{"machine":"a"}"#.to_vec(),
        ] {
            sender.try_send(Ok(keying.key(data))).unwrap();
        }
        drop(sender);
        let stream = Fake::new(|_, _, _: &Entry| Ok(false));
        let report = run(&stream, &PLAIN, receiver, |_| {}).await.unwrap();
        assert_eq!(
            (report.readings, report.without_key, report.too_large),
            (3, 3, 1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn unreadable_input_ends_it() {
        let (sender, receiver) = mpsc::channel(2);
        let keying: Keying = "/machine".parse().unwrap();
        let before = keying.key(br#"{"machine":"a"}"#.to_vec());
        sender.try_send(Ok(before)).unwrap();
        sender.try_send(Err(Failure::input("disk gone"))).unwrap();
        drop(sender);
        let stream = Fake::new(|_, _, _: &Entry| Ok(false));
        let ended = run(&stream, &PLAIN, receiver, |_| {}).await;
        let Err(ProduceError::Input { failure, report }) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!(failure.to_string(), "disk gone");
        // What came before is not lost with it.
        assert_eq!((report.readings, stream.of("a").len()), (1, 1));
    }
}
