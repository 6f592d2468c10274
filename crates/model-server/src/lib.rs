//! Serves an ONNX model by Amazon SageMaker's container contract ("Use Your Own Inference Code with Hosting Services" in its
//! developer guide): run as `serve`, it listens on port 8080 and answers
//!
//! | | |
//! |---|---|
//! | `GET /ping` | 200 as soon as the model is loaded, without waiting for anything |
//! | `POST /invocations` | rows of features in, a row of the model's answer for each out, in the same order |
//! | `GET /execution-parameters` | what a batch transform job asks for |
//! | `GET /metrics` | counts and times, for Prometheus |
//!
//! The promises: an answer has as many rows as its request, or it is no answer; a request that cannot be read is told where
//! (row and column, from 1), and never reaches the model; `SIGTERM` lets what is under way finish, for 25 seconds at most.
//!
//! # Content types
//!
//! | | a request | an answer |
//! |---|---|---|
//! | `text/csv` | a row a line, no header | likewise |
//! | `application/jsonlines` | `{"features": [1, 2]}` or `[1, 2]` a line | `{"probabilities": [0.9, 0.1]}` a line |
//! | `application/json` | `{"instances": [{"features": [1, 2]}, …]}` or `[[1, 2], …]` | `{"predictions": [{"probabilities": [0.9, 0.1]}, …]}` |
//!
//! `probabilities` stands for the name of the model's output; where that has one column, its value stands without brackets. The
//! answer is of the type that `Accept` asks for, or of the request's.
//!
//! # Refusals
//!
//! JSON: `{"error": {"code", "message", "row", "column"}}`, the last two where there is such a place.
//!
//! | status | code | |
//! |---|---|---|
//! | 400 | `bad-request` | no rows; a row of another length than the model's; what is no finite number |
//! | 404, 405 | `no-such-path`, `no-such-method` | |
//! | 406 | `not-acceptable` | `Accept` names none of the three |
//! | 408 | `too-slow` | the body did not come within a minute |
//! | 413 | `too-large` | the body is larger than `--max-body-mb` |
//! | 415 | `unsupported-media-type` | `Content-Type` is none of the three |
//! | 429 | `busy` | `--max-in-flight` invocations are under way already; `Retry-After` says when to come again |
//! | 500 | `model-failed` | the model's runtime did |
//!
//! # The model
//!
//! An ONNX file (`model.onnx`, or the only one in `--model-dir`) with one input, `float32[N, features]`, and one output that
//! counts, `float32[N, columns]`: the first of that kind. It runs in [tract](https://github.com/sonos/tract), of whose
//! operators it may be made; of scikit-learn's those are linear classifiers and regressors, tree ensembles, normalizers and
//! neural networks, but no scaler (fold it into the weights). The file is checked at the start by a row of zeros.
//!
//! # In front of it
//!
//! With `--endpoint` it answers at `POST /endpoints/{name}/invocations` too, the way SageMaker's runtime would for a container
//! of this kind: what the container refuses comes back as `ModelError`, 424. So an SDK's InvokeEndpoint can be pointed at it.
//!
//! With `--until-stdin-ends` the end of standard input is what `SIGTERM` is: a program that starts the server with a pipe there
//! takes it along however that program ends. Nothing that comes through the pipe matters.

mod arguments;
mod body;
mod endpoint;
mod invocations;
mod metrics;
mod model;
mod refusal;
mod server;

pub use arguments::Arguments;
pub use model::{LoadError, Model};
pub use server::{ServeError, serve};
