//! Pictures to print and pin up: control charts, the Pareto of rules, histograms with their capability.
//!
//! Each is one self-contained SVG of an A4 sheet, landscape, drawn from plain structs: the same input gives the same
//! bytes. Whatever colour says, a shape, a dash or a hatching says too, so that a black-and-white print is complete.
//!
//! The drawing is the project's own. The plotting libraries at hand draw every dash as a line of its own, know no
//! hatching and no tooltips, and place texts without knowing their widths, which is what keeps the labels of a crowded
//! chart apart.

pub mod control_chart;
pub mod files;
pub mod histogram;
pub mod index;
mod labels;
mod legend;
mod marking;
pub mod marks;
mod panel;
pub mod pareto;
mod scale;
pub mod series;
mod sheet;
mod svg;
mod text;
mod ticks;
mod time_axis;
