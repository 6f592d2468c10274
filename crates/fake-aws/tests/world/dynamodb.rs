//! One item at a time: keys, conditions, updates, answers.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use fake_aws::{Item, Value, World};

pub fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn world() -> (World, Client) {
    let world = World::default();
    world.create_table("state", "machine", None);
    world.create_table("events", "machine", Some("time_id"));
    world.create_index("events", "by-line", "line", Some("time_id"));
    let client = Client::new(&world.sdk_config());
    (world, client)
}

#[tokio::test]
async fn an_item_of_every_type_comes_back_as_it_was_put() {
    let (world, client) = world();
    let attributes = [
        ("machine", s("프레스-07")),
        ("version", n(7)),
        ("ratio", AttributeValue::N("0.1".into())),
        ("state", AttributeValue::B(vec![0, 1, 255].into())),
        ("open", AttributeValue::Bool(true)),
        ("none", AttributeValue::Null(true)),
        ("tests", AttributeValue::L(vec![s("nelson-1"), s("")])),
        (
            "watermarks",
            AttributeValue::M([("shardId-000000000000".to_owned(), s("4959"))].into()),
        ),
        ("tags", AttributeValue::Ss(vec!["a".into(), "b".into()])),
    ];
    let item: std::collections::HashMap<_, _> = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    client
        .put_item()
        .table_name("state")
        .set_item(Some(item.clone()))
        .send()
        .await
        .unwrap();

    let read = client
        .get_item()
        .table_name("state")
        .key("machine", s("프레스-07"))
        .consistent_read(true)
        .send();
    assert_eq!(read.await.unwrap().item, Some(item));
    let stored = world.item("state", "프레스-07", None).unwrap();
    assert_eq!(stored["state"].as_b(), Some([0, 1, 255].as_slice()));
    assert_eq!(stored["version"].as_i64(), Some(7));

    let absent = client
        .get_item()
        .table_name("state")
        .key("machine", s("press-08"))
        .send()
        .await
        .unwrap();
    assert_eq!(absent.item, None);
}

#[tokio::test]
async fn a_projection_answers_what_it_names() {
    let (world, client) = world();
    world.put_item(
        "state",
        Item::from([
            ("machine".into(), "a".into()),
            ("version".into(), 3.into()),
            ("owner".into(), "x".into()),
        ]),
    );
    let read = client
        .get_item()
        .table_name("state")
        .key("machine", s("a"))
        .projection_expression("#o, version");
    let read = read
        .expression_attribute_names("#o", "owner")
        .send()
        .await
        .unwrap()
        .item
        .unwrap();
    assert_eq!(
        read,
        [("owner".to_owned(), s("x")), ("version".to_owned(), n(3))].into()
    );
}

#[tokio::test]
async fn a_condition_on_the_version_lets_one_of_two_writers_through() {
    let (world, client) = world();
    let write = |version: i64, loaded: Option<i64>| {
        let put = client
            .put_item()
            .table_name("state")
            .item("machine", s("a"))
            .item("version", n(version));
        match loaded {
            None => put.condition_expression("attribute_not_exists(machine)"),
            Some(loaded) => put
                .condition_expression("version = :loaded")
                .expression_attribute_values(":loaded", n(loaded)),
        }
        .send()
    };
    write(1, None).await.unwrap();
    write(2, Some(1)).await.unwrap();
    let lost = write(2, Some(1)).await.unwrap_err().into_service_error();
    assert!(lost.is_conditional_check_failed_exception());
    assert_eq!(lost.message(), Some("The conditional request failed"));
    assert!(
        write(1, None)
            .await
            .unwrap_err()
            .into_service_error()
            .is_conditional_check_failed_exception()
    );
    assert_eq!(
        world.item("state", "a", None).unwrap()["version"],
        Value::from(2)
    );
}

#[tokio::test]
async fn a_failed_condition_brings_the_item_if_asked() {
    let (world, client) = world();
    world.put_item(
        "state",
        Item::from([
            ("machine".into(), "a".into()),
            ("owner".into(), "me".into()),
        ]),
    );
    for (wanted, found) in [
        (ReturnValuesOnConditionCheckFailure::AllOld, Some(s("me"))),
        (ReturnValuesOnConditionCheckFailure::None, None),
    ] {
        let put = client
            .put_item()
            .table_name("state")
            .item("machine", s("a"));
        let put = put.condition_expression("attribute_not_exists(machine)");
        let error = put
            .return_values_on_condition_check_failure(wanted)
            .send()
            .await
            .unwrap_err();
        let PutItemError::ConditionalCheckFailedException(failed) = error.into_service_error()
        else {
            panic!()
        };
        assert_eq!(
            failed.item.and_then(|item| item.get("owner").cloned()),
            found
        );
    }
    // There is no item to bring.
    let update = client
        .update_item()
        .table_name("state")
        .key("machine", s("b"));
    let update = update
        .update_expression("SET version = :v")
        .expression_attribute_values(":v", n(1));
    let update = update.condition_expression("attribute_exists(machine)");
    let update = update
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = update.send().await.unwrap_err().into_service_error();
    let UpdateItemError::ConditionalCheckFailedException(failed) = error else {
        panic!()
    };
    assert_eq!(failed.item, None);
}

