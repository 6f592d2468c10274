//! The tool's redrive against the rig: its functions in this process, its bucket in memory.

use andon::redrive::{Bucket, Functions, Invoker, Kind, NoAnswer, Options, Redriver, Report, read};

use crate::Rig;

/// Hands bodies to the rig's functions, as Lambda would.
pub struct InProcess<'r>(pub &'r Rig);

impl Invoker for InProcess<'_> {
    async fn invoke(&self, function: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        let Self(rig) = self;
        let request_id = rig.request_id();
        let answer = match function {
            "quality-evaluator" => {
                let evaluator = rig.evaluator().await.unwrap();
                let answer = evaluator.invoke(&body, &request_id, Rig::deadline());
                answer.await.unwrap()
            }
            "dynamodb-writer" => {
                let writer = rig.writer("alerting");
                writer.invoke(&body, Rig::deadline()).await.unwrap()
            }
            "sns-alerter" => {
                let alerter = rig.alerter();
                let answer = alerter.invoke(&body, &request_id, Rig::deadline());
                answer.await.unwrap()
            }
            other => return Err(NoAnswer::Failed(format!("there is no function {other}"))),
        };
        Ok(serde_json::to_vec(&answer).unwrap())
    }
}

/// The set-aside bucket as the tool reaches it.
pub fn bucket(rig: &Rig) -> Bucket {
    Bucket::new(
        aws_sdk_s3::Client::new(&rig.world.sdk_config()),
        "set-aside",
    )
}

/// Brings back everything of `kind`.
pub async fn bring_back(rig: &Rig, kind: Kind, options: Options) -> Report {
    let (bucket, invoker) = (bucket(rig), InProcess(rig));
    let redriver = redriver(rig, &bucket, &invoker, options);
    let keys = bucket.keys(kind).await.unwrap();
    let mut report = Report::default();
    let all = redriver.keys(&keys, true, |_| true, &mut report, |_| {});
    all.await.unwrap();
    report
}

/// Brings back edited lines.
pub async fn bring_back_lines(rig: &Rig, lines: &[u8], options: Options) -> Report {
    let (bucket, invoker) = (bucket(rig), InProcess(rig));
    let redriver = redriver(rig, &bucket, &invoker, options);
    let held = read("fixed.ndjson", lines).unwrap();
    let mut report = Report::default();
    redriver.bring_back(held, true, &mut report).await.unwrap();
    report
}

/// The tool, on the rig's clock.
pub fn redriver<'a>(
    rig: &'a Rig,
    bucket: &'a Bucket,
    invoker: &'a InProcess<'a>,
    options: Options,
) -> Redriver<'a, InProcess<'a>> {
    Redriver {
        bucket: Some(bucket),
        functions: &Functions::AsNamed,
        invoker,
        clock: rig.clock.as_ref(),
        options,
    }
}
