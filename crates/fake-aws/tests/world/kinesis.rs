//! Streams: putting, reading, resharding.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::primitives::{Blob, DateTime};
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, ShardIteratorType};
use fake_aws::{Effect, Fault, Parts, Service, World};

fn world() -> (World, Client) {
    let world = World::default();
    world.create_stream("readings", 2);
    let client = Client::new(&world.sdk_config());
    (world, client)
}

fn entry(key: &str, data: impl Into<Vec<u8>>) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry::builder()
        .partition_key(key)
        .data(Blob::new(data))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_record_goes_to_the_shard_of_its_key() {
    let (world, client) = world();
    let put = |key: &str| {
        client
            .put_record()
            .stream_name("readings")
            .partition_key(key)
            .data(Blob::new("{}"))
    };
    let first = put("a").send().await.unwrap();
    assert_eq!(first.shard_id, "shardId-000000000000");
    let second = put("b").send().await.unwrap();
    assert_eq!(second.shard_id, "shardId-000000000001");
    let third = put("a")
        .explicit_hash_key("340282366920938463463374607431768211455")
        .send()
        .await
        .unwrap();
    assert_eq!(third.shard_id, "shardId-000000000001");
    assert!(second.sequence_number < third.sequence_number);
    let digits = |text: &str| text.len() == 56 && text.bytes().all(|byte| byte.is_ascii_digit());
    assert!(
        world
            .records("readings")
            .iter()
            .all(|record| digits(&record.sequence_number))
    );
    let keys: Vec<_> = world
        .records("readings")
        .into_iter()
        .map(|record| record.partition_key)
        .collect();
    assert_eq!(keys, ["a", "b", "a"]);
}

#[tokio::test]
async fn a_stream_may_be_named_by_its_arn() {
    let (world, client) = world();
    let arn = "arn:aws:kinesis:eu-central-1:111122223333:stream/readings";
    client
        .put_record()
        .stream_arn(arn)
        .partition_key("a")
        .data(Blob::new("x"))
        .send()
        .await
        .unwrap();
    assert_eq!(world.records("readings")[0].data, "x");
}

#[tokio::test]
async fn records_put_together_keep_their_order_within_a_shard() {
    let (world, client) = world();
    let entries = (0..50)
        .map(|i| entry(&format!("press-{:02}", i % 5), format!("{i}")))
        .collect();
    let output = client
        .put_records()
        .stream_name("readings")
        .set_records(Some(entries))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (output.failed_record_count, output.records.len()),
        (Some(0), 50)
    );
    let records = world.records("readings");
    for shard in world.shards("readings") {
        let numbers: Vec<_> = records
            .iter()
            .filter(|record| record.shard == shard.id)
            .map(|r| &r.sequence_number)
            .collect();
        assert!(!numbers.is_empty() && numbers.is_sorted());
    }
    for (outcome, record) in output.records.iter().zip(&records) {
        assert_eq!(
            outcome.sequence_number.as_ref(),
            Some(&record.sequence_number)
        );
        assert_eq!(outcome.shard_id.as_ref(), Some(&record.shard));
    }
}

#[tokio::test]
async fn failed_entries_say_why_and_the_others_are_put() {
    let (world, client) = world();
    let put = || {
        let entries = ["press-01", "press-02", "press-01"]
            .map(|key| entry(key, key))
            .to_vec();
        client
            .put_records()
            .stream_name("readings")
            .set_records(Some(entries))
            .send()
    };
    world.fault(
        Fault::new(Service::Kinesis, "PutRecords").then(Effect::Partial(Parts::keyed("press-02"))),
    );
    let output = put().await.unwrap();
    assert_eq!(output.failed_record_count, Some(1));
    let failed = &output.records[1];
    assert_eq!(
        failed.error_code.as_deref(),
        Some("ProvisionedThroughputExceededException")
    );
    assert!(
        failed
            .error_message
            .as_ref()
            .unwrap()
            .starts_with("Rate exceeded for shard")
    );
    assert_eq!(
        (failed.shard_id.as_ref(), failed.sequence_number.as_ref()),
        (None, None)
    );
    assert_eq!(world.records("readings").len(), 2);

    world.clear_faults();
    let effect = Effect::PartialAs(
        Parts::at([0, 2]),
        "InternalFailure",
        "Internal Service Failure",
    );
    world.fault(Fault::new(Service::Kinesis, "PutRecords").then(effect));
    let output = put().await.unwrap();
    let codes: Vec<_> = output
        .records
        .iter()
        .map(|outcome| outcome.error_code.as_deref())
        .collect();
    assert_eq!(
        codes,
        [Some("InternalFailure"), None, Some("InternalFailure")]
    );
}