#[tokio::test]
async fn an_update_creates_changes_and_answers_as_asked() {
    let (world, client) = world();
    let update = |wanted: ReturnValue| {
        let update = client
            .update_item()
            .table_name("state")
            .key("machine", s("a"));
        let update = update.update_expression(
            "SET #c = if_not_exists(#c, :zero) + :one, seen = :seen REMOVE gone",
        );
        let update = update.expression_attribute_names("#c", "count");
        let update = update
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1));
        update
            .expression_attribute_values(":seen", s("now"))
            .return_values(wanted)
            .send()
    };
    assert_eq!(
        update(ReturnValue::AllOld).await.unwrap().attributes,
        None,
        "there was none"
    );
    for (wanted, expected) in [
        (ReturnValue::None, None),
        (
            ReturnValue::AllOld,
            Some(vec![
                ("count", n(2)),
                ("machine", s("a")),
                ("seen", s("now")),
            ]),
        ),
        (
            ReturnValue::UpdatedOld,
            Some(vec![("count", n(3)), ("seen", s("now"))]),
        ),
        (
            ReturnValue::UpdatedNew,
            Some(vec![("count", n(5)), ("seen", s("now"))]),
        ),
        (
            ReturnValue::AllNew,
            Some(vec![
                ("count", n(6)),
                ("machine", s("a")),
                ("seen", s("now")),
            ]),
        ),
    ] {
        let attributes = update(wanted.clone()).await.unwrap().attributes;
        let expected = expected.map(|all| {
            all.into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        });
        assert_eq!(attributes, expected, "{wanted:?}");
    }
    assert_eq!(
        world.item("state", "a", None).unwrap()["count"],
        Value::from(6)
    );
}

#[tokio::test]
async fn a_deletion_can_be_conditional_and_answer_what_was() {
    let (world, client) = world();
    world.put_item(
        "state",
        Item::from([
            ("machine".into(), "a".into()),
            ("owner".into(), "me".into()),
        ]),
    );
    let delete = |owner: &str| {
        let delete = client
            .delete_item()
            .table_name("state")
            .key("machine", s("a"));
        let delete = delete
            .condition_expression("#o = :o")
            .expression_attribute_names("#o", "owner");
        delete
            .expression_attribute_values(":o", s(owner))
            .return_values(ReturnValue::AllOld)
            .send()
    };
    assert!(
        delete("you")
            .await
            .unwrap_err()
            .into_service_error()
            .is_conditional_check_failed_exception()
    );
    assert_eq!(world.items("state").len(), 1);
    assert_eq!(
        delete("me").await.unwrap().attributes.unwrap()["owner"],
        s("me")
    );
    assert_eq!(world.items("state").len(), 0);
    let again = client
        .delete_item()
        .table_name("state")
        .key("machine", s("a"))
        .send()
        .await;
    assert!(again.is_ok(), "deleting what is gone is no error");
}

/// A put of these attributes into the table is refused with this.
async fn check_put_refused(table: &str, attributes: &[(&str, AttributeValue)], message: &str) {
    let (world, client) = world();
    let put = attributes
        .iter()
        .fold(client.put_item().table_name(table), |put, (name, value)| {
            put.item(*name, value.clone())
        });
    let error = put.send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("ValidationException"), "{message}");
    assert!(
        error.message().unwrap().contains(message),
        "{message}: {:?}",
        error.message()
    );
    assert!(world.items(table).is_empty());
}

#[tokio::test]
async fn what_is_no_item_is_refused() {
    let text = |length: usize| s(&"x".repeat(length));
    check_put_refused(
        "state",
        &[("version", n(1))],
        "Missing the key machine in the item",
    )
    .await;
    check_put_refused(
        "state",
        &[("machine", s(""))],
        "cannot contain an empty string value. Key: machine",
    )
    .await;
    check_put_refused(
        "state",
        &[("machine", n(1))],
        "Type mismatch for key machine expected: S actual: N",
    )
    .await;
    check_put_refused(
        "state",
        &[("machine", text(2049))],
        "Size of hashkey has exceeded the maximum size limit of",
    )
    .await;
    check_put_refused(
        "events",
        &[("machine", s("a"))],
        "Missing the key time_id in the item",
    )
    .await;
    check_put_refused(
        "events",
        &[("machine", s("a")), ("time_id", text(1025))],
        "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
    )
    .await;
    let event = [("machine", s("a")), ("time_id", s("t"))];
    let with =
        |name: &'static str, value: AttributeValue| [event.to_vec(), vec![(name, value)]].concat();
    check_put_refused(
        "events",
        &with("line", s("")),
        "IndexName: by-line, IndexKey: line",
    )
    .await;
    check_put_refused(
        "events",
        &with("line", n(1)),
        "Type mismatch for Index Key line Expected: S Actual: N",
    )
    .await;
    check_put_refused(
        "events",
        &with("n", AttributeValue::N("1e126".into())),
        "Number overflow",
    )
    .await;
    check_put_refused(
        "events",
        &with("tags", AttributeValue::Ss(vec![])),
        "An string set  may not be empty",
    )
    .await;
}

