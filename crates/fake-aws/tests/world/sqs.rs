//! Queues: a message stays until it is deleted.

use std::time::Duration;

use aws_sdk_sqs::Client;
use fake_aws::World;

#[tokio::test]
async fn a_message_is_hidden_once_received_and_gone_once_deleted() {
    let world = World::default();
    let queue = world.create_queue("line-stop");
    let client = Client::new(&world.sdk_config());
    client
        .send_message()
        .queue_url(&queue)
        .message_body("{\"stop\":\"L2\"}")
        .send()
        .await
        .unwrap();

    let receive = || {
        client
            .receive_message()
            .queue_url(&queue)
            .wait_time_seconds(20)
            .send()
    };
    let first = receive().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(first.body(), Some("{\"stop\":\"L2\"}"));
    assert_eq!(receive().await.unwrap().messages, None, "it is in flight");

    world.advance(Duration::from_secs(31));
    let second = receive().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(second.message_id(), first.message_id());
    assert_eq!(world.messages(&queue)[0].receive_count, 2);

    let delete = |receipt: Option<&str>| {
        client
            .delete_message()
            .queue_url(&queue)
            .set_receipt_handle(receipt.map(str::to_owned))
            .send()
    };
    delete(first.receipt_handle()).await.unwrap();
    assert_eq!(
        world.messages(&queue).len(),
        1,
        "an outdated receipt deletes nothing"
    );
    delete(second.receipt_handle()).await.unwrap();
    assert!(world.messages(&queue).is_empty());
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_refused() {
    let world = World::default();
    let client = Client::new(&world.sdk_config());
    let url = "https://sqs.eu-central-1.amazonaws.com/111122223333/none";
    let error = client
        .send_message()
        .queue_url(url)
        .message_body("x")
        .send()
        .await
        .unwrap_err();
    assert!(error.into_service_error().is_queue_does_not_exist());
}
