//! Query and Scan: a table or one of its indexes, in pages.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::expression::Placeholders;
use super::expression::condition::Condition;
use super::expression::key_condition::KeyCondition;
use super::expression::projection::Projection;
use super::read::answered;
use super::table::{Key, KeySchema, Table};
use super::value::{Item, item_from_json, item_size, item_to_json};
use super::{Names, Values, part_text, reply, validation};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply};
use crate::world::Services;

const MAX_PAGE_BYTES: usize = 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Query {
    table_name: String,
    index_name: Option<String>,
    key_condition_expression: String,
    filter_expression: Option<String>,
    projection_expression: Option<String>,
    expression_attribute_names: Names,
    expression_attribute_values: Values,
    limit: Option<usize>,
    exclusive_start_key: Option<Map<String, Json>>,
    scan_index_forward: Option<bool>,
    consistent_read: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Scan {
    table_name: String,
    filter_expression: Option<String>,
    projection_expression: Option<String>,
    expression_attribute_names: Names,
    expression_attribute_values: Values,
    limit: Option<usize>,
    exclusive_start_key: Option<Map<String, Json>>,
    consistent_read: Option<bool>,
}

/// An item with its place in the table or index that is read, and its place in the table.
struct Entry<'a> {
    place: Key,
    key: &'a Key,
    item: &'a Item,
}

/// How a page is cut and answered.
struct Page<'a> {
    limit: Option<usize>,
    /// The attributes that name an entry: the index's keys and the table's.
    names: Vec<&'a str>,
    filter: Option<Condition>,
    projection: Option<Projection>,
}

impl Operation for Query {
    fn resource(&self) -> String {
        self.table_name.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        let values = self.expression_attribute_values.clone().unwrap_or_default();
        vec![Part {
            key: String::new(),
            text: part_text([values]),
        }]
    }

    fn consistent(&self) -> Option<bool> {
        Some(self.consistent_read.unwrap_or(false))
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let table = services.tables.named(&self.table_name)?;
        let schema = match &self.index_name {
            None => &table.schema,
            Some(_) if self.consistent() == Some(true) => {
                return Err(validation(
                    "Consistent reads are not supported on global secondary indexes",
                ));
            }
            Some(name) => table.index(name)?,
        };
        let mut placeholders = Placeholders::new(
            self.expression_attribute_names.as_ref(),
            self.expression_attribute_values.as_deref(),
            true,
        )?;
        let condition =
            KeyCondition::parse(&self.key_condition_expression, &mut placeholders, schema)?;
        let filter = filter(self.filter_expression.as_deref(), &mut placeholders)?;
        if let Some(name) = filter
            .iter()
            .flat_map(Condition::attributes)
            .find(|name| schema.names().any(|key| key == *name))
        {
            return Err(validation(format!(
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
            )));
        }
        let projection = projected(self.projection_expression.as_deref(), &mut placeholders)?;
        placeholders.finish()?;

        let stale = context.stale_reads && self.consistent() != Some(true);
        let mut entries = entries(table, schema, stale);
        entries.retain(|entry| condition.holds(&entry.place));
        if self.scan_index_forward == Some(false) {
            entries.reverse();
        }
        let ascending = self.scan_index_forward != Some(false);
        skip_to(
            &mut entries,
            self.exclusive_start_key.as_ref(),
            table,
            schema,
            ascending,
        )?;
        let page = Page {
            limit: self.limit,
            names: names(table, schema),
            filter,
            projection,
        };
        page.answer(&entries)
    }
}

impl Operation for Scan {
    fn resource(&self) -> String {
        self.table_name.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        Vec::new()
    }

