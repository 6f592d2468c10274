//! Buckets: objects by key, ETags, conditions, listings, bodies in chunks.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use fake_aws::World;

fn world(path_style: bool) -> (World, Client) {
    let world = World::default();
    world.create_bucket("plans");
    let config = Builder::from(&world.sdk_config())
        .force_path_style(path_style)
        .build();
    (world, Client::from_conf(config))
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put_in_both_styles() {
    for path_style in [true, false] {
        let (world, client) = world(path_style);
        let key = "quarantine/라인 2/a+b=c.ndjson";
        let put = client
            .put_object()
            .bucket("plans")
            .key(key)
            .body(ByteStream::from_static(b"{\"a\":1}\n"));
        let put = put
            .content_type("application/x-ndjson")
            .metadata("plan", "sha256:00")
            .send()
            .await
            .unwrap();
        let stored = world.objects("plans")[key].clone();
        assert_eq!(stored.text(), "{\"a\":1}\n");
        assert!(stored.crc32.is_some(), "the SDK sends a checksum");
        assert_eq!(stored.content_encoding, None);

        let got = client
            .get_object()
            .bucket("plans")
            .key(key)
            .send()
            .await
            .unwrap();
        assert_eq!((got.e_tag(), got.content_length()), (put.e_tag(), Some(8)));
        assert_eq!(got.content_type(), Some("application/x-ndjson"));
        assert_eq!(got.metadata().unwrap()["plan"], "sha256:00");
        assert_eq!(got.last_modified().unwrap().secs(), 1_795_136_400);
        assert_eq!(
            got.body.collect().await.unwrap().into_bytes(),
            "{\"a\":1}\n"
        );

        let head = client
            .head_object()
            .bucket("plans")
            .key(key)
            .send()
            .await
            .unwrap();
        assert_eq!(
            (head.e_tag(), head.content_length()),
            (put.e_tag(), Some(8))
        );
    }
}

/// A body whose length is known and that is not in memory goes out in chunks with a trailer.
#[tokio::test]
async fn a_body_in_chunks_is_stored_without_them() {
    struct Pieces(Vec<&'static str>);
    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            let piece = self
                .0
                .pop()
                .map(|piece| Ok(http_body::Frame::data(Bytes::from_static(piece.as_bytes()))));
            std::task::Poll::Ready(piece)
        }
        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
        }
    }
    let (world, client) = world(true);
    let body = ByteStream::new(SdkBody::from_body_1_x(Pieces(vec![
        "gamma\n", "beta\n", "alpha\n",
    ])));
    client
        .put_object()
        .bucket("plans")
        .key("k")
        .content_encoding("identity")
        .body(body)
        .send()
        .await
        .unwrap();
    let stored = &world.objects("plans")["k"];
    assert_eq!(stored.text(), "alpha\nbeta\ngamma\n");
    assert!(stored.crc32.is_some(), "from the trailer");
    assert_eq!(stored.content_encoding.as_deref(), Some("identity"));
}

#[tokio::test]
async fn an_unchanged_object_is_not_sent_again() {
    let (world, client) = world(true);
    let etag = world.put_object("plans", "plan.yaml", "version: 1");
    let get = |etag: &str| {
        client
            .get_object()
            .bucket("plans")
            .key("plan.yaml")
            .if_none_match(etag)
            .send()
    };
    let SdkError::ServiceError(unchanged) = get(&etag).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(unchanged.raw().status().as_u16(), 304);
    assert_eq!(unchanged.raw().headers().get("etag"), Some(etag.as_str()));

    world.put_object("plans", "plan.yaml", "version: 2");
    let changed = get(&etag).await.unwrap();
    assert_ne!(changed.e_tag(), Some(etag.as_str()));
    assert_eq!(
        changed.body.collect().await.unwrap().into_bytes(),
        "version: 2"
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let (_, client) = world(false);
    let error = client
        .get_object()
        .bucket("plans")
        .key("none")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_no_such_key(), "{error:?}");
    assert_eq!(error.message(), Some("The specified key does not exist."));
    let error = client
        .head_object()
        .bucket("plans")
        .key("none")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_not_found(), "{error:?}");
    for error in [
        client
            .get_object()
            .bucket("nowhere")
            .key("k")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .code()
            .map(str::to_owned),
        client
            .list_objects_v2()
            .bucket("nowhere")
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .code()
            .map(str::to_owned),
    ] {
        assert_eq!(error.as_deref(), Some("NoSuchBucket"));
    }
}

