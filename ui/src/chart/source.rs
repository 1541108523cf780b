//! A sensor's readings: its trend from the server, then every live reading.

use super::Range;
use crate::{api::Query, components::time::ms, state::app};
use leptos::prelude::*;
use pm_api::{
    SensorId, Severity,
    route::{op, request},
    sensor::{Sensor, Trend, TrendStatistics},
};
use pm_ui_core::series::{Point, Series};

/// A line across the chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// In the sensor's unit.
    pub value: f64,
    /// What reaching it means.
    pub severity: Severity,
    /// Is the abnormal side below it?
    pub low: bool,
}

/// The limits that are in force for a sensor, its own or its machine's, as lines.
#[must_use]
pub fn limits(sensor: &Sensor) -> Vec<Limit> {
    let line = |value: Option<f64>, severity, low| value.map(|value| Limit { value, severity, low });
    let limits = sensor.limits;
    [
        line(limits.warning_high, Severity::Warning, false),
        line(limits.critical_high, Severity::Critical, false),
        line(limits.warning_low, Severity::Warning, true),
        line(limits.critical_low, Severity::Critical, true),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A sensor's readings over an interval of the trend route.
#[derive(Clone, Copy)]
pub struct SensorSeries {
    /// The readings.
    pub series: RwSignal<Series>,
    /// Time and value of those that are not good; the curve and the statistics leave them out.
    pub doubtful: Signal<Vec<(f64, f64)>>,
    /// Over all good readings of the interval, as the server counts them.
    pub statistics: Signal<Option<TrendStatistics>>,
    /// The request behind it.
    pub query: Query<Trend>,
}

impl SensorSeries {
    /// Loads the trend of `sensor` over `range` and follows the live readings.
    #[must_use]
    pub fn follow(sensor: SensorId, range: Signal<Range>) -> Self {
        let app = app();
        let series = RwSignal::new(Series::default());
        let trend = move || Some(request(op::SensorTrend, [&sensor]).query(&range.get().trend()));
        let query = Query::new(trend, &[]);
        Effect::new(move |_| {
            let Some(points) = query.data.with(|trend| {
                trend.as_ref().map(|trend| {
                    let point = |p: &pm_api::sensor::TrendPoint| Point {
                        at_ms: ms(p.timestamp),
                        value: p.value,
                        min: p.min,
                        max: p.max,
                    };
                    trend.points.iter().map(point).collect::<Vec<_>>()
                })
            }) else {
                return;
            };
            let mut fresh = Series::new(points);
            let newest = fresh.points().last().map_or(f64::NEG_INFINITY, |p| p.at_ms);
            series.update(|old| {
                for point in old.points().iter().filter(|p| p.at_ms > newest) {
                    fresh.push(*point);
                }
                *old = fresh;
            });
        });
        Effect::new(move |_| {
            let batch = app.live.readings.get();
            if batch.iter().any(|reading| reading.sensor_id == sensor) {
                series.update(|series| {
                    for reading in batch.iter().filter(|reading| reading.sensor_id == sensor) {
                        series.push(Point::single(ms(reading.timestamp), reading.value));
                    }
                });
            }
        });
        let statistics =
            Signal::derive(move || query.data.with(|t| t.as_ref().and_then(|t| t.statistics.clone())));
        let doubtful = Signal::derive(move || {
            query.data.with(|trend| {
                let marked = trend.iter().flat_map(|trend| &trend.marked);
                marked.map(|p| (ms(p.timestamp), p.value)).collect()
            })
        });
        Self { series, doubtful, statistics, query }
    }
}
