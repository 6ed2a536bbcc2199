//! Bar charts reckoned to the last tenth of a pixel. What the numbers mean is the caller's; nothing here reads anything.

use templates::pages::{Bar, Chart, ChartLabel, ChartLine, Legend};

/// The drawing, in tenths of a pixel; `chart.hbs` has the same.
const LEFT: u64 = 460;
const RIGHT: u64 = 3_560;
const TOP: u64 = 100;
const BASE: u64 = 1_760;
/// Labels that fit side by side.
const MOST_LABELS: usize = 7;
const SERIES: [&str; 3] = ["s1", "s2", "s3"];

/// What a chart shows.
pub(crate) struct Bars {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) says: String,
    /// The name of each series, at most three; one that stands alone needs none.
    pub(crate) series: Vec<String>,
    /// A name for each place, and a number of each series.
    pub(crate) places: Vec<(String, Vec<u64>)>,
    /// Series stand on each other instead of side by side.
    pub(crate) stacked: bool,
}

impl Bars {
    /// The chart; none where all numbers are zero.
    pub(crate) fn chart(self) -> Option<Chart> {
        let height = |numbers: &Vec<u64>| match self.stacked {
            true => numbers.iter().sum::<u64>(),
            false => numbers.iter().copied().max().unwrap_or_default(),
        };
        let highest =
            self.places.iter().map(|(_, numbers)| height(numbers)).max().filter(|most| *most > 0)?;
        let step = step(highest);
        let top = highest.div_ceil(step) * step;
        let y = |number: u64| BASE - (BASE - TOP) * number.min(top) / top;
        let lines = (0..=top / step).map(|line| ChartLine {
            y: y(line * step),
            text_y: y(line * step) + 35,
            label: short(line * step),
        });
        let legend = match self.series.as_slice() {
            [_] => Vec::new(),
            names => names
                .iter()
                .zip(SERIES)
                .map(|(label, class)| Legend { class, label: label.clone() })
                .collect(),
        };
        Some(Chart {
            id: self.id,
            title: self.title.clone(),
            says: self.says.clone(),
            bars: self.bars(y),
            lines: lines.collect(),
            labels: self.labels(),
            legend,
        })
    }

    fn place(&self) -> u64 {
        (RIGHT - LEFT) / (self.places.len() as u64).max(1)
    }

    fn bars(&self, y: impl Fn(u64) -> u64) -> Vec<Bar> {
        let place = self.place();
        let (gap, side_by_side) = (place / 5, if self.stacked { 1 } else { self.series.len() as u64 });
        let width = ((place - gap) / side_by_side.max(1)).clamp(1, 420);
        let mut bars = Vec::new();
        for (at, (name, numbers)) in self.places.iter().enumerate() {
            let middle = LEFT + place * at as u64 + place / 2;
            let left = middle - width * side_by_side / 2;
            let mut below = 0;
            for (series, number) in numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
                let (x, floor) = match self.stacked {
                    true => (left, y(below)),
                    false => (left + width * series as u64, BASE),
                };
                let top = y(if self.stacked { below + number } else { *number });
                below += number;
                bars.push(Bar {
                    x: x + 10,
                    y: top,
                    width: width.saturating_sub(20).max(1),
                    height: floor.saturating_sub(top).max(10),
                    class: SERIES.get(series).copied().unwrap_or(SERIES[0]),
                    title: format!("{name}: {number} {}", self.series.get(series).map_or("", String::as_str)),
                });
            }
        }
        bars
    }

    fn labels(&self) -> Vec<ChartLabel> {
        let every = self.places.len().div_ceil(MOST_LABELS).max(1);
        let place = self.place();
        let shown = self.places.iter().enumerate().filter(|(at, _)| at % every == 0);
        shown
            .map(|(at, (name, _))| ChartLabel { x: LEFT + place * at as u64 + place / 2, text: name.clone() })
            .collect()
    }
}

/// The distance of lines, so that at most five are drawn and each is a round number.
fn step(highest: u64) -> u64 {
    let mut unit = 1;
    loop {
        for times in [1, 2, 5] {
            if unit * times * 4 >= highest {
                return unit * times;
            }
        }
        unit = u64::saturating_mul(unit, 10);
    }
}

/// `12k` for 12,000: the number stands beside the axis.
fn short(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..10_000_000 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(places: Vec<(String, Vec<u64>)>, stacked: bool) -> Bars {
        let series = vec!["in time".to_owned(), "late".to_owned()];
        Bars { id: "x", title: "X".into(), says: "Says".into(), series, places, stacked }
    }

    #[test]
    fn bars_stand_inside_the_drawing_and_on_each_other() {
        for count in [1, 12, 36] {
            let places = (0..count).map(|at| (format!("M{at}"), vec![at * 7, 90])).collect();
            let chart = bars(places, true).chart().unwrap();
            for bar in &chart.bars {
                assert!(bar.x >= LEFT && bar.x + bar.width <= RIGHT && bar.y >= TOP, "{bar:?}");
                assert!(bar.y + bar.height <= BASE + 10);
            }
            assert!(chart.labels.len() <= MOST_LABELS + 1 && chart.lines.len() <= 5);
            let of_last: Vec<_> = chart.bars.iter().rev().take(2).collect();
            if count > 1 {
                assert_eq!(of_last[0].y + of_last[0].height, of_last[1].y);
            }
        }
    }

    #[test]
    fn nothing_makes_no_chart_and_lines_are_round() {
        assert!(bars(vec![("a".into(), vec![0, 0])], false).chart().is_none());
        for (highest, expected) in [(1, 1), (4, 1), (5, 2), (9, 5), (100, 50), (201, 100), (4_000, 1_000)] {
            assert_eq!(step(highest), expected, "{highest}");
        }
        assert_eq!(
            (short(9_999), short(120_000), short(u64::MAX / 2).len()),
            ("9999".into(), "120k".into(), 14)
        );
    }
}
