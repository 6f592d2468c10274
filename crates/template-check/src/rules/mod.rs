//! The rules: one file each, named as the rule is, with a template that has the fault and one that has not under
//! `templates/`.

mod alarm_beyond_retention;
mod alarm_dimension_value;
mod alarm_latency_unit;
mod alarm_metric_unknown;
mod alarm_without_action;
mod alarm_without_dimensions;
mod bisect_off;
mod chat_without_guardrails;
mod code_action_missing;
mod code_action_unused;
mod code_metric_unknown;
mod code_parallelization;
mod code_partial_failures;
mod code_variable_missing;
mod code_variable_unread;
mod condition_as_value;
mod conversion_compressed;
mod delivery_errors_unlogged;
mod duplicate_key;
mod encryption_missing;
pub(crate) mod exception_unused;
pub(crate) mod exception_without_reason;
mod failure_destination_fifo;
mod failure_destination_forbidden;
mod failure_destination_forgets;
mod failure_destination_missing;
mod fan_out_unused;
mod filter_discards_aggregates;
mod key_shuts_out_alarms;
mod log_group_after_function;
mod log_group_missing;
mod log_retention_missing;
mod mapping_cannot_read;
mod mapping_setting_out_of_range;
mod nested_parameters;
mod partial_failures_off;
mod partitioning_buffer;
mod partitioning_without_error_prefix;
mod policy_after_use;
mod prelude;
mod queue_refuses_topic;
mod queue_under_managed_key;
mod queue_visibility_short;
mod queue_without_dead_letters;
mod record_age_beyond_retention;
mod record_age_within_timeout;
mod retries_and_parallelization_swapped;
mod retries_unlimited;
mod starting_latest;
mod timeout_default;
mod topic_under_managed_key;
mod transformation_buffer;
mod transformation_timeout;
mod unresolved_reference;

use crate::rule::Rule;

/// Every rule, by id.
pub static RULES: &[&Rule] = &[
    &alarm_beyond_retention::RULE,
    &alarm_dimension_value::RULE,
    &alarm_latency_unit::RULE,
    &alarm_metric_unknown::RULE,
    &alarm_without_action::RULE,
    &alarm_without_dimensions::RULE,
    &bisect_off::RULE,
    &chat_without_guardrails::RULE,
    &code_action_missing::RULE,
    &code_action_unused::RULE,
    &code_metric_unknown::RULE,
    &code_parallelization::RULE,
    &code_partial_failures::RULE,
    &code_variable_missing::RULE,
    &code_variable_unread::RULE,
    &condition_as_value::RULE,
    &conversion_compressed::RULE,
    &delivery_errors_unlogged::RULE,
    &duplicate_key::RULE,
    &encryption_missing::RULE,
    &exception_unused::RULE,
    &exception_without_reason::RULE,
    &failure_destination_fifo::RULE,
    &failure_destination_forbidden::RULE,
    &failure_destination_forgets::RULE,
    &failure_destination_missing::RULE,
    &fan_out_unused::RULE,
    &filter_discards_aggregates::RULE,
    &key_shuts_out_alarms::RULE,
    &log_group_after_function::RULE,
    &log_group_missing::RULE,
    &log_retention_missing::RULE,
    &mapping_cannot_read::RULE,
    &mapping_setting_out_of_range::RULE,
    &nested_parameters::RULE,
    &partial_failures_off::RULE,
    &partitioning_buffer::RULE,
    &partitioning_without_error_prefix::RULE,
    &policy_after_use::RULE,
    &queue_refuses_topic::RULE,
    &queue_under_managed_key::RULE,
    &queue_visibility_short::RULE,
    &queue_without_dead_letters::RULE,
    &record_age_beyond_retention::RULE,
    &record_age_within_timeout::RULE,
    &retries_and_parallelization_swapped::RULE,
    &retries_unlimited::RULE,
    &starting_latest::RULE,
    &timeout_default::RULE,
    &topic_under_managed_key::RULE,
    &transformation_buffer::RULE,
    &transformation_timeout::RULE,
    &unresolved_reference::RULE,
];
