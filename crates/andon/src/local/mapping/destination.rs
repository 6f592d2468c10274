//! A batch that is given up goes to the mapping's failure destination, in the form that Lambda documents: the whole
//! invocation record on S3, a pointer into the stream on SQS and SNS.

use aws_config::SdkConfig;
use event_source_mapping::{Destination, Discarded};

use crate::aws::{failed, s3};
use crate::failure::Failure;

/// Puts a batch to its destination; nowhere, if the mapping has none.
pub async fn put(sdk: &SdkConfig, batch: &Discarded) -> Result<(), Failure> {
    let what = "cannot put a batch to the failure destination";
    match &batch.destination {
        None => {}
        Some(Destination::Bucket(bucket)) => {
            let put = s3(sdk)
                .put_object()
                .bucket(bucket)
                .key(batch.key())
                .content_type("application/json")
                .body(batch.to_full_json().into_bytes().into());
            put.send().await.map_err(|error| failed(what, &error))?;
        }
        Some(Destination::Queue(arn)) => {
            let name = arn.rsplit(':').next().unwrap_or(arn);
            let client = aws_sdk_sqs::Client::new(sdk);
            let queue = client.get_queue_url().queue_name(name).send().await;
            let queue = queue.map_err(|error| failed(what, &error))?;
            let send = client
                .send_message()
                .set_queue_url(queue.queue_url)
                .message_body(batch.to_pointer_json());
            send.send().await.map_err(|error| failed(what, &error))?;
        }
        Some(Destination::Topic(arn)) => {
            let publish = aws_sdk_sns::Client::new(sdk)
                .publish()
                .topic_arn(arn)
                .message(batch.to_pointer_json());
            publish.send().await.map_err(|error| failed(what, &error))?;
        }
    }
    Ok(())
}