#[tokio::test]
async fn puts_can_be_conditional() {
    let (world, client) = world(true);
    let put = || {
        client
            .put_object()
            .bucket("plans")
            .key("k")
            .body(ByteStream::from_static(b"new"))
    };
    put().if_none_match("*").send().await.unwrap();
    let error = put().if_none_match("*").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 412);
    assert_eq!(
        error.into_service_error().code(),
        Some("PreconditionFailed")
    );
    let error = put()
        .if_match("\"other\"")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.code(), Some("PreconditionFailed"));
    let etag = world.objects("plans")["k"].etag.clone();
    put().if_match(etag).send().await.unwrap();
}

#[tokio::test]
async fn listings_come_in_pages_below_a_prefix() {
    let (world, client) = world(false);
    for key in [
        "parked/1",
        "quarantine/a/1 & <2>",
        "quarantine/a/2",
        "quarantine/b/1",
        "quarantine/z",
    ] {
        world.put_object("plans", key, "x");
    }
    let list = client
        .list_objects_v2()
        .bucket("plans")
        .prefix("quarantine/")
        .max_keys(2)
        .into_paginator()
        .send();
    let pages = list.collect::<Result<Vec<_>, _>>().await.unwrap();
    let keys: Vec<Vec<_>> = pages
        .iter()
        .map(|page| {
            page.contents()
                .iter()
                .map(|object| object.key().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(
        keys,
        [
            ["quarantine/a/1 & <2>", "quarantine/a/2"],
            ["quarantine/b/1", "quarantine/z"]
        ]
    );
    assert_eq!(pages[0].contents()[0].size(), Some(1));

    let list = client
        .list_objects_v2()
        .bucket("plans")
        .prefix("quarantine/")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let prefixes: Vec<_> = list
        .common_prefixes()
        .iter()
        .map(|prefix| prefix.prefix().unwrap())
        .collect();
    assert_eq!(prefixes, ["quarantine/a/", "quarantine/b/"]);
    assert_eq!((list.contents().len(), list.key_count()), (1, Some(3)));
    let list = client
        .list_objects_v2()
        .bucket("plans")
        .start_after("quarantine/a/2")
        .send()
        .await
        .unwrap();
    assert_eq!(list.contents().len(), 2);
}

#[tokio::test]
async fn a_versioned_bucket_keeps_what_was_replaced() {
    let (world, client) = world(true);
    world.version_bucket("plans");
    for text in ["one", "two"] {
        world.put_object("plans", "plan", text);
    }
    let put = client.put_object().bucket("plans").key("plan");
    let put = put.body(ByteStream::from_static(b"three")).send().await;
    world.put_object("plans", "plan-b", "other");

    let list = client.list_object_versions().bucket("plans").prefix("plan");
    let listed = list.clone().send().await.unwrap();
    let versions: Vec<_> = listed
        .versions()
        .iter()
        .map(|version| (version.key().unwrap(), version.is_latest().unwrap()))
        .collect();
    assert_eq!(
        versions,
        [
            ("plan", true),
            ("plan", false),
            ("plan", false),
            ("plan-b", true)
        ]
    );
    assert_eq!(listed.versions()[0].version_id(), put.unwrap().version_id());
    let page = list.max_keys(2).send().await.unwrap();
    assert_eq!(
        (page.versions().len(), page.is_truncated()),
        (2, Some(true))
    );

    let get = client.get_object().bucket("plans").key("plan");
    let oldest = listed.versions()[2].version_id().unwrap();
    let got = get.clone().version_id(oldest).send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "one");
    let missing = get.version_id("none").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchVersion"));
}

#[tokio::test]
async fn what_the_world_does_not_know_it_refuses() {
    let (world, client) = world(true);
    world.put_object("plans", "k", "x");
    let error = client
        .get_object()
        .bucket("plans")
        .key("k")
        .part_number(1)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.into_service_error().code(), Some("NotImplemented"));
    let put = client
        .put_object()
        .bucket("plans")
        .key("k")
        .body(ByteStream::from_static(b"y"));
    let put = put.object_lock_mode(aws_sdk_s3::types::ObjectLockMode::Governance);
    assert_eq!(
        put.send().await.unwrap_err().into_service_error().code(),
        Some("NotImplemented")
    );
    assert_eq!(world.objects("plans")["k"].text(), "x");
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_refused() {
    let (world, client) = world(true);
    let put = || {
        client
            .put_object()
            .bucket("plans")
            .key("k")
            .body(ByteStream::from_static(b"new"))
    };
    for put in [
        put().checksum_crc32("AAAAAA=="),
        put().content_md5("AAAAAAAAAAAAAAAAAAAAAA=="),
    ] {
        let error = put.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("BadDigest"), "{error:?}");
        assert!(world.objects("plans").is_empty());
    }
    put()
        .content_md5("Iq9kXRhZy1ym2gxITx836g==")
        .send()
        .await
        .unwrap();
}
