//! The three charts of a report.

use std::collections::BTreeMap;

use store::ReportMonth;
use templates::pages::Chart;

use super::{Read, Sums};
use crate::access::figures::Reach;
use crate::charts::Bars;
use crate::dates;
use crate::portal::Portal;

/// Working days that have a bar of their own; slower answers share the last.
const DAYS: u16 = 15;

pub(super) fn charts(portal: &Portal, reach: Reach, read: &Read) -> Vec<Chart> {
    let word = |key: &str| portal.words.say_of("report", key, &[]).unwrap_or_default();
    let by_month = |numbers: fn(&Sums) -> Vec<u64>| -> Vec<(String, Vec<u64>)> {
        let month = |text: &String| text.parse::<ReportMonth>().ok();
        let name = |text: &String| month(text).map(|month| dates::short_month(month.first_day()));
        read.months.iter().filter_map(|(text, sums)| Some((name(text)?, numbers(sums)))).collect()
    };
    let answers = Bars {
        id: "answers",
        title: word("chart_answers"),
        says: word("chart_answers_says"),
        series: vec![word("in_time"), word("late")],
        places: by_month(|sums| vec![sums.in_time, sums.late]),
        stacked: true,
    };
    let messages = match reach {
        Reach::Own(_) => Bars {
            id: "messages",
            title: word("chart_sent"),
            says: word("chart_sent_says"),
            series: vec![word("sent")],
            places: by_month(|sums| vec![sums.sent]),
            stacked: false,
        },
        Reach::Group | Reach::Market => Bars {
            id: "messages",
            title: word("chart_messages"),
            says: word("chart_messages_says"),
            series: vec![word("sent"), word("received")],
            places: by_month(|sums| vec![sums.sent, sums.received]),
            stacked: false,
        },
    };
    let days = Bars {
        id: "days",
        title: word("chart_days"),
        says: word("chart_days_says"),
        series: vec![word("answers")],
        places: histogram(&read.all.days),
        stacked: false,
    };
    [answers, messages, days].into_iter().filter_map(Bars::chart).collect()
}

fn histogram(days: &BTreeMap<u16, u64>) -> Vec<(String, Vec<u64>)> {
    let last = days.keys().max().copied().unwrap_or_default().min(DAYS);
    let place = |day: u16| match day {
        DAYS => (format!("{DAYS}+"), vec![days.range(DAYS..).map(|(_, count)| count).sum()]),
        day => (day.to_string(), vec![days.get(&day).copied().unwrap_or_default()]),
    };
    (0..=last).map(place).collect()
}
