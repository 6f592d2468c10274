//! What a function writes, line by line.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::api::Api;

/// One line that a function wrote.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The process that wrote it, counted from 1.
    pub environment: u64,
    /// Where it wrote.
    pub stream: LogStream,
    /// The invocation that was delivered last when the line was read; none during the start.
    pub request_id: Option<&'a str>,
    /// The line without its end; what is not UTF-8 is replaced.
    pub text: &'a str,
}

/// One of a process's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes lines as they come; a closure will do. Called from the host's tasks: it should not block.
pub trait LogSink: Send + Sync {
    /// One line.
    fn take(&self, line: LogLine<'_>);
}

impl<F: Fn(LogLine<'_>) + Send + Sync> LogSink for F {
    fn take(&self, line: LogLine<'_>) {
        self(line);
    }
}

/// Where the lines of one output of one process go.
pub(crate) struct Forward {
    pub(crate) function: String,
    pub(crate) environment: u64,
    pub(crate) stream: LogStream,
    pub(crate) api: Arc<Api>,
    pub(crate) sink: Arc<dyn LogSink>,
}

impl Forward {
    /// Until the output ends.
    pub(crate) async fn run(self, output: impl AsyncRead + Unpin) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // A broken pipe ends the lines as an end does: the process is gone.
        while matches!(output.read_until(b'\n', &mut line).await, Ok(1..)) {
            let text = String::from_utf8_lossy(&line);
            self.sink.take(LogLine {
                function: &self.function,
                environment: self.environment,
                stream: self.stream,
                request_id: self.api.last_request_id().as_deref(),
                text: text.trim_end_matches(['\r', '\n']),
            });
            line.clear();
        }
    }
}