#[tokio::test]
async fn an_item_may_have_400_kb_and_not_a_byte_more() {
    let (world, client) = world();
    // "machine" + "a" + "v" are 9 bytes.
    let put = |bytes: usize| {
        client
            .put_item()
            .table_name("state")
            .item("machine", s("a"))
            .item("v", s(&"x".repeat(bytes)))
            .send()
    };
    put(400 * 1024 - 9).await.unwrap();
    let error = put(400 * 1024 - 8).await.unwrap_err().into_service_error();
    assert_eq!(
        error.message(),
        Some("Item size has exceeded the maximum allowed size")
    );
    let update = client
        .update_item()
        .table_name("state")
        .key("machine", s("a"));
    let update = update
        .update_expression("SET w = :w")
        .expression_attribute_values(":w", s("x"));
    let error = update.send().await.unwrap_err().into_service_error();
    assert_eq!(
        error.message(),
        Some("Item size to update has exceeded the maximum allowed size")
    );
    assert_eq!(world.item("state", "a", None).unwrap().len(), 2);
}

#[tokio::test]
async fn keys_must_be_the_tables() {
    let (_, client) = world();
    let message = "The provided key element does not match the schema";
    for key in [
        vec![("claim", s("a"))],
        vec![("machine", n(1))],
        vec![("machine", s("a")), ("time_id", s("t"))],
    ] {
        let get = key.iter().fold(
            client.get_item().table_name("state"),
            |get, (name, value)| get.key(*name, value.clone()),
        );
        let error = get.send().await.unwrap_err().into_service_error();
        assert_eq!(error.message(), Some(message), "{key:?}");
    }
    let absent = client
        .get_item()
        .table_name("nowhere")
        .key("machine", s("a"))
        .send()
        .await
        .unwrap_err();
    let absent = absent.into_service_error();
    assert!(absent.is_resource_not_found_exception());
    assert_eq!(absent.message(), Some("Requested resource not found"));
}

#[tokio::test]
async fn unused_and_undefined_placeholders_are_refused() {
    let (_, client) = world();
    for (expression, names, values, message) in [
        (
            "SET version = :v",
            vec![],
            vec![":v", ":w"],
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
        (
            "SET version = :v",
            vec!["#a", "#b"],
            vec![":v"],
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}",
        ),
        (
            "SET version = :w",
            vec![],
            vec![":v"],
            "not defined; attribute value: :w",
        ),
        (
            "SET #b = :v",
            vec!["#a"],
            vec![":v"],
            "not defined; attribute name: #b",
        ),
        (
            "SET version = :v",
            vec![],
            vec![":v", "w"],
            "contains invalid key",
        ),
        (
            "SET owner = :v",
            vec![],
            vec![":v"],
            "reserved keyword: owner",
        ),
    ] {
        let update = client
            .update_item()
            .table_name("state")
            .key("machine", s("a"))
            .update_expression(expression);
        let update = names.iter().fold(update, |update, name| {
            update.expression_attribute_names(*name, "x")
        });
        let update = values.iter().fold(update, |update, name| {
            update.expression_attribute_values(*name, n(1))
        });
        let error = update.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("ValidationException"));
        assert!(
            error.message().unwrap().contains(message),
            "{message}: {:?}",
            error.message()
        );
    }
    let put = client
        .put_item()
        .table_name("state")
        .item("machine", s("a"))
        .expression_attribute_values(":v", n(1));
    let error = put.send().await.unwrap_err().into_service_error();
    assert_eq!(
        error.message(),
        Some("ExpressionAttributeValues can only be specified when using expressions")
    );
}

#[tokio::test]
async fn what_the_world_does_not_know_it_refuses() {
    let (_, client) = world();
    let get = client.get_item().table_name("state").key("machine", s("a"));
    let get = get.return_consumed_capacity(aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total);
    let error = get.send().await.unwrap_err().into_service_error();
    assert!(
        error
            .message()
            .unwrap()
            .contains("unknown field `ReturnConsumedCapacity`"),
        "{error:?}"
    );
    let error = client
        .list_tables()
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.message(), Some("not supported: ListTables"));
}
