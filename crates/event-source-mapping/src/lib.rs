//! Lambda's Kinesis event source mapping as a pure state machine on a virtual clock: no threads, no clock, no I/O, no
//! randomness. Whoever drives it reads shards, runs the function and keeps the time, on a laptop or in a simulation.
//!
//! Promises, whatever the function answers:
//! - **No record is lost.** Each is done by the function, handed out as a discarded batch, or not behind the checkpoint.
//! - **Order** per partition key within a shard, and of parents before their children.
//! - **The checkpoint** passes no record that is not finished.
//! - **Memory** is bounded per shard: as many batches as are under way at once, and one more.
//! - **The same input gives the same output.**
//!
//! ```
//! use event_source_mapping::{Action, Answer, Mapping, Settings, ShardInfo, Source, SourceRecord};
//!
//! let settings = Settings::from_json(r#"{"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}"#)?;
//! let source = Source {
//!     mapping_id: "f89f8514".into(),
//!     event_source_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/readings".into(),
//!     function_arn: "arn:aws:lambda:us-east-2:123456789012:function:evaluator".into(),
//!     role_arn: "arn:aws:iam::123456789012:role/evaluator".into(),
//!     retention_ms: None,
//! };
//! let mut mapping = Mapping::new(settings, source)?;
//! let mut now_ms = 1_545_084_650_987;
//! mapping.shard_found(ShardInfo { id: "shardId-000000000000".into(), parents: vec![] }, now_ms);
//! let mut stream = vec![SourceRecord {
//!     sequence_number: "4959".parse()?,
//!     partition_key: "press-07".into(),
//!     data: b"{}".to_vec(),
//!     arrived_ms: now_ms,
//! }];
//! while !mapping.is_drained() {
//!     match mapping.next(now_ms) {
//!         Action::Read(read) => mapping.records(&read.shard, stream.drain(..), true, now_ms)?,
//!         Action::Invoke(invocation) => {
//!             assert_eq!(invocation.records.len(), 1);
//!             mapping.answered(invocation.id, &Answer::Returned(b"null".to_vec()), now_ms)?;
//!         }
//!         Action::SendFailure(discarded) => println!("{}", discarded.to_pointer_json()),
//!         Action::Wait { until_ms } => now_ms = until_ms,
//!         Action::Idle => unreachable!("everything was answered"),
//!     }
//! }
//! assert_eq!(mapping.checkpoint("shardId-000000000000"), Some("4959".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is documented
//!
//! Each rule with its page and the tests that hold it (`tests/documented`).
//!
//! | Setting | Page | Tests |
//! |---|---|---|
//! | all, left out | [parameters] | `settings::what_is_left_out_has_the_documented_default`, `settings::reads_the_answer_that_lambda_publishes` |
//! | all, wrong | [api] | `settings::every_fault_is_told_at_once` |
//! | `Enabled` | [guide] | `settings::a_disabled_mapping_resumes_behind_the_last_record_processed` |
//! | `EventSourceArn` | [parameters] | `settings::the_source_is_a_stream_or_a_consumer_of_one` |
//! | `BatchSize` | [parameters] | `settings::batch_size_is_1_to_10000`, `batching::a_batch_has_at_most_batch_size_records` |
//! | `MaximumBatchingWindowInSeconds` | [mappings] | `settings::batching_window_is_0_to_300_seconds`, `batching::without_a_window_a_function_is_invoked_as_soon_as_records_are_available`, `batching::a_batch_is_gathered_until_the_window_ends`, `batching::the_next_window_begins_when_the_previous_invocation_completes` |
//! | `ParallelizationFactor` | [records] | `settings::parallelization_factor_is_1_to_10`, `parallel::as_many_batches_as_the_factor_are_under_way` |
//! | order per partition key | [scaling] | `parallel::a_partition_keys_records_stay_in_order`, `parallel::a_batch_that_fails_holds_back_its_own_keys` |
//! | `StartingPosition` | [create] | `settings::starting_position_is_one_of_three`, `positions::trim_horizon_starts_with_the_oldest_record`, `positions::latest_starts_behind_the_newest_record`, `positions::after_the_first_records_reading_goes_on_behind_the_last_one` |
//! | `StartingPositionTimestamp` | [parameters] | `positions::at_timestamp_starts_with_the_first_record_of_that_time` |
//! | `MaximumRetryAttempts` | [failures] | `settings::retry_attempts_are_0_to_10000_and_minus_1_is_for_ever`, `retries::a_failed_batch_is_retried_and_blocks_its_shard`, `retries::a_batch_is_discarded_after_maximum_retry_attempts`, `retries::behind_a_discarded_batch_the_shard_goes_on` |
//! | throttles | [failures] | `retries::throttles_use_no_retry`, `retries::throttled_records_are_retried_until_they_are_too_old` |
//! | `MaximumRecordAgeInSeconds` | [failures] | `settings::record_age_is_60_to_604800_seconds_and_minus_1_is_for_ever`, `retries::a_record_beyond_the_maximum_age_is_not_sent`, `retries::a_failing_batch_is_discarded_at_the_maximum_age` |
//! | the stream's retention | [failures] | `retries::records_are_retried_until_the_stream_drops_them` |
//! | `BisectBatchOnFunctionError` | [failures] | `retries::bisect_splits_a_failed_batch_in_two`, `retries::bisecting_uses_no_retry`, `retries::without_bisect_a_failed_batch_is_retried_whole` |
//! | `BisectBatchOnFunctionError` with `FunctionResponseTypes` | [partial] | `settings::bisect_and_report_are_switched_on_by_their_fields`, `retries::an_invocation_error_is_bisected_whether_or_not_failures_are_reported`, `retries::a_partial_response_splits_at_the_returned_number_and_only_the_rest_is_retried` |
//! | `DestinationConfig`; Kafka topics are refused | [destination] | `settings::failure_destination_is_a_queue_a_topic_or_a_bucket` |
//! | `TumblingWindowInSeconds`, `FilterCriteria`: refused | [parameters] | `settings::tumbling_windows_and_filters_are_refused` |
//!
//! | Stream | Page | Tests |
//! |---|---|---|
//! | the event | [records] | `event::an_event_is_the_one_that_lambda_publishes`, `event::an_event_is_read_by_the_types_that_functions_use` |
//! | 6 MB of payload | [records] | `batching::a_batch_is_invoked_when_its_payload_reaches_6_mb` |
//! | one batch of a shard at a time | [records] | `batching::a_shard_has_one_batch_under_way`, `batching::a_batch_has_records_of_one_shard` |
//! | polling | [records] | `batching::a_shard_at_its_tip_is_polled_once_a_second` |
//! | fan-out consumer | [fan-out] | `batching::a_fan_out_consumer_does_not_wait_for_a_poll` |
//! | checkpoint | [partial] | `parallel::the_checkpoint_is_the_end_of_what_is_finished_without_gap` |
//! | resharding | [resharding] | `resharding::children_wait_until_their_parent_is_read_to_its_end_and_finished`, `resharding::a_merged_shard_waits_for_both_parents`, `resharding::a_parent_that_has_left_the_stream_holds_back_nobody`, `resharding::a_shard_that_comes_up_later_is_read_from_its_beginning`, `resharding::a_drained_stream_shows` |
//!
//! | Response | Page | Tests |
//! |---|---|---|
//! | `{"batchItemFailures":[]}` | [partial] | `responses::an_empty_list_is_success` |
//! | `{"batchItemFailures":null}` | [partial] | `responses::a_null_list_is_success` |
//! | nothing, `{}` | [partial] | `responses::an_empty_response_is_success` |
//! | `null` | [partial] | `responses::a_null_response_is_success` |
//! | `{"batchItemFailures":[{"itemIdentifier":"10"}]}` | [partial] | `responses::everything_from_the_failed_record_on_is_retried` |
//! | several identifiers | [partial] | `responses::of_several_identifiers_the_lowest_counts` |
//! | `{"batchItemFailures":[{"itemIdentifier":""}]}` | [partial] | `responses::an_empty_identifier_fails_the_batch` |
//! | `{"batchItemFailures":[{"itemIdentifier":null}]}` | [partial] | `responses::a_null_identifier_fails_the_batch` |
//! | `{"batchItemFailures":[{"identifier":"10"}]}` | [partial] | `responses::an_identifier_with_a_bad_key_fails_the_batch` |
//! | any, without `ReportBatchItemFailures` | [partial] | `responses::a_partial_response_is_ignored_unless_the_mapping_asks_for_it` |
//! | an error, a time-out, a crash | [failures] | `responses::an_error_a_timeout_or_a_crash_fails_the_batch` |
//!
//! | Failure destination | Page | Tests |
//! |---|---|---|
//! | queue, topic | [failures] | `failures::a_queue_or_a_topic_gets_a_pointer_into_the_stream`, `failures::the_version_that_ran_is_told`, `failures::a_batch_that_was_never_invoked_has_no_response` |
//! | bucket | [failures] | `failures::a_bucket_gets_the_whole_record_with_the_event_as_text`, `failures::an_object_lies_under_mapping_shard_and_day` |
//! | none | [failures] | `failures::without_a_destination_a_discarded_batch_still_shows` |
//! | checkpoint | [failures] | `failures::the_checkpoint_passes_a_discarded_batch_when_it_is_handed_out`, `failures::answers_that_were_not_asked_for_change_nothing` |
//!
//! # Choices
//!
//! Where the documentation is silent or its pages disagree. A function must not depend on these.
//!
//! | Choice | Tests |
//! |---|---|
//! | a response `""` or `[]`: success | `choices::an_empty_text_or_list_as_response_is_success` |
//! | an identifier outside the batch: it fails | `choices::an_identifier_that_is_not_in_the_batch_fails_it` |
//! | any other response than those above: it fails | `choices::a_response_that_is_no_partial_response_fails_the_batch` |
//! | a batch that a response fails is bisected | `choices::a_complete_failure_by_response_is_bisected` |
//! | a moved checkpoint resets the retries | `choices::a_checkpoint_that_moves_starts_the_retries_anew` |
//! | a partial failure at the first record is a retry | `choices::a_partial_failure_at_the_first_record_uses_a_retry` |
//! | waits between retries: 200 ms, doubled, up to 10 s; none after a split | `choices::retries_wait_twice_as_long_each_time_up_to_ten_seconds` |
//! | halves follow at once | `choices::a_split_batch_is_invoked_without_a_wait` |
//! | too old: those records, not their batch | `choices::of_an_ageing_batch_only_the_old_records_are_discarded` |
//! | each part of a split batch is told on its own | `choices::each_part_of_a_split_batch_that_is_given_up_is_told_on_its_own` |
//! | the parts of a split batch have all retries | `choices::the_parts_of_a_split_batch_have_all_retries` |
//! | `condition` of records that are too old: `RecordAgeExceeded` | `choices::the_condition_of_records_that_are_too_old_is_record_age_exceeded` |
//! | a `StartingPositionTimestamp` that lies ahead: waited for, where Lambda refuses it | `choices::a_start_that_lies_ahead_is_waited_for` |
//! | one record over 6 MB: `RecordTooLarge`, at once | `choices::a_record_that_no_invocation_can_carry_is_discarded_at_once` |
//! | a window that stayed empty begins anew | `choices::a_window_without_records_begins_with_the_next_record` |
//! | a shard's end ends its window | `choices::at_the_end_of_a_shard_a_batch_does_not_wait_for_its_window` |
//! | `functionError` after a partial response: none | `choices::a_response_context_names_an_error_only_where_the_function_failed` |
//! | fan-out: `eventSourceARN` is the consumer's, `streamArn` the stream's | `choices::a_fan_out_mapping_names_the_consumer_in_events_and_the_stream_in_failures` |
//! | iterator age: when the batch is answered | `choices::iterator_age_is_the_age_of_the_last_record_when_its_batch_is_answered` |
//! | reading ahead: a batch for each lane and one more | `choices::a_failing_batch_stops_reading_one_batch_for_each_lane_and_one_more_ahead`, `choices::records_of_a_megabyte_are_read_ahead_by_their_bytes` |
//! | a read that gives more: the rest is asked for again | `choices::more_records_than_asked_for_are_asked_for_again` |
//!
//! [api]: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html "CreateEventSourceMapping"
//! [create]: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html "Process Amazon Kinesis Data Streams records with Lambda"
//! [destination]: https://docs.aws.amazon.com/lambda/latest/api/API_OnFailure.html "OnFailure"
//! [failures]: https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html "Retain discarded batch records for a Kinesis Data Streams event source in Lambda"
//! [fan-out]: https://docs.aws.amazon.com/streams/latest/dev/enhanced-consumers.html "Develop enhanced fan-out consumers with dedicated throughput"
//! [guide]: https://github.com/awsdocs/aws-lambda-developer-guide/blob/main/doc_source/with-kinesis.md "Using AWS Lambda with Amazon Kinesis"
//! [mappings]: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html "How Lambda processes records from stream and queue-based event sources"
//! [parameters]: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html "Lambda parameters for Amazon Kinesis Data Streams event source mappings"
//! [partial]: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html "Configuring partial batch response with Kinesis Data Streams and Lambda"
//! [records]: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html "Using Lambda to process records from Amazon Kinesis Data Streams"
//! [resharding]: https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html "Complete the resharding action"
//! [scaling]: https://aws.amazon.com/blogs/compute/new-aws-lambda-scaling-controls-for-kinesis-and-dynamodb-event-sources/ "New AWS Lambda scaling controls for Kinesis and DynamoDB event sources"

mod action;
mod discarded;
mod fate;
mod lane;
mod ledger;
mod mapping;
mod piece;
mod reader;
mod response;
mod settings;
mod shard;
mod source;

pub use action::{
    Action, Answer, Invocation, InvocationId, Position, Read, ShardInfo, SourceRecord, Unexpected,
};
pub use discarded::{Condition, Discarded};
pub use mapping::Mapping;
pub use settings::{Destination, Fault, InvalidSettings, Settings, StartingPosition};
pub use shard::ShardStatus;
pub use source::{Pace, Source};
