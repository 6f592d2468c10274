//! Records cut into calls that a function can finish, with an answer that Lambda carries.

use kinesis_batch::envelope::Event;

use super::held::Ready;

/// The most records in a call, those within aggregates counted. A single aggregate may have more.
pub const MAX_RECORDS: usize = 500;
/// The most bytes in a call; Lambda takes 6 MB.
pub const MAX_BYTES: usize = 3 * 1024 * 1024;

/// The records in calls, in their order.
pub fn cut(records: &[Ready]) -> Vec<&[Ready]> {
    let mut calls = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let (mut bytes, mut user_records, mut count) = (Event::redrive().encoded_len(), 0, 0);
        for ready in rest {
            bytes += ready.json.len() + 1;
            user_records += ready.user_records;
            if count > 0 && (bytes > MAX_BYTES || user_records > MAX_RECORDS) {
                break;
            }
            count += 1;
        }
        let (call, others) = rest.split_at(count);
        calls.push(call);
        rest = others;
    }
    calls
}

/// The body of the invocation.
pub fn body(call: &[Ready]) -> Vec<u8> {
    let mut event = Event::redrive();
    call.iter().for_each(|ready| event.push_json(&ready.json));
    event.finish()
}

#[cfg(test)]
mod tests {
    use kinesis_batch::Batch;

    use super::*;
    use crate::redrive::held::tests::parked;

    #[track_caller]
    fn check(records: &[Ready], expected: &[usize]) {
        let calls = cut(records);
        let lengths: Vec<_> = calls.iter().map(|call| call.len()).collect();
        assert_eq!(lengths, expected);
        assert!(calls.concat() == records);
        let many = |call: &&[Ready]| call.len() > 1;
        assert!(
            calls
                .into_iter()
                .filter(many)
                .all(|call| body(call).len() <= MAX_BYTES)
        );
    }

    fn sized(bytes: usize) -> Ready {
        let mut held = parked(1);
        held.record.data = vec![b'x'; bytes];
        held.ready().unwrap()
    }

    #[test]
    fn calls_keep_to_the_limits() {
        let small = sized(10);
        check(&[], &[]);
        check(&vec![small.clone(); 500], &[500]);
        check(&vec![small.clone(); 1_001], &[500, 500, 1]);
        // 1 MiB is 1.4 MB in base64.
        check(&vec![sized(1 << 20); 5], &[2, 2, 1]);
        let aggregate = Ready {
            user_records: 400,
            ..small.clone()
        };
        let huge = Ready {
            user_records: 5_000,
            ..small.clone()
        };
        check(&[aggregate.clone(), aggregate, huge, small], &[1, 1, 1, 1]);
    }

    #[test]
    fn a_call_brings_records_back() {
        let records = [sized(1), sized(2)];
        let (body, mut buffer) = (body(&records), Vec::new());
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        assert!(batch.is_redrive());
        assert_eq!(batch.user_records().len(), 2);
    }
}
