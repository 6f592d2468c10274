//! Endpoints: what the container answers, and how the runtime tells of what went wrong.

use aws_sdk_sagemakerruntime::Client;
use aws_sdk_sagemakerruntime::error::ProvideErrorMetadata;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointError;
use aws_smithy_types::Blob;
use fake_aws::{Effect, Fault, Service, World};

/// Answers a row by its length, and refuses a row with `poison` in it.
fn world() -> World {
    let world = World::default();
    let container = |kind: &str, body: &[u8]| {
        let text = String::from_utf8_lossy(body);
        if kind != "text/csv" {
            return Err((415, "text/csv is needed".to_owned()));
        }
        if text.contains("poison") {
            return Err((400, "row 1 is no number".to_owned()));
        }
        let answers = text.lines().map(|row| format!("{}\n", row.len()));
        Ok(answers.collect::<String>().into_bytes())
    };
    world.create_endpoint("plant", Box::new(container));
    world
}

async fn ask(
    world: &World,
    endpoint: &str,
    body: &str,
) -> Result<(String, String), InvokeEndpointError> {
    let answer = Client::new(&world.sdk_config())
        .invoke_endpoint()
        .endpoint_name(endpoint)
        .content_type("text/csv")
        .body(Blob::new(body))
        .send()
        .await;
    let answer = answer.map_err(aws_sdk_sagemakerruntime::error::SdkError::into_service_error)?;
    let body = String::from_utf8(answer.body.unwrap().into_inner()).unwrap();
    Ok((body, answer.invoked_production_variant.unwrap()))
}

#[tokio::test]
async fn the_container_answers_and_the_variant_is_named() {
    let world = world();
    let answer = ask(&world, "plant", "1,2\n3,4,5\n").await.unwrap();
    assert_eq!(answer, ("3\n5\n".to_owned(), "main".to_owned()));
    let call = &world.calls()[0];
    assert_eq!(
        (call.service, call.resource.as_str(), call.parts.len()),
        (Service::SageMaker, "plant", 2)
    );
}

#[tokio::test]
async fn a_refusal_of_the_container_is_a_model_error_with_its_status() {
    let world = world();
    let InvokeEndpointError::ModelError(error) = ask(&world, "plant", "poison").await.unwrap_err()
    else {
        panic!("another error");
    };
    assert_eq!(error.original_status_code, Some(400));
    assert_eq!(
        error.original_message.as_deref(),
        Some("row 1 is no number")
    );
}

#[tokio::test]
async fn the_runtimes_own_errors_have_their_codes() {
    let world = world();
    let missing = ask(&world, "another", "1").await.unwrap_err();
    assert_eq!(missing.code(), Some("ValidationError"));
    for (effect, code) in [
        (Effect::Throttled, "ThrottlingException"),
        (Effect::FailBefore, "InternalFailure"),
        (Effect::AccessDenied, "AccessDeniedException"),
    ] {
        world.fault(Fault::new(Service::SageMaker, "InvokeEndpoint").then(effect.clone()));
        let error = ask(&world, "plant", "1").await.unwrap_err();
        assert_eq!(error.code(), Some(code), "{effect:?}");
        world.clear_faults();
    }
}
