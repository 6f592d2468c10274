//! Configuration from environment variables: parsed once, at the start, every fault reported together.
//!
//! A function declares its [`Variable`]s and reads each through a [`Reader`], so that what is read is
//! what is declared; [`assert_declared`] holds the two against each other in a test.

mod arn;
mod declared;
mod environment;
mod reader;
mod variable;

pub use arn::{Arn, BadArn};
pub use declared::assert_declared;
pub use environment::{Environment, ProcessEnvironment};
pub use reader::{ConfigErrors, Fault, Reader};
pub use variable::Variable;
