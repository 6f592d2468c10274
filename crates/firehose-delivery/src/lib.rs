//! Amazon Data Firehose to a bucket, as a pure state machine on a virtual clock: no threads, no clock, no I/O, no
//! randomness. Whoever drives it puts records, runs the function, puts objects and keeps the time.
//!
//! Promises, whatever the function answers:
//! - **No record is lost** while the bucket takes objects: each is delivered, dropped by the function, or kept under the
//!   error prefix as it came ([`Counts`]).
//! - **Order** of records within an object is that in which they were taken.
//! - **A response counts as a whole or not at all.**
//! - **The same input gives the same output**, keys included.
//!
//! ```
//! use firehose_delivery::{Action, Answer, Delivery, Record, Settings, Source};
//!
//! let settings = Settings::from_json(r#"{"Prefix": "readings/", "BufferingHints": {"IntervalInSeconds": 60},
//!     "ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda", "Parameters": [
//!         {"ParameterName": "LambdaArn", "ParameterValue": "arn:aws:lambda:us-east-1:123456789012:function:f"}]}]}}"#)?;
//! let mut delivery = Delivery::new(settings, Source {
//!     stream_arn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/readings".into(),
//!     version: "1".into(),
//!     region: "us-east-1".into(),
//!     kinesis_stream_arn: None,
//! });
//! let mut now_ms = 1_535_365_800_000;
//! delivery.put(Record { data: b"{}".to_vec(), arrived_ms: now_ms, place: None }, now_ms);
//! while !delivery.is_drained() {
//!     match delivery.next(now_ms) {
//!         Action::Invoke(invocation) => {
//!             let event: serde_json::Value = serde_json::from_slice(&invocation.event)?;
//!             let id = event["records"][0]["recordId"].clone();
//!             let answer = serde_json::json!({"records": [{"recordId": id, "result": "Ok", "data": "e30K"}]});
//!             delivery.answered(invocation.id, &Answer::Returned(answer.to_string().into_bytes()), now_ms)?;
//!         }
//!         Action::Put(object) => {
//!             assert!(object.key.starts_with("readings/2018/08/27/10/readings-1-2018-08-27-10-30-00-"));
//!             assert_eq!(object.body, b"{}\n");
//!             delivery.stored(object.id)?;
//!         }
//!         Action::Wait { until_ms } => now_ms = until_ms,
//!         Action::Idle => unreachable!("everything was answered"),
//!     }
//! }
//! assert_eq!(delivery.counts().delivered, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is documented
//!
//! Each rule with its page and the tests that hold it (`tests/documented`).
//!
//! | Setting | Page | Tests |
//! |---|---|---|
//! | all, left out | [hints] | `settings::what_is_left_out_has_the_documented_default` |
//! | all | [describe] | `settings::reads_the_answer_of_describe_delivery_stream`, `settings::every_fault_is_told_at_once` |
//! | `BufferingHints` | [hints] | `settings::buffering_hints_are_1_to_128_mb_and_0_to_900_seconds`, `buffering::an_object_is_delivered_when_the_interval_is_over`, `buffering::an_object_is_delivered_when_the_size_is_reached` |
//! | `CompressionFormat` | [names] | `buffering::an_object_is_compressed_and_its_name_says_so` |
//! | `Prefix`, `ErrorOutputPrefix` | [prefixes] | `prefixes::the_documented_examples_are_evaluated`, `prefixes::a_random_string_has_eleven_characters_and_is_new_each_time`, `prefixes::a_prefix_without_a_time_has_one_appended`, `prefixes::a_month_has_its_name_from_three_letters_on`, `prefixes::the_time_is_that_of_the_oldest_record_in_the_object`, `prefixes::prefixes_against_the_rules_are_refused` |
//! | `DynamicPartitioningConfiguration` | [partitioning] | `partitioning::rows_are_gathered_by_their_keys`, `partitioning::each_partition_waits_for_itself`, `partitioning::a_record_without_its_keys_is_kept_under_the_error_prefix`, `partitioning::beyond_500_active_partitions_records_are_kept_under_the_error_prefix`, `partitioning::a_partition_is_active_until_it_is_stored`, `partitioning::dynamic_partitioning_needs_keys_a_large_buffer_and_an_error_prefix` |
//! | the `Lambda` processor | [transformation] | `settings::the_functions_buffer_is_a_fifth_of_a_mb_to_3_mb`, `transformation::records_are_gathered_for_a_minute`, `transformation::records_are_gathered_up_to_one_mb`, `transformation::an_event_has_at_most_6_mb` |
//! | the `AppendDelimiterToRecord` processor | [delivery] | `buffering::a_delimiter_is_added_where_that_is_configured` |
//! | `FileExtension` | [describe] | `settings::an_extension_takes_the_place_of_the_compressions` |
//! | refused: format conversion, backup, other processors, compressions and time zones | [describe] | `settings::what_is_not_reproduced_is_refused` |
//!
//! | Records | Page | Tests |
//! |---|---|---|
//! | objects | [delivery] | `buffering::records_are_concatenated_without_delimiters` |
//! | names of objects | [names] | `buffering::an_objects_name_has_stream_version_time_and_a_uuid` |
//! | the event | [transformation] | `transformation::the_event_is_the_one_that_functions_read` |
//! | aggregates | [delivery] | `transformation::an_aggregate_is_opened_before_the_function_sees_it` |
//! | `Ok` | [status] | `transformation::what_is_ok_is_delivered_in_order` |
//! | `Dropped` | [status] | `transformation::what_is_dropped_is_gone` |
//! | `ProcessingFailed` | [failures] | `failures::a_record_that_failed_is_kept_as_it_came_with_the_documented_fields` |
//! | a response that breaks the status model | [status] | `failures::an_id_that_does_not_match_fails_the_batch`, `failures::a_response_against_the_status_model_fails_the_batch` |
//! | an invocation that fails | [failures] | `failures::an_invocation_is_retried_three_times_then_its_records_are_kept` |
//! | `errorCode` | [logs] | `failures::throttles_and_time_outs_are_told_apart` |
//! | an object that cannot be put | [retry] | `failures::an_object_that_cannot_be_put_is_tried_for_24_hours` |
//!
//! # Choices
//!
//! Where the documentation is silent or its pages disagree. A function must not depend on these. Error types other than
//! `processing-failed`, and the codes of dynamic partitioning, are on no page.
//!
//! | Choice | Tests |
//! |---|---|
//! | a switch without a documented default that is left out: refused | `settings::a_switch_that_says_nothing_is_refused` |
//! | a number that is a text, as templates hand on their parameters | `settings::a_number_may_be_a_text` |
//! | waits between retries: 1 s, doubled, up to 1 min | `choices::an_invocation_is_tried_again_after_a_second_and_twice_as_long_each_time` |
//! | one batch at a time, where Firehose takes one for each shard | `choices::one_batch_at_a_time_is_with_the_function` |
//! | a response over 6 MB: an error of the function | `choices::a_response_over_6_mb_is_the_functions_error` |
//! | a record over 6 MB once encoded: it fails at once | `choices::a_record_that_no_event_can_carry_fails_without_an_invocation` |
//! | an error prefix that is plain text: type and time follow | `choices::an_error_prefix_without_expressions_has_type_and_time_appended` |
//! | a prefix with partition keys: no time follows, as in the page's example and against its rule | `choices::a_partitioned_prefix_has_no_time_appended` |
//! | an evaluated prefix over 512 characters | `choices::a_prefix_over_512_characters_fails_its_records` |
//! | failures: gathered, named and compressed as rows are | `choices::failures_are_gathered_and_compressed_like_rows` |
//! | waits between attempts at an object: 1 s, doubled, up to 5 min | `choices::an_object_that_cannot_be_put_waits_up_to_five_minutes` |
//! | draining, which Firehose does not do | `choices::a_stream_that_is_drained_waits_for_no_buffer` |
//! | answers nobody asked for | `choices::answers_that_were_not_asked_for_change_nothing` |
//!
//! [delivery]: https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html "Understand data delivery in Amazon Data Firehose"
//! [describe]: https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html "DescribeDeliveryStream"
//! [failures]: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html "Handle failure in data transformation"
//! [hints]: https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html "BufferingHints"
//! [logs]: https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-logs.html "Monitor Amazon Data Firehose Using CloudWatch Logs"
//! [names]: https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html "Configure Amazon S3 object name format"
//! [partitioning]: https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html "Partition streaming data in Amazon Data Firehose"
//! [prefixes]: https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html "Understand custom prefixes for Amazon S3 objects"
//! [retry]: https://docs.aws.amazon.com/firehose/latest/dev/retry.html "Handle data delivery failures"
//! [status]: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html "Required parameters for data transformation"
//! [transformation]: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html "Transform source data in Amazon Data Firehose"

mod action;
mod answer;
mod delivery;
mod failure;
mod intake;
mod lake;
mod object;
mod prefix;
mod record;
mod settings;

/// The most bytes of an event and of a response: 6 MB.
pub const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

pub use action::{Action, Counts, Invocation, InvocationId, Source, Unexpected};
pub use answer::Answer;
pub use delivery::Delivery;
pub use lake::MAX_ACTIVE_PARTITIONS;
pub use object::{Object, ObjectId};
pub use prefix::{MAX_PREFIX_CHARS, Prefix};
pub use record::{Place, Record};
pub use settings::{Compression, Fault, InvalidSettings, Settings, Transformation};
