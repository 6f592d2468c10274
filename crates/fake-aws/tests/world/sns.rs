//! Topics: one message, ten messages, and what SNS makes of them.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use fake_aws::{Effect, Fault, Parts, Service, World};

fn world() -> (World, Client, String) {
    let world = World::default();
    let topic = world.create_topic("alerts");
    let client = Client::new(&world.sdk_config());
    (world, client, topic)
}

fn attribute(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(value)
        .build()
        .unwrap()
}

fn entry(id: &str, message: &str) -> PublishBatchRequestEntry {
    PublishBatchRequestEntry::builder()
        .id(id)
        .message(message)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_message_is_published_with_subject_and_attributes() {
    let (world, client, topic) = world();
    let publish = client
        .publish()
        .topic_arn(&topic)
        .message("프레스-07: 100 % & <stop>")
        .subject("[critical] press");
    let publish = publish.message_attributes("severity", attribute("String", "critical"));
    let output = publish
        .message_attributes("line", attribute("String", "L2"))
        .send()
        .await
        .unwrap();
    let published = world.published(&topic);
    assert_eq!(published.len(), 1);
    assert_eq!(Some(published[0].message_id.as_str()), output.message_id());
    assert_eq!(published[0].message, "프레스-07: 100 % & <stop>");
    assert_eq!(published[0].subject.as_deref(), Some("[critical] press"));
    assert_eq!(published[0].attributes["severity"].value, "critical");
    assert_eq!(published[0].attributes["line"].data_type, "String");
}

#[tokio::test]
async fn each_protocol_gets_its_text() {
    let (world, client, topic) = world();
    let texts = r#"{"default":"press-07 stopped","sms":"stop","email":"long text"}"#;
    client
        .publish()
        .topic_arn(&topic)
        .message_structure("json")
        .message(texts)
        .send()
        .await
        .unwrap();
    let published = &world.published(&topic)[0];
    assert_eq!(
        ["sms", "email", "sqs"].map(|protocol| published.text_for(protocol)),
        ["stop", "long text", "press-07 stopped"]
    );
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let (world, client, topic) = world();
    let base = || client.publish().topic_arn(&topic).message("text");
    let parameter = "InvalidParameter";
    for (publish, code, message) in [
        (
            client.publish().topic_arn(&topic).message(""),
            parameter,
            "Empty message",
        ),
        (
            client
                .publish()
                .topic_arn(&topic)
                .message("x".repeat(262_145)),
            parameter,
            "Message too long",
        ),
        (base().subject("프레스-07"), parameter, "Subject"),
        (base().subject("x".repeat(100)), parameter, "Subject"),
        (base().subject("two\nlines"), parameter, "Subject"),
        (
            base().message_structure("json"),
            parameter,
            "failed to parse",
        ),
        (
            base().message_structure("json").message("{\"sms\":\"x\"}"),
            parameter,
            "No default entry",
        ),
        (
            base().message_attributes("line", attribute("String", "")),
            "ParameterValueInvalid",
            "must contain non-empty message attribute value for message attribute type 'String'.",
        ),
        (
            base().message_attributes("line", attribute("", "L2")),
            "ParameterValueInvalid",
            "non-empty message attribute type",
        ),
    ] {
        let error = publish.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(code), "{message}");
        assert!(
            error.message().unwrap().contains(message),
            "{message}: {:?}",
            error.message()
        );
    }
    let error = client
        .publish()
        .topic_arn(format!("{topic}-2"))
        .message("x")
        .send()
        .await
        .unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_not_found_exception());
    assert!(world.published(&topic).is_empty());
}

#[tokio::test]
async fn a_batch_is_published_entry_by_entry() {
    let (world, client, topic) = world();
    let entries = (0..10)
        .map(|i| entry(&format!("e{i}"), &format!("message {i}")))
        .collect();
    let output = client
        .publish_batch()
        .topic_arn(&topic)
        .set_publish_batch_request_entries(Some(entries));
    let output = output.send().await.unwrap();
    assert_eq!((output.successful().len(), output.failed().len()), (10, 0));
    for (i, published) in world.published(&topic).iter().enumerate() {
        assert_eq!(
            published.entry_id.as_deref(),
            Some(format!("e{i}").as_str())
        );
        assert_eq!(published.message, format!("message {i}"));
        assert_eq!(
            Some(published.message_id.as_str()),
            output.successful()[i].message_id()
        );
    }
}

#[tokio::test]
async fn entries_fail_alone() {
    let (world, client, topic) = world();
    let effect = Effect::Partial(Parts::mentioning("press-02"));
    world.fault(Fault::new(Service::Sns, "PublishBatch").then(effect));
    let bad = PublishBatchRequestEntry::builder()
        .id("c")
        .message("x")
        .subject("라인")
        .build()
        .unwrap();
    let entries = vec![entry("a", "press-01"), entry("b", "press-02"), bad];
    let output = client
        .publish_batch()
        .topic_arn(&topic)
        .set_publish_batch_request_entries(Some(entries));
    let output = output.send().await.unwrap();
    let failed: Vec<_> = output
        .failed()
        .iter()
        .map(|failed| (failed.id(), failed.code(), failed.sender_fault()))
        .collect();
    assert_eq!(
        failed,
        [
            ("b", "InternalError", false),
            ("c", "InvalidParameter", true)
        ]
    );
    let published: Vec<_> = world
        .published(&topic)
        .into_iter()
        .map(|message| message.message)
        .collect();
    assert_eq!(published, ["press-01"]);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_as_a_whole() {
    let (world, client, topic) = world();
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        (
            (0..11).map(|i| entry(&format!("e{i}"), "x")).collect(),
            "TooManyEntriesInBatchRequest",
        ),
        (
            vec![entry("a", "x"), entry("a", "y")],
            "BatchEntryIdsNotDistinct",
        ),
        (vec![entry("a b", "x")], "InvalidBatchEntryId"),
        (
            vec![
                entry("a", &"x".repeat(200_000)),
                entry("b", &"y".repeat(62_145)),
            ],
            "BatchRequestTooLong",
        ),
    ] {
        let batch = client
            .publish_batch()
            .topic_arn(&topic)
            .set_publish_batch_request_entries(Some(entries));
        let error = batch.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(code));
        assert!(world.published(&topic).is_empty());
    }
    let entries = vec![
        entry("a", &"x".repeat(200_000)),
        entry("b", &"y".repeat(62_144)),
    ];
    let batch = client
        .publish_batch()
        .topic_arn(&topic)
        .set_publish_batch_request_entries(Some(entries));
    assert_eq!(
        batch.send().await.unwrap().successful().len(),
        2,
        "262,144 bytes in total are allowed"
    );
}
