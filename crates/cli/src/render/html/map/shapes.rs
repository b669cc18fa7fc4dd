//! Shapes whose places across are in per cent, and in pixels from above.

use crate::render::html::markup::Html;
use crate::render::html::parts::written;
use crate::render::html::words::Say;

/// A rectangle from a left edge, with a width.
pub fn rect(html: &mut Html, class: &str, (left, width): (f64, f64), y: u32, height: u32) {
    html.empty(
        "rect",
        &[
            ("class", class),
            ("x", &written(left)),
            ("y", &y.to_string()),
            ("width", &written(width)),
            ("height", &height.to_string()),
        ],
    );
}

/// A line.
pub fn line(html: &mut Html, class: &str, (x1, y1): (&str, u32), (x2, y2): (&str, u32)) {
    let (y1, y2) = (y1.to_string(), y2.to_string());
    html.empty(
        "line",
        &[("class", class), ("x1", x1), ("y1", &y1), ("x2", x2), ("y2", &y2)],
    );
}

/// Words, `dx` pixels right of `x`.
pub fn label(html: &mut Html, class: &str, x: &str, dx: u32, y: u32, words: impl Say) {
    let (dx, y) = (dx.to_string(), y.to_string());
    html.element(
        "text",
        &[("class", class), ("x", x), ("dx", &dx), ("y", &y)],
        |html| html.text(words),
    );
}
