//! DeleteObject.

use super::{no_such_bucket, not_implemented};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply};
use crate::world::Services;

#[derive(Debug)]
pub(super) struct DeleteObject {
    bucket: String,
    key: String,
}

impl DeleteObject {
    pub(super) fn new(bucket: String, key: String) -> Self {
        Self { bucket, key }
    }
}

impl Operation for DeleteObject {
    fn resource(&self) -> String {
        self.bucket.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: self.key.clone(),
            text: String::new().into(),
        }]
    }

    /// An object that is not there is as good as deleted.
    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        if services.versions.is_on(&self.bucket) {
            return Err(not_implemented("delete markers"));
        }
        let bucket = services
            .buckets
            .get_mut(&self.bucket)
            .ok_or_else(no_such_bucket)?;
        bucket.remove(&self.key);
        Ok(Reply {
            status: 204,
            headers: vec![("x-amz-request-id".into(), context.request_id.clone())],
            body: Default::default(),
            code: None,
        })
    }
}
