//! Which templates are meant: files as given, and those below a directory that no other template nests.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::input::unreadable;

/// Deepest directory that is looked into.
const MAX_DEPTH: usize = 8;

/// The templates of a command line.
pub(super) fn templates(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut templates = Vec::new();
    for path in paths {
        if !path.is_dir() {
            templates.push(path.clone());
            continue;
        }
        let mut below = Vec::new();
        gather(path, 0, &mut below)?;
        if below.is_empty() {
            let message = format!("{}: no template in it", path.display());
            return Err(Failure::input(message));
        }
        below.sort();
        templates.extend(template_check::roots(&below, &read));
    }
    Ok(templates)
}

/// A template's text.
pub(super) fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn gather(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        let passed_over = name.starts_with('.') || matches!(name, "target" | "node_modules");
        if path.is_dir() && !passed_over && depth < MAX_DEPTH {
            gather(&path, depth + 1, found)?;
        } else if path.is_file() && is_template(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// By its ending and its words: a folder holds other YAML and JSON too.
fn is_template(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json" | "template"))
        && read(path).is_ok_and(|text| {
            text.contains("Resources") && text.contains("Type") && text.contains("AWS::")
        })
}