#[tokio::test]
async fn what_is_no_put_is_refused_as_a_whole() {
    let (world, client) = world();
    let mib = 1024 * 1024;
    let (validation, argument) = ("ValidationException", "InvalidArgumentException");
    for (entries, code, message) in [
        (vec![], validation, "greater than or equal to 1"),
        (
            vec![entry("a", "x"); 501],
            validation,
            "less than or equal to 500",
        ),
        (
            vec![entry("a", "x"), entry("a", vec![0; mib + 1])],
            validation,
            "'records.2.member.data'",
        ),
        (
            vec![entry("", "x")],
            validation,
            "'records.1.member.partitionKey'",
        ),
        (
            vec![entry(&"k".repeat(257), "x")],
            validation,
            "less than or equal to 256",
        ),
        (
            vec![entry("a", vec![0; mib - 1]); 6],
            argument,
            "Records size exceeds 5 MB limit",
        ),
    ] {
        let put = client
            .put_records()
            .stream_name("readings")
            .set_records(Some(entries));
        let error = put.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(code), "{message}");
        assert!(
            error.message().unwrap().contains(message),
            "{message}: {:?}",
            error.message()
        );
        assert!(world.records("readings").is_empty());
    }
    let put = client
        .put_record()
        .stream_name("nowhere")
        .partition_key("a")
        .data(Blob::new("x"));
    let error = put.send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());
    assert_eq!(
        error.message(),
        Some("Stream nowhere under account 111122223333 not found.")
    );
}

async fn iterator(
    client: &Client,
    shard: &str,
    kind: ShardIteratorType,
    from: Option<&str>,
) -> String {
    let get = client
        .get_shard_iterator()
        .stream_name("readings")
        .shard_id(shard)
        .shard_iterator_type(kind);
    let output = get
        .set_starting_sequence_number(from.map(str::to_owned))
        .send()
        .await
        .unwrap();
    output.shard_iterator.unwrap()
}

async fn read(client: &Client, iterator: &str) -> Vec<String> {
    let output = client
        .get_records()
        .shard_iterator(iterator)
        .send()
        .await
        .unwrap();
    output
        .records
        .iter()
        .map(|record| String::from_utf8_lossy(record.data.as_ref()).into_owned())
        .collect()
}

#[tokio::test]
async fn iterators_begin_where_they_are_told() {
    let (world, client) = world();
    let shard = "shardId-000000000000";
    let records: Vec<_> = (0..4)
        .map(|i| world.put_record("readings", "a", format!("{i}")))
        .collect();
    let second = records[1].sequence_number.as_str();
    for (kind, from, expected) in [
        (
            ShardIteratorType::TrimHorizon,
            None,
            vec!["0", "1", "2", "3"],
        ),
        (
            ShardIteratorType::AtSequenceNumber,
            Some(second),
            vec!["1", "2", "3"],
        ),
        (
            ShardIteratorType::AfterSequenceNumber,
            Some(second),
            vec!["2", "3"],
        ),
        (ShardIteratorType::Latest, None, vec![]),
    ] {
        let iterator = iterator(&client, shard, kind.clone(), from).await;
        assert_eq!(read(&client, &iterator).await, expected, "{kind:?}");
    }
    let latest = iterator(&client, shard, ShardIteratorType::Latest, None).await;
    world.put_record("readings", "a", "new");
    assert_eq!(read(&client, &latest).await, ["new"]);

    let at = client
        .get_shard_iterator()
        .stream_name("readings")
        .shard_id(shard);
    let at = at.shard_iterator_type(ShardIteratorType::AtTimestamp);
    let at = at
        .timestamp(DateTime::from_millis(records[0].arrived_ms + 3))
        .send()
        .await
        .unwrap();
    assert_eq!(read(&client, &at.shard_iterator.unwrap()).await, ["new"]);
}

