//! A life as a picture: the true CBTmin night by night, and what was said of it.

use std::fmt::Write as _;

use super::columns::Column;
use super::lives::Lived;
use super::people::Traveller;
use super::stories::Story;
use crate::traveller::models::Models;
use crate::units::{Hours, UtcMillis};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 46.0;
const RIGHT: f64 = 16.0;

/// Grid lines so many hours apart.
const GRID: f64 = 3.0;

/// One night: when, the true hour, what was said of it.
struct Night {
    day: f64,
    truth: f64,
    said: f64,
    band: [f64; 2],
}

/// An SVG: days across, hours of CBTmin by the clock at home upwards, unwrapped along the truth.
pub(super) fn plot(traveller: &Traveller, story: Story, lived: &Lived, models: &Models) -> String {
    let script = story.script();
    let times: Vec<UtcMillis> = story.asked(&script).into_iter().map(|(at, _)| at).collect();
    let answers = Column::Zoner.answers(models, &lived.told, &times);
    let first = lived.minima.first().map_or(0.0, |at| (*at - UtcMillis(0)).as_hours().wrap_12().0);
    let mut last = first;
    // One after the other: a clock drifts by hours in a day at most.
    let hours: Vec<f64> = lived
        .minima
        .iter()
        .map(|at| {
            last += ((*at - UtcMillis(0)).as_hours() - Hours(last)).wrap_12().0;
            last
        })
        .collect();
    let mut nights = Vec::new();
    for said in answers.into_iter().flatten() {
        let nearest = lived.minima.iter().zip(&hours).min_by_key(|(at, _)| (said.cbt_min - **at).abs());
        let (Some((at, truth)), Some(spread)) = (nearest, &said.spread) else { continue };
        let beside = |time: UtcMillis| truth + (time - *at).as_hours().0;
        nights.push(Night {
            day: (*at - UtcMillis(0)).as_hours().0 / 24.0,
            truth: *truth,
            said: beside(said.cbt_min),
            band: spread.interval_80.map(beside),
        });
    }
    let title = format!("{} {}: CBTmin by the clock at home", traveller.truth.name(), story.name());
    let flights: Vec<f64> =
        script.flights.iter().map(|flight| (flight.takeoff - UtcMillis(0)).as_hours().0 / 24.0).collect();
    draw(&title, script.days as f64, &nights, &flights)
}

fn draw(title: &str, days: f64, nights: &[Night], flights: &[f64]) -> String {
    let all = nights.iter().flat_map(|night| [night.truth, night.said, night.band[0], night.band[1]]);
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), hour| (low.min(hour), high.max(hour)));
    let (low, high) = if low < high { (low, high) } else { (0.0, 24.0) };
    let (low, high) = (libm::floor(low / GRID) * GRID, libm::ceil(high / GRID) * GRID);
    let x = |day: f64| LEFT + (WIDTH - LEFT - RIGHT) * day / days;
    let y = |hour: f64| TOP + (HEIGHT - TOP - BOTTOM) * (high - hour) / (high - low);
    let points = |of: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut text = String::new();
        for (day, hour) in of {
            // Writing to a string does not fail.
            let _ = write!(text, "{:.1},{:.1} ", x(day), y(hour));
        }
        text
    };

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"20\" font-size=\"15\">{title}</text>\n\
         <text x=\"{LEFT}\" y=\"38\" fill=\"#555\"><tspan fill=\"#c0392b\">● true</tspan>   \
         <tspan fill=\"#1f5fa8\">— estimated the evening before, with its 80 % interval</tspan>   ┆ take-off</text>\n"
    );
    let mut hour = low;
    while hour <= high {
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{:02.0}:00</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y(hour) + 4.0,
            Hours(hour).wrap_24().0,
            y = y(hour),
        );
        hour += GRID;
    }
    let week = if days > 90.0 { 28.0 } else { 7.0 };
    let mut day = 0.0;
    while day <= days {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">day {day:.0}</text>",
            x(day),
            HEIGHT - BOTTOM + 20.0
        );
        day += week;
    }
    for flight in flights {
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\" stroke=\"#555\" stroke-dasharray=\"4 3\"/>",
            HEIGHT - BOTTOM,
            x = x(*flight),
        );
    }
    let upper = points(&mut nights.iter().map(|night| (night.day, night.band[1])));
    let lower = points(&mut nights.iter().rev().map(|night| (night.day, night.band[0])));
    let said = points(&mut nights.iter().map(|night| (night.day, night.said)));
    let _ = writeln!(svg, "<polygon points=\"{upper}{lower}\" fill=\"#1f5fa8\" fill-opacity=\"0.18\"/>");
    let _ = writeln!(svg, "<polyline points=\"{said}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"2\"/>");
    let radius = if days > 90.0 { 1.6 } else { 3.0 };
    for night in nights {
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\" fill=\"#c0392b\"/>",
            x(night.day),
            y(night.truth)
        );
    }
    svg.push_str("</svg>\n");
    svg
}
