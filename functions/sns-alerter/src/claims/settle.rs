//! How a granted claim ends: marked as sent, or free again.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::{CLAIMED, DynamoClaims, SENT, call_error, number, text};
use crate::claim::{ClaimError, Gate, Request};

/// What holds while the owner has the claim.
const OWN: &str = "#status = :claimed AND #owner = :owner";

impl DynamoClaims {
    pub(super) async fn mark_sent(&self, request: &Request) -> Result<(), ClaimError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("claim", text(&request.key))
            .update_expression("SET #status = :status REMOVE #lease")
            .condition_expression(OWN)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#lease", "lease_until")
            .expression_attribute_values(":status", text(SENT))
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":owner", text(&request.owner));
        settled(update.send().await)
    }

    /// The claim is as free as it was before it was granted: nobody's, or one whose holder's lease is over.
    pub(super) async fn release(&self, request: &Request) -> Result<(), ClaimError> {
        self.forget_cool_down(request).await?;
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("claim", text(&request.key))
            .condition_expression(format!("{OWN} AND attribute_not_exists(#taken)"))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#taken", "taken_over")
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":owner", text(&request.owner))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let result = delete.send().await;
        let is_taken_over = matches!(
            result.as_ref().map_err(SdkError::as_service_error),
            Err(Some(DeleteItemError::ConditionalCheckFailedException(held)))
                if held.item().is_some_and(|item| item.contains_key("taken_over"))
        );
        if !is_taken_over {
            return settled(result);
        }
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("claim", text(&request.key))
            .update_expression("SET #lease = :over")
            .condition_expression(OWN)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#lease", "lease_until")
            .expression_attribute_values(":over", number(0))
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":owner", text(&request.owner));
        settled(update.send().await)
    }

    /// An alert that was never sent begins no cool-down. One that another owner has sent did: what is released here may be
    /// no more than a claim that was never decided. Nor does one begin anew that an earlier holder may have sent.
    async fn forget_cool_down(&self, request: &Request) -> Result<(), ClaimError> {
        let Gate::CoolDown { key, episode, .. } = &request.gate else {
            return Ok(());
        };
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("claim", text(key))
            .condition_expression("#episode = :episode AND #owner = :owner AND #taken = :no")
            .expression_attribute_names("#episode", "episode")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#taken", "taken_over")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":episode", text(episode.as_str()))
            .expression_attribute_values(":owner", text(&request.owner));
        settled(delete.send().await)
    }
}

/// A repeated settlement finds its own work done; a lease that ran out has another holder by now.
fn settled<T, E>(result: Result<T, SdkError<E, HttpResponse>>) -> Result<(), ClaimError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
        Err(error) => Err(call_error("cannot settle a claim", error)),
    }
}
