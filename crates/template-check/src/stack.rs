//! A template with the templates that it nests, as written.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::node::{self, Node};
use crate::place::{Files, Place};

/// Deepest nesting of stacks.
const MAX_DEPTH: usize = 8;
/// Most stacks of one tree.
const MAX_STACKS: usize = 100;

/// Where templates come from: a path to a text.
pub type Read<'a> = dyn Fn(&Path) -> std::io::Result<String> + 'a;

/// A template that cannot be checked, with the place where that shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct BadTemplate {
    /// The file, as it was asked for.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

/// One stack of the tree; the first of [`Stacks`] is the root.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The logical ids that lead here, each followed by a slash: empty for the root.
    pub(crate) path: String,
    pub(crate) root: Node,
    /// By logical id: which stack a nested-stack resource is.
    pub(crate) children: BTreeMap<String, usize>,
    /// Nested stacks whose template is named by a local path where nothing is.
    pub(crate) lost: Vec<(Place, String, String)>,
    pub(crate) parent: Option<(usize, String)>,
}

/// A whole tree, parents first.
#[derive(Debug)]
pub(crate) struct Stacks {
    pub(crate) files: Files,
    pub(crate) all: Vec<Stack>,
}

impl Stack {
    pub(crate) fn section(&self, name: &str) -> &[(node::Key, Node)] {
        self.root.get(name).map_or(&[], Node::entries)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&Node> {
        self.root.get("Parameters").and_then(|all| all.get(name))
    }

    /// Resources as written; what a macro will make of `Fn::ForEach` is not among them.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&node::Key, &Node)> {
        let all = self.section("Resources").iter();
        all.filter(|(key, _)| !key.text.starts_with("Fn::"))
            .map(|(key, node)| (key, node))
    }

    /// Whether it nests a stack that is not seen: its template lies elsewhere, or too deep.
    pub(crate) fn nests_unseen(&self) -> bool {
        self.resources().any(|(name, resource)| {
            location(resource).is_some() && !self.children.contains_key(&name.text)
        })
    }

    pub(crate) fn resource(&self, name: &str) -> Option<&Node> {
        self.root.get("Resources").and_then(|all| all.get(name))
    }

    /// Whether a macro may add to what is written.
    pub(crate) fn has_macros(&self) -> bool {
        let Some(transform) = self.root.get("Transform") else {
            return false;
        };
        let mut own = false;
        transform.walk(&mut |node| {
            own |= node
                .text()
                .is_some_and(|name| !name.starts_with("AWS::Serverless-"));
        });
        own || transform.entries().iter().any(|_| true)
    }
}

impl Stacks {
    /// Reads a template and, below it, every nested one whose `TemplateURL` is a local path.
    pub(crate) fn load(path: &Path, read: &Read<'_>) -> Result<Self, BadTemplate> {
        let mut loader = Loader {
            stacks: Self {
                files: Files::default(),
                all: Vec::new(),
            },
            read,
        };
        let text = read(path).map_err(|error| BadTemplate {
            file: path.display().to_string(),
            line: 1,
            column: 1,
            reason: format!("cannot be read: {error}"),
        })?;
        loader.add(path, text, String::new(), None, &mut Vec::new())?;
        Ok(loader.stacks)
    }
}

struct Loader<'a> {
    stacks: Stacks,
    read: &'a Read<'a>,
}

impl Loader<'_> {
    fn add(
        &mut self,
        file: &Path,
        text: String,
        path: String,
        parent: Option<(usize, String)>,
        above: &mut Vec<PathBuf>,
    ) -> Result<usize, BadTemplate> {
        let id = self.stacks.files.add(file.display().to_string(), text);
        let root = node::read(id, self.stacks.files.text(id))
            .and_then(|root| match root.get("Resources").map(Node::entries) {
                Some([_, ..]) => Ok(root),
                _ => Err((root.place, "no template: it has no Resources".to_owned())),
            })
            .map_err(|(place, reason)| BadTemplate {
                file: file.display().to_string(),
                line: place.line,
                column: place.column,
                reason,
            })?;
        let index = self.stacks.all.len();
        let nested = nested(&root);
        self.stacks.all.push(Stack {
            path: path.clone(),
            root,
            children: BTreeMap::new(),
            lost: Vec::new(),
            parent,
        });
        above.push(file.to_owned());
        for (place, name, url) in nested {
            let target = beside(file, &url);
            if above.len() >= MAX_DEPTH
                || self.stacks.all.len() >= MAX_STACKS
                || above.contains(&target)
            {
                continue;
            }
            match (self.read)(&target) {
                Ok(text) => {
                    let parent = Some((index, name.clone()));
                    let child = self.add(&target, text, format!("{path}{name}/"), parent, above)?;
                    self.stacks.all[index].children.insert(name, child);
                }
                Err(_) => self.stacks.all[index].lost.push((place, name, url)),
            }
        }
        above.pop();
        Ok(index)
    }
}

/// The nested stacks whose template is a local file: place, logical id and path.
fn nested(root: &Node) -> Vec<(Place, String, String)> {
    let resources = root.get("Resources").map_or(&[][..], Node::entries);
    let mut found = Vec::new();
    for (key, resource) in resources {
        let Some(location) = location(resource) else {
            continue;
        };
        let url = resource
            .get("Properties")
            .and_then(|properties| properties.get(location));
        if let Some((node, url)) = url.and_then(|node| Some((node, node.text()?)))
            && !url.contains("://")
            && !url.is_empty()
        {
            found.push((node.place, key.text.clone(), url.to_owned()));
        }
    }
    found
}

/// The property of a nested stack that says where its template lies.
fn location(resource: &Node) -> Option<&'static str> {
    match resource.get("Type").and_then(Node::text)? {
        "AWS::CloudFormation::Stack" => Some("TemplateURL"),
        "AWS::Serverless::Application" => Some("Location"),
        _ => None,
    }
}

/// `url` as seen from `file`, without `.` and, where possible, `..`.
fn beside(file: &Path, url: &str) -> PathBuf {
    let mut target = file.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(url).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if target.file_name().is_some() => {
                target.pop();
            }
            part => target.push(part),
        }
    }
    target
}
