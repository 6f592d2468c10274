//! The resources that a tree of stacks makes in one world, and how they refer to one another.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::Evaluator;
use crate::mapping::Mapping;
use crate::node::Node;
use crate::place::Place;
use crate::serverless;
use crate::stack::Stacks;
use crate::value::{Located, Map, Part, Text, Value};
use crate::world::World;

/// A resource as CloudFormation makes it; SAM's are spelt out.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// The logical ids that lead to it, with slashes between.
    pub(crate) id: String,
    /// The resource whose metadata speaks for it: itself, or the function whose event it is.
    pub(crate) owner: String,
    pub(crate) kind: String,
    pub(crate) place: Place,
    /// Always a map, or unknown.
    pub(crate) properties: Located,
    pub(crate) metadata: Option<Located>,
    pub(crate) depends_on: Vec<String>,
    /// Whether SAM gives it a role of its own making.
    pub(crate) by_sam: bool,
}

/// Every resource of one world.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) resources: Vec<Resource>,
    index: BTreeMap<String, usize>,
    /// The names that the template gives, each with its resource.
    names: Vec<(String, usize)>,
    /// Whether a macro may have added resources that are not seen.
    pub(crate) is_open: bool,
}

impl Resource {
    /// The property that names a resource of this kind.
    pub(crate) fn name_property(&self) -> Option<&'static str> {
        Some(match self.kind.as_str() {
            "AWS::Lambda::Function" => "FunctionName",
            "AWS::Kinesis::Stream" => "Name",
            "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::IAM::Role" => "RoleName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::KMS::Alias" => "AliasName",
            _ => return None,
        })
    }

    /// Whether its attributes are those of what it stands for, which is not seen: a nested stack's outputs, for one.
    pub(crate) fn is_opaque(&self) -> bool {
        let kinds = [
            "AWS::CloudFormation::Stack",
            "AWS::CloudFormation::CustomResource",
            "AWS::Serverless::Application",
        ];
        kinds.contains(&self.kind.as_str()) || self.kind.starts_with("Custom::")
    }

    /// Whether a text is its name, or an ARN or a path that ends with it. An ARN has to be one of its kind.
    fn is_named(&self, spelling: &str, name: &str) -> bool {
        let Some(before) = spelling.strip_suffix(name).filter(|_| !name.is_empty()) else {
            return false;
        };
        if !before.starts_with("arn:") {
            return before.is_empty() || before.ends_with([':', '/']);
        }
        match self.kind.as_str() {
            "AWS::Lambda::Function" => before.ends_with(":function:"),
            "AWS::Kinesis::Stream" => before.ends_with(":stream/"),
            "AWS::KinesisFirehose::DeliveryStream" => before.ends_with(":deliverystream/"),
            "AWS::S3::Bucket" => before.ends_with(":::"),
            "AWS::Logs::LogGroup" => before.ends_with(":log-group:"),
            "AWS::DynamoDB::Table" => before.ends_with(":table/"),
            // The name itself begins so.
            "AWS::KMS::Alias" => before.ends_with(':'),
            "AWS::IAM::Role" => before.contains(":role/") && before.ends_with('/'),
            "AWS::SQS::Queue" => before.contains(":sqs:") && before.ends_with(':'),
            "AWS::SNS::Topic" => before.contains(":sns:") && before.ends_with(':'),
            _ => before.ends_with([':', '/']),
        }
    }

    /// Its name as far as the template gives one.
    pub(crate) fn name(&self) -> Option<&Text> {
        self.properties.get(self.name_property()?)?.text()
    }
}

