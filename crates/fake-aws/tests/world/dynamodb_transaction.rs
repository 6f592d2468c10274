//! TransactWriteItems.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use fake_aws::{Effect, Fault, Item, Parts, Service, Value, When, World};

use crate::dynamodb::{n, s};

fn world() -> (World, Client) {
    let world = World::default();
    world.create_table("claims", "claim", None);
    world.put_item(
        "claims",
        Item::from([("claim".into(), "b".into()), ("lease".into(), 5.into())]),
    );
    let client = Client::new(&world.sdk_config());
    (world, client)
}

fn put(claim: &str) -> TransactWriteItem {
    let put = Put::builder().table_name("claims").item("claim", s(claim));
    let put = put.condition_expression("attribute_not_exists(claim)");
    let put =
        put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder()
        .put(put.build().unwrap())
        .build()
}

fn increment(claim: &str) -> TransactWriteItem {
    let update = Update::builder()
        .table_name("claims")
        .key("claim", s(claim));
    let update = update
        .update_expression("SET lease = lease + :one")
        .expression_attribute_values(":one", n(1));
    TransactWriteItem::builder()
        .update(update.build().unwrap())
        .build()
}

fn check(claim: &str, condition: &str) -> TransactWriteItem {
    let check = ConditionCheck::builder()
        .table_name("claims")
        .key("claim", s(claim));
    TransactWriteItem::builder()
        .condition_check(check.condition_expression(condition).build().unwrap())
        .build()
}

fn delete(claim: &str) -> TransactWriteItem {
    let delete = Delete::builder()
        .table_name("claims")
        .key("claim", s(claim));
    TransactWriteItem::builder()
        .delete(delete.build().unwrap())
        .build()
}

fn claims(world: &World) -> Vec<(String, Option<i64>)> {
    let described = |item: &Item| {
        (
            item["claim"].as_s().unwrap().to_owned(),
            item.get("lease").and_then(Value::as_i64),
        )
    };
    world.items("claims").iter().map(described).collect()
}

async fn reasons(client: &Client, items: Vec<TransactWriteItem>) -> Vec<CancellationReason> {
    let error = client
        .transact_write_items()
        .set_transact_items(Some(items))
        .send()
        .await
        .unwrap_err();
    match error.into_service_error() {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons.unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_of_it_happens() {
    let (world, client) = world();
    world.put_item("claims", Item::from([("claim".into(), "c".into())]));
    let items = vec![
        put("a"),
        increment("b"),
        delete("c"),
        check("d", "attribute_not_exists(claim)"),
    ];
    client
        .transact_write_items()
        .set_transact_items(Some(items))
        .send()
        .await
        .unwrap();
    assert_eq!(
        claims(&world),
        [("a".to_owned(), None), ("b".to_owned(), Some(6))]
    );
}

#[tokio::test]
async fn or_none_of_it_with_a_reason_for_each() {
    let (world, client) = world();
    let items = vec![
        put("a"),
        put("b"),
        increment("z"),
        check("c", "attribute_exists(claim)"),
    ];
    let reasons = reasons(&client, items).await;
    let codes: Vec<_> = reasons
        .iter()
        .map(|reason| reason.code().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "None",
            "ConditionalCheckFailed",
            "ValidationError",
            "ConditionalCheckFailed"
        ]
    );
    assert_eq!(reasons[1].message(), Some("The conditional request failed"));
    assert_eq!(
        reasons[1].item().unwrap()["lease"],
        n(5),
        "ALL_OLD was asked for"
    );
    assert_eq!(reasons[3].item(), None);
    assert_eq!(claims(&world), [("b".to_owned(), Some(5))]);
}

#[tokio::test]
async fn the_message_lists_the_codes() {
    let (_, client) = world();
    let error = client
        .transact_write_items()
        .transact_items(put("a"))
        .transact_items(put("b"))
        .send()
        .await;
    let message = error
        .unwrap_err()
        .into_service_error()
        .message()
        .unwrap()
        .to_owned();
    assert_eq!(
        message,
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    );
}

#[tokio::test]
async fn what_is_no_transaction_is_refused() {
    let (world, client) = world();
    for (items, message) in [
        (
            (0..101).map(|i| put(&format!("m{i}"))).collect(),
            "length less than or equal to 100",
        ),
        (vec![], "length greater than or equal to 1"),
        (
            vec![put("a"), increment("a")],
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            vec![put("a"), check("b", "owner = :x")],
            "reserved keyword: owner",
        ),
        (
            vec![put("a"), put("")],
            "cannot contain an empty string value",
        ),
    ] {
        let error = client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await
            .unwrap_err();
        let error = error.into_service_error();
        assert_eq!(error.code(), Some("ValidationException"), "{message}");
        assert!(
            error.message().unwrap().contains(message),
            "{message}: {:?}",
            error.message()
        );
        assert_eq!(claims(&world).len(), 1);
    }
}

#[tokio::test]
async fn the_sdks_retry_of_a_transaction_that_happened_succeeds_without_repeating_it() {
    let (world, client) = world();
    let fault = world.fault(
        Fault::new(Service::DynamoDb, "*")
            .when(When::nth(1))
            .then(Effect::FailAfter),
    );
    client
        .transact_write_items()
        .transact_items(increment("b"))
        .send()
        .await
        .unwrap();
    assert_eq!(fault.fired(), 1);
    assert_eq!(world.calls().len(), 2, "one token, two attempts");
    assert_eq!(claims(&world), [("b".to_owned(), Some(6))]);
}

#[tokio::test]
async fn a_token_binds_the_request_for_ten_minutes() {
    let (world, client) = world();
    let send = |item: TransactWriteItem| {
        client
            .transact_write_items()
            .client_request_token("token")
            .transact_items(item)
            .send()
    };
    send(increment("b")).await.unwrap();
    let error = send(put("c")).await.unwrap_err().into_service_error();
    assert!(
        error.is_idempotent_parameter_mismatch_exception(),
        "{error:?}"
    );
    world.advance(std::time::Duration::from_secs(601));
    send(increment("b")).await.unwrap();
    assert_eq!(claims(&world), [("b".to_owned(), Some(7))]);
}

#[tokio::test]
async fn a_part_held_back_is_a_conflict() {
    let (world, client) = world();
    let fault = Fault::new(Service::DynamoDb, "TransactWriteItems")
        .then(Effect::Partial(Parts::keyed("b")));
    world.fault(fault);
    let codes: Vec<_> = reasons(&client, vec![put("a"), increment("b")])
        .await
        .iter()
        .map(|reason| reason.code().unwrap().to_owned())
        .collect();
    assert_eq!(codes, ["None", "TransactionConflict"]);
    assert_eq!(claims(&world).len(), 1);
}
