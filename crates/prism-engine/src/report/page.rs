//! page
use super::RunFiles;
/// The report.
pub fn render_run(_run: &RunFiles) -> String {
    String::new()
}
