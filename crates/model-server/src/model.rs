//! The model: an ONNX file in tract.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::internal::{DimLike, Factoid, bail, ensure};

use crate::body::Rows;

/// A model that answers rows of features with rows of numbers.
pub struct Model {
    plan: Arc<TypedRunnableModel>,
    name: String,
    features: usize,
    columns: usize,
}

/// The model cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such file, or it cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file or the folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder has no ONNX file, or more than one and none of them is `model.onnx`.
    #[error("{path} has {found} ONNX files; one is needed, or a `model.onnx`")]
    Which {
        /// The folder.
        path: PathBuf,
        /// How many it has.
        found: usize,
    },
    /// tract cannot run it.
    #[error("{path} cannot be run: {cause}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
}

impl Model {
    /// Loads `model.onnx`, or the only ONNX file, of a folder.
    ///
    /// # Errors
    /// If there is none, or none that can be run.
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        let path = find(dir)?;
        let bytes = std::fs::read(&path).map_err(|source| LoadError::File {
            path: path.clone(),
            source,
        })?;
        Self::of(&bytes).map_err(|error| LoadError::Unusable {
            path,
            cause: format!("{error:#}"),
        })
    }

    fn of(bytes: &[u8]) -> TractResult<Self> {
        let model = tract_onnx::onnx().model_for_read(&mut &bytes[..])?;
        let [_] = model.input_outlets()? else {
            bail!("it has {} inputs, not one", model.input_outlets()?.len());
        };
        let shape = &model.input_fact(0)?.shape;
        let features = shape
            .dims()
            .nth(1)
            .and_then(|dim| dim.concretize())
            .and_then(|dim| dim.to_usize().ok());
        let Some(features) = features.filter(|_| shape.dims().count() == 2) else {
            bail!("its input is {shape:?}, not a number of rows by a known number of features");
        };
        let mut faults = Vec::new();
        for outlet in model.output_outlets()?.to_vec() {
            let label = model.outlet_label(outlet);
            let name = label.unwrap_or(&model.node(outlet.node).name).to_owned();
            match Self::answering(&model, outlet, features) {
                Ok((plan, columns)) => {
                    return Ok(Self {
                        plan,
                        name,
                        features,
                        columns,
                    });
                }
                Err(fault) => faults.push(format!("{name}: {fault:#}")),
            }
        }
        bail!("no output counts; {}", faults.join("; "))
    }

    /// The model with this output alone, and its columns: what tract lacks for the others does not matter.
    fn answering(
        model: &InferenceModel,
        outlet: OutletId,
        features: usize,
    ) -> TractResult<(Arc<TypedRunnableModel>, usize)> {
        let rows = model.symbols.sym("rows");
        let mut alone = model.clone();
        alone.select_output_outlets(&[outlet])?;
        let input =
            InferenceFact::dt_shape(f32::datum_type(), tvec!(rows.to_dim(), features.to_dim()));
        let plan = alone
            .with_input_fact(0, input)?
            .into_optimized()?
            .into_runnable()?;
        let columns = run(&plan, vec![0.0; features], 1, features)?.len();
        let two = run(&plan, vec![0.0; 2 * features], 2, features)?.len();
        ensure!(
            columns > 0 && two == 2 * columns,
            "one row is answered by {columns} numbers, two by {two}"
        );
        Ok((plan, columns))
    }

    /// How many numbers a row has.
    pub fn features(&self) -> usize {
        self.features
    }

    /// What the model calls its answer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers rows with as many rows.
    pub(crate) fn answer(&self, rows: Rows) -> Result<Rows, String> {
        let count = rows.len();
        let values = run(&self.plan, rows.values, count, self.features)
            .map_err(|error| format!("{error:#}"))?;
        match values.len() == count * self.columns {
            true => Ok(Rows {
                columns: self.columns,
                values,
            }),
            false => Err(format!(
                "{count} rows were answered by {} numbers",
                values.len()
            )),
        }
    }
}

fn run(
    plan: &Arc<TypedRunnableModel>,
    values: Vec<f32>,
    rows: usize,
    features: usize,
) -> TractResult<Vec<f32>> {
    let input = Tensor::from_shape(&[rows, features], &values)?;
    let answers = plan.run(tvec!(input.into_tvalue()))?;
    let Some(answer) = answers.first() else {
        bail!("it gives no answer");
    };
    ensure!(
        answer.datum_type() == f32::datum_type(),
        "its answer is {:?}, not F32",
        answer.datum_type()
    );
    Ok(answer
        .to_plain_array_view::<f32>()?
        .iter()
        .copied()
        .collect())
}

fn find(dir: &Path) -> Result<PathBuf, LoadError> {
    let usual = dir.join("model.onnx");
    if usual.is_file() {
        return Ok(usual);
    }
    let failed = |source| LoadError::File {
        path: dir.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "onnx")
        {
            found.push(path);
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        found => Err(LoadError::Which {
            path: dir.to_owned(),
            found,
        }),
    }
}