#[tokio::test]
async fn reading_goes_on_where_it_stopped_and_tells_how_far_behind_it_is() {
    let (world, client) = world();
    for i in 0..3 {
        world.put_record("readings", "a", format!("{i}"));
        world.advance(std::time::Duration::from_secs(10));
    }
    let start = iterator(
        &client,
        "shardId-000000000000",
        ShardIteratorType::TrimHorizon,
        None,
    )
    .await;
    let page = client
        .get_records()
        .shard_iterator(start)
        .limit(2)
        .send()
        .await
        .unwrap();
    assert_eq!(page.records.len(), 2);
    assert_eq!(
        page.records[0].approximate_arrival_timestamp,
        Some(DateTime::from_millis(1_795_136_400_000))
    );
    assert_eq!(page.millis_behind_latest, Some(10_001));
    let page = client
        .get_records()
        .set_shard_iterator(page.next_shard_iterator)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (page.records.len(), page.millis_behind_latest),
        (1, Some(0))
    );

    world.advance(std::time::Duration::from_secs(301));
    let stale = client
        .get_records()
        .set_shard_iterator(page.next_shard_iterator)
        .send()
        .await
        .unwrap_err();
    assert!(stale.into_service_error().is_expired_iterator_exception());
}

#[tokio::test]
async fn a_closed_shard_is_read_to_its_end_and_names_its_children() {
    let (world, client) = world();
    world.put_record("readings", "a", "before");
    let children = world.split_shard("readings", "shardId-000000000000");
    world.put_record("readings", "a", "after");
    let start = iterator(
        &client,
        "shardId-000000000000",
        ShardIteratorType::TrimHorizon,
        None,
    )
    .await;
    let page = client
        .get_records()
        .shard_iterator(start)
        .send()
        .await
        .unwrap();
    assert_eq!((page.records.len(), page.next_shard_iterator), (1, None));
    let named: Vec<_> = page
        .child_shards
        .unwrap()
        .into_iter()
        .map(|child| child.shard_id)
        .collect();
    assert_eq!(named, children);
    let start = iterator(&client, &children[0], ShardIteratorType::TrimHorizon, None).await;
    assert_eq!(read(&client, &start).await, ["after"]);
}

#[tokio::test]
async fn shards_are_listed_in_pages_with_their_families() {
    let (world, client) = world();
    world.split_shard("readings", "shardId-000000000001");
    let (mut listed, mut token) = (Vec::new(), None);
    loop {
        let list = client.list_shards().max_results(3);
        let list = match token.take() {
            None => list.stream_name("readings"),
            Some(token) => list.next_token(token),
        };
        let output = list.send().await.unwrap();
        listed.extend(output.shards.unwrap());
        token = output.next_token;
        if token.is_none() {
            break;
        }
    }
    let families: Vec<_> = listed
        .iter()
        .map(|shard| {
            let range = shard.sequence_number_range.as_ref().unwrap();
            (
                &shard.shard_id[18..],
                shard.parent_shard_id.as_deref().map(|id| &id[18..]),
                range.ending_sequence_number.is_some(),
            )
        })
        .collect();
    assert_eq!(
        families,
        [
            ("00", None, false),
            ("01", None, true),
            ("02", Some("01"), false),
            ("03", Some("01"), false)
        ]
    );
    let summary = client
        .describe_stream_summary()
        .stream_name("readings")
        .send()
        .await
        .unwrap();
    let summary = summary.stream_description_summary.unwrap();
    assert_eq!(
        (summary.open_shard_count, summary.stream_arn.as_str()),
        (
            3,
            "arn:aws:kinesis:eu-central-1:111122223333:stream/readings"
        )
    );
}
