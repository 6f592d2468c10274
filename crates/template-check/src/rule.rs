//! What a rule is.

use crate::deployment::Deployment;
use crate::finding::Report;
use crate::manifest::Manifest;
use crate::stack::Stacks;

/// One rule: a fault that templates have, and what comes of it.
#[derive(Debug)]
pub struct Rule {
    /// Its name: also its file's, its templates' folder's and an exception's.
    pub id: &'static str,
    /// What will happen in production. Completes a sentence after a colon.
    pub happens: &'static str,
    /// What to write instead.
    pub cure: &'static str,
    /// Where the service's documentation says so.
    pub source: &'static str,
    pub(crate) check: Check,
}

/// How a rule looks.
#[derive(Debug)]
pub(crate) enum Check {
    /// At the resources of each world.
    Deployed(fn(&Deployment, &mut Report<'_>)),
    /// At the templates as written.
    Written(fn(&Stacks, &mut Report<'_>)),
    /// At the resources of each world, beside what the code says of itself.
    Code(fn(&Deployment, &Manifest, &mut Report<'_>)),
    /// At the exceptions, once everything is found.
    Exceptions,
}
