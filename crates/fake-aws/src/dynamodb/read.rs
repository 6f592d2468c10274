//! GetItem.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::expression::{Placeholders, projection::Projection};
use super::table::{Key, Table};
use super::value::{Item, item_from_json, item_to_json};
use super::{Members, Names, key_text, part_text, reply};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply};
use crate::world::Services;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetItem {
    table_name: String,
    key: Members,
    #[serde(default)]
    consistent_read: Option<bool>,
    projection_expression: Option<String>,
    expression_attribute_names: Names,
}

impl Operation for GetItem {
    fn resource(&self) -> String {
        self.table_name.clone()
    }

    fn parts(&self, services: &Services) -> Vec<Part> {
        let key = key_text(services.tables.get(&self.table_name), &self.key);
        vec![Part {
            key,
            text: part_text([self.key.clone()]),
        }]
    }

    fn consistent(&self) -> Option<bool> {
        Some(self.consistent_read.unwrap_or(false))
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let projection = projection(
            self.projection_expression.as_deref(),
            &self.expression_attribute_names,
        )?;
        let table = services.tables.named(&self.table_name)?;
        let key = table.checked_key(&item_from_json(&self.key)?)?;
        let stale = context.stale_reads && self.consistent() != Some(true);
        Ok(reply(Ok(match seen(table, &key, stale) {
            None => json!({}),
            Some(item) => json!({"Item": answered(item, projection.as_ref())}),
        })))
    }
}

/// What a read sees.
pub(super) fn seen<'a>(table: &'a Table, key: &Key, stale: bool) -> Option<&'a Item> {
    if stale {
        table.get_stale(key)
    } else {
        table.get(key)
    }
}

pub(super) fn answered(item: &Item, projection: Option<&Projection>) -> Json {
    match projection {
        None => item_to_json(item),
        Some(projection) => item_to_json(&projection.of(item)),
    }
}

/// The projection of a request that has no other expression.
pub(super) fn projection(
    source: Option<&str>,
    names: &Names,
) -> Result<Option<Projection>, Refusal> {
    let mut placeholders = Placeholders::new(names.as_ref(), None, source.is_some())?;
    let projection = source
        .map(|source| Projection::parse(source, &mut placeholders))
        .transpose()?;
    placeholders.finish()?;
    Ok(projection)
}