impl Deployment {
    pub(crate) fn new(stacks: &Stacks, world: &World) -> Self {
        let evaluator = Evaluator::new(stacks, world);
        let mut resources = Vec::new();
        let mut is_open = false;
        for (index, stack) in stacks.all.iter().enumerate() {
            is_open |= stack.has_macros() || stack.nests_unseen();
            is_open |= stack
                .section("Resources")
                .iter()
                .any(|(key, _)| key.text.starts_with("Fn::"));
            if !evaluator.exists(index) {
                continue;
            }
            for (key, node) in stack.resources() {
                if !evaluator.is_made(index, node) {
                    continue;
                }
                let id = format!("{}{}", stack.path, key.text);
                resources.push(resource(&evaluator, index, id, key.place, node));
            }
            let globals = stack.root.get("Globals");
            let globals = globals.map(|globals| evaluator.value(index, globals));
            serverless::spell_out(&mut resources, &stack.path, globals.as_ref());
        }
        let index = resources
            .iter()
            .enumerate()
            .map(|(n, resource)| (resource.id.clone(), n))
            .collect();
        let named = |(n, resource): (usize, &Resource)| Some((resource.name()?.spelling(), n));
        Self {
            names: resources.iter().enumerate().filter_map(named).collect(),
            resources,
            index,
            is_open,
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Resource> {
        self.index.get(id).and_then(|n| self.resources.get(*n))
    }

    pub(crate) fn of<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Resource> {
        self.resources.iter().filter(move |it| it.kind == kind)
    }

    /// The event source mappings, SAM's events among them.
    pub(crate) fn mappings(&self) -> Vec<Mapping<'_>> {
        self.of("AWS::Lambda::EventSourceMapping")
            .map(|resource| Mapping::new(self, resource))
            .collect()
    }

    /// The resource that a value speaks of: by reference, or by a name that the template gives.
    pub(crate) fn target(&self, value: &Located) -> Option<&Resource> {
        self.find(value, None)
    }

    /// The target among those of a kind.
    pub(crate) fn target_of(&self, value: &Located, kind: &str) -> Option<&Resource> {
        self.find(value, Some(kind))
    }

    /// Whether a value speaks of this very resource.
    pub(crate) fn is(&self, value: &Located, resource: &Resource) -> bool {
        self.find(value, Some(&resource.kind))
            .is_some_and(|it| it.id == resource.id)
    }

    fn find(&self, value: &Located, kind: Option<&str>) -> Option<&Resource> {
        let text = value.text()?;
        let wanted = |it: &&Resource| kind.is_none_or(|kind| it.kind == kind);
        if let Some(id) = text.resource() {
            return self.get(id).filter(wanted);
        }
        let spelling = text.spelling();
        let named = self.names.iter().filter_map(|(name, n)| {
            let resource = self.resources.get(*n)?;
            resource.is_named(&spelling, name).then_some(resource)
        });
        let mut named = named.filter(wanted);
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }

    /// Everything that has to be there before a resource, through references and `DependsOn`.
    pub(crate) fn waits_for(&self, resource: &Resource) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![resource.id.clone()];
        while let Some(id) = open.pop() {
            let Some(resource) = self.get(&id) else {
                continue;
            };
            let mut next = resource.depends_on.clone();
            resource.properties.walk(&mut |value| {
                if let Some(text) = value.text() {
                    next.extend(text.parts.iter().filter_map(|part| match part {
                        Part::Attribute { resource, .. } => Some(resource.clone()),
                        _ => None,
                    }));
                }
            });
            open.extend(next.into_iter().filter(|id| found.insert(id.clone())));
        }
        found
    }

    /// Whether any resource but `but` mentions this one.
    pub(crate) fn is_mentioned(&self, resource: &Resource, but: &str) -> bool {
        self.resources.iter().any(|other| {
            let mut mentioned = false;
            other.properties.walk(&mut |value| {
                mentioned |= value
                    .text()
                    .is_some_and(|text| text.resource() == Some(&resource.id));
            });
            mentioned && other.id != resource.id && other.kind != but
        })
    }
}

fn resource(
    evaluator: &Evaluator<'_>,
    stack: usize,
    id: String,
    place: Place,
    node: &Node,
) -> Resource {
    let path = &evaluator.stacks.all[stack].path;
    let value = |key: &str| node.get(key).map(|node| evaluator.value(stack, node));
    // A missing property is missing from the resource: its place is the resource's name.
    let properties = match value("Properties") {
        None => Located::new(place, Value::Map(Map::default())),
        Some(properties) => match properties.value {
            Value::Map(map) => Located::new(place, Value::Map(map)),
            _ => Located::new(place, Value::Unknown),
        },
    };
    let depends_on = value("DependsOn");
    let depends_on = depends_on.iter().flat_map(Located::items).flatten();
    Resource {
        owner: id.clone(),
        id,
        kind: value("Type")
            .and_then(|kind| kind.literal().map(str::to_owned))
            .unwrap_or_default(),
        place,
        properties,
        metadata: value("Metadata"),
        depends_on: depends_on
            .filter_map(|item| Some(format!("{path}{}", item.literal()?)))
            .collect(),
        by_sam: false,
    }
}
