//! The SDK's clients as all environments of a run share them: configured like those of deployed functions, but that they
//! sign nothing, which nobody would look at and which takes a tenth of a run.

use aws_types::SdkConfig;
use fake_aws::Unsigned;
use sns_alerter::SnsTopic;

/// A client for each service.
#[derive(Debug)]
pub struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    kinesis: aws_sdk_kinesis::Client,
    s3: aws_sdk_s3::Client,
    sns: aws_sdk_sns::Client,
}

impl Clients {
    /// Clients configured like this.
    pub fn new(sdk: &SdkConfig) -> Self {
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(sdk).push_auth_scheme(Unsigned);
        let kinesis = aws_sdk_kinesis::config::Builder::from(sdk).push_auth_scheme(Unsigned);
        let s3 = aws_sdk_s3::config::Builder::from(sdk).push_auth_scheme(Unsigned);
        let sns = SnsTopic::config(sdk).push_auth_scheme(Unsigned);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            kinesis: aws_sdk_kinesis::Client::from_conf(kinesis.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sns: aws_sdk_sns::Client::from_conf(sns.build()),
        }
    }
}

impl From<&Clients> for quality_evaluator::Clients {
    fn from(clients: &Clients) -> Self {
        Self {
            s3: clients.s3.clone(),
            dynamodb: clients.dynamodb.clone(),
            kinesis: clients.kinesis.clone(),
        }
    }
}

impl From<&Clients> for dynamodb_writer::Clients {
    fn from(clients: &Clients) -> Self {
        Self {
            dynamodb: clients.dynamodb.clone(),
            s3: clients.s3.clone(),
        }
    }
}

impl From<&Clients> for sns_alerter::Clients {
    fn from(clients: &Clients) -> Self {
        Self {
            dynamodb: clients.dynamodb.clone(),
            sns: clients.sns.clone(),
            s3: clients.s3.clone(),
        }
    }
}