    fn consistent(&self) -> Option<bool> {
        Some(self.consistent_read.unwrap_or(false))
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let table = services.tables.named(&self.table_name)?;
        let sources = (
            self.filter_expression.as_deref(),
            self.projection_expression.as_deref(),
        );
        let mut placeholders = Placeholders::new(
            self.expression_attribute_names.as_ref(),
            self.expression_attribute_values.as_deref(),
            sources != (None, None),
        )?;
        let filter = filter(sources.0, &mut placeholders)?;
        let projection = projected(sources.1, &mut placeholders)?;
        placeholders.finish()?;

        let schema = &table.schema;
        let stale = context.stale_reads && self.consistent() != Some(true);
        let mut entries = entries(table, schema, stale);
        skip_to(
            &mut entries,
            self.exclusive_start_key.as_ref(),
            table,
            schema,
            true,
        )?;
        let page = Page {
            limit: self.limit,
            names: names(table, schema),
            filter,
            projection,
        };
        page.answer(&entries)
    }
}

/// In the order of the place, and within it of the table's key.
fn entries<'a>(table: &'a Table, schema: &KeySchema, stale: bool) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry> = table
        .view(stale)
        .filter_map(|(key, item)| {
            Some(Entry {
                place: schema.place(item)?,
                key,
                item,
            })
        })
        .collect();
    entries.sort_by(|a, b| (&a.place, a.key).cmp(&(&b.place, b.key)));
    entries
}

/// Leaves out what comes up to and including the start key, in the direction of the entries. An entry that has
/// gone meanwhile still marks its place.
fn skip_to(
    entries: &mut Vec<Entry>,
    start: Option<&Map<String, Json>>,
    table: &Table,
    schema: &KeySchema,
    ascending: bool,
) -> Result<(), Refusal> {
    let Some(start) = start else { return Ok(()) };
    let start = item_from_json(start)?;
    let invalid = || validation("The provided starting key is invalid");
    let (Some(place), Some(key)) = (schema.place(&start), table.schema.place(&start)) else {
        return Err(invalid());
    };
    if start.len() != names(table, schema).len() {
        return Err(invalid());
    }
    entries.retain(|entry| {
        let ordering = (&entry.place, entry.key).cmp(&(&place, &key));
        if ascending {
            ordering.is_gt()
        } else {
            ordering.is_lt()
        }
    });
    Ok(())
}

fn names<'a>(table: &'a Table, schema: &'a KeySchema) -> Vec<&'a str> {
    let mut names: Vec<&str> = schema.names().chain(table.schema.names()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Page<'_> {
    /// A page ends at its limit or its size, whichever comes first; even at its limit it may be the last one.
    fn answer(&self, entries: &[Entry]) -> Result<Reply, Refusal> {
        if self.limit == Some(0) {
            return Err(validation(
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have \
                 value greater than or equal to 1",
            ));
        }
        let (mut scanned, mut bytes) = (0, 0);
        let mut items = Vec::new();
        let mut last = None;
        for entry in entries {
            scanned += 1;
            bytes += item_size(entry.item);
            if self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.holds(entry.item))
            {
                items.push(answered(entry.item, self.projection.as_ref()));
            }
            if Some(scanned) == self.limit || bytes > MAX_PAGE_BYTES {
                last = Some(entry);
                break;
            }
        }
        let mut output = json!({"Count": items.len(), "ScannedCount": scanned, "Items": items});
        if let Some(entry) = last {
            let named = |name: &&str| {
                entry
                    .item
                    .get(*name)
                    .map(|value| ((*name).to_owned(), value.clone()))
            };
            let key: Item = self.names.iter().filter_map(named).collect();
            output["LastEvaluatedKey"] = item_to_json(&key);
        }
        Ok(reply(Ok(output)))
    }
}

fn filter(
    source: Option<&str>,
    placeholders: &mut Placeholders,
) -> Result<Option<Condition>, Refusal> {
    source
        .map(|source| Condition::parse("FilterExpression", source, placeholders))
        .transpose()
}

fn projected(
    source: Option<&str>,
    placeholders: &mut Placeholders,
) -> Result<Option<Projection>, Refusal> {
    source
        .map(|source| Projection::parse(source, placeholders))
        .transpose()
}
