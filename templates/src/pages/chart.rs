//! A bar chart as inline SVG: where each bar stands is reckoned before, colours are classes of the style sheet, and a table
//! beside it says the same in numbers.

use serde::Serialize;

/// A chart; lengths in tenths of a pixel of a drawing 360 by 200.
#[derive(Debug, Clone, Serialize)]
pub struct Chart {
    pub id: &'static str,
    pub title: String,
    /// What it shows, in a sentence, for who does not see it.
    pub says: String,
    pub bars: Vec<Bar>,
    pub lines: Vec<ChartLine>,
    pub labels: Vec<ChartLabel>,
    pub legend: Vec<Legend>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Bar {
    pub x: u64,
    pub y: u64,
    pub width: u64,
    pub height: u64,
    /// Its series: `s1`, `s2`.
    pub class: &'static str,
    pub title: String,
}

/// A line across, and the number that it stands for.
#[derive(Debug, Clone, Serialize)]
pub struct ChartLine {
    pub y: u64,
    /// Where the number's letters stand.
    pub text_y: u64,
    pub label: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct ChartLabel {
    pub x: u64,
    pub text: String,
}

/// What a colour means.
#[derive(Debug, Clone, Serialize)]
pub struct Legend {
    pub class: &'static str,
    pub label: String,
}
