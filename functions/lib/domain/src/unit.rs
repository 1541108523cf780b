//! Units of measurement: which texts name the same unit, and how a value is converted between two of them.
//!
//! The table holds the spellings that gateways use and the UCUM codes, for the quantities that machines report. Where a text
//! is not in the table, nothing is converted. Frequencies and speeds of rotation are different quantities here: `Hz` may
//! count something else than turns. Pressures over that of the air (`barg`) and absolute ones (`bara`) are converted among
//! themselves.

/// A quantity; values are converted within one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Temperature,
    Pressure,
    GaugePressure,
    AbsolutePressure,
    Power,
    Velocity,
    Acceleration,
    Length,
    Current,
    Voltage,
    Rotation,
    Frequency,
    Flow,
    Mass,
    Force,
    Torque,
    Energy,
    Time,
    Share,
}

/// `base = value · factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unit {
    quantity: Quantity,
    factor: f64,
    offset: f64,
}

macro_rules! units {
    ($($quantity:ident { $([$factor:expr $(, $offset:expr)?] $($name:literal)+)* })*) => {
        /// Spellings without blanks; capital letters count where [`find`] finds no exact one.
        const UNITS: &[(&[&str], Unit)] = &[$($((
            &[$($name),+],
            Unit { quantity: Quantity::$quantity, factor: $factor, offset: 0.0 $(+ $offset)? },
        ),)+)*];
    };
}

const PSI_PA: f64 = 6_894.757_293_168;
const INCH_M: f64 = 0.0254;
const FOOT_M: f64 = 0.3048;
const STANDARD_GRAVITY: f64 = 9.806_65;

units! {
    Temperature {
        [1.0] "K" "kelvin"
        [1.0, 273.15] "°C" "C" "Cel" "degC" "℃" "celsius" "deg_C" "oC" "ºC" "°Celsius"
        [5.0 / 9.0, 459.67 * 5.0 / 9.0] "°F" "F" "[degF]" "degF" "℉" "fahrenheit" "deg_F" "oF" "ºF" "°Fahrenheit"
    }
    Pressure {
        [1.0] "Pa" "pascal"
        [100.0] "hPa" "mbar" "millibar"
        [1e3] "kPa"
        [1e6] "MPa"
        [1e5] "bar"
        [PSI_PA] "psi" "[psi]" "lbf/in²" "lbf/in2" "[lbf_av]/[in_i]2"
        [101_325.0] "atm"
        [133.322_387_415] "mmHg" "mm[Hg]" "torr"
        [3_386.389] "inHg" "[in_i'Hg]"
        [249.088_91] "inH2O" "[in_i'H2O]" "inWC"
        [9.806_65] "mmH2O" "mm[H2O]"
    }
    GaugePressure { [1e5] "barg" "bar(g)" [PSI_PA] "psig" "[psi]g" [1e3] "kPag" "kPa(g)" }
    AbsolutePressure { [1e5] "bara" "bar(a)" [PSI_PA] "psia" [1e3] "kPaa" "kPa(a)" }
    Power {
        [1.0] "W" "watt"
        [1e-3] "mW"
        [1e3] "kW"
        [1e6] "MW"
        [745.699_871_582_27] "hp" "[HP]"
        [735.498_75] "PS"
    }
    Velocity {
        [1.0] "m/s" "mps"
        [1e-3] "mm/s" "mm/sec" "mmps"
        [1e-2] "cm/s"
        [INCH_M] "in/s" "ips" "in/sec" "[in_i]/s" "inch/s"
        [FOOT_M] "ft/s" "[ft_i]/s" "fps"
        [1.0 / 60.0] "m/min"
        [FOOT_M / 60.0] "ft/min" "[ft_i]/min"
        [1.0 / 3.6] "km/h" "kph" "kmh"
        [0.447_04] "mph" "[mi_i]/h"
    }
    Acceleration {
        [1.0] "m/s²" "m/s2" "m/s^2"
        [1e-3] "mm/s²" "mm/s2"
        [STANDARD_GRAVITY] "g" "[g]" "gn" "g_n"
        [STANDARD_GRAVITY * 1e-3] "mg" "m[g]"
    }
    Length {
        [1.0] "m" "metre" "meter"
        [1e-2] "cm"
        [1e-3] "mm"
        [1e-6] "µm" "um" "μm" "micron"
        [INCH_M] "in" "[in_i]" "inch"
        [INCH_M * 1e-3] "mil" "[mil_i]" "thou"
        [FOOT_M] "ft" "[ft_i]"
    }
    Current { [1.0] "A" "amp" "ampere" [1e-3] "mA" [1e3] "kA" [1e-6] "µA" "uA" "μA" }
    Voltage { [1.0] "V" "volt" [1e-3] "mV" [1e3] "kV" }
    Rotation {
        [1.0] "rpm" "RPM" "1/min" "/min" "r/min" "U/min" "min-1" "min⁻¹" "rev/min" "{rev}/min"
        [60.0] "rps" "rev/s" "{rev}/s" "r/s"
    }
    Frequency { [1.0] "Hz" "hertz" [1e3] "kHz" [1e6] "MHz" }
    Flow {
        [1.0] "m³/s" "m3/s"
        [1.0 / 3600.0] "m³/h" "m3/h" "m3/hr" "m³/hr"
        [1e-3] "L/s" "l/s"
        [1e-3 / 60.0] "L/min" "l/min" "lpm" "LPM"
        [1e-3 / 3600.0] "L/h" "l/h"
        [3.785_411_784e-3 / 60.0] "gpm" "gal/min" "[gal_us]/min" "GPM"
        [0.028_316_846_592 / 60.0] "cfm" "CFM" "ft³/min" "ft3/min"
    }
    Mass { [1.0] "kg" [1e3] "t" "tonne" [0.453_592_37] "lb" "[lb_av]" "lbs" }
    Force { [1.0] "N" "newton" [1e3] "kN" [4.448_221_615_260_5] "lbf" "[lbf_av]" }
    Torque {
        [1.0] "Nm" "N·m" "N.m" "N*m"
        [1e3] "kNm" "kN·m" "kN.m"
        [1.355_817_948_331_4] "lbf·ft" "ft·lbf" "ft-lb" "lb-ft" "ftlb" "ft.[lbf_av]"
    }
    Energy { [1.0] "J" "joule" [1e3] "kJ" [1e6] "MJ" [3.6e3] "Wh" "W.h" [3.6e6] "kWh" "kW.h" [3.6e9] "MWh" "MW.h" }
    Time { [1.0] "s" "sec" "second" [1e-3] "ms" [1e-6] "µs" "us" "μs" [60.0] "min" [3600.0] "h" "hr" "hour" [86_400.0] "d" "day" }
    Share {
        [1.0] "%" "percent" "%RH" "pct" "[%]" "%rh"
        [100.0] "ratio"
        [0.1] "‰" "[ppth]"
        [1e-4] "ppm" "[ppm]"
    }
}

/// Spellings in other letters than these are taken as the same where no two of the table would be meant: `PSI`, `BAR`, `Kpa`;
/// but `mW` and `MW` are two units.
fn find(text: &str) -> Option<Unit> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some((_, unit)) = UNITS.iter().find(|(names, _)| names.contains(&text.as_str())) {
        return Some(*unit);
    }
    let text = text.to_lowercase();
    let mut alike = UNITS.iter().filter(|(names, _)| names.iter().any(|name| name.to_lowercase() == text));
    let (_, unit) = alike.next()?;
    alike.all(|(_, other)| other == unit).then_some(*unit)
}

/// How values of one unit become values of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Conversion {
    /// They are the same.
    Same,
    /// `value · factor + offset`.
    Linear(f64, f64),
}

impl Conversion {
    /// The value in the other unit.
    #[must_use]
    pub fn apply(self, value: f64) -> f64 {
        match self {
            Self::Same => value,
            Self::Linear(factor, offset) => value * factor + offset,
        }
    }
}

/// How values of the unit `from` become values of the unit `to`. `None`: they cannot be converted.
#[must_use]
pub fn conversion(from: &str, to: &str) -> Option<Conversion> {
    if from.trim() == to.trim() {
        return Some(Conversion::Same);
    }
    let (from, to) = (find(from)?, find(to)?);
    if from.quantity != to.quantity {
        return None;
    }
    if from == to {
        return Some(Conversion::Same);
    }
    Some(Conversion::Linear(from.factor / to.factor, (from.offset - to.offset) / to.factor))
}

/// What to do with values that come in the unit `sent` for a sensor in the unit `known`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Treatment {
    /// They are in the sensor's unit.
    Convert(Conversion),
    /// The sensor has no unit yet: it gets this one.
    Adopt,
    /// They mean something else: they are stored and marked.
    Mark,
}

/// Decides on a unit. A sender that names none means the sensor's.
#[must_use]
pub fn treatment(sent: Option<&str>, known: Option<&str>) -> Treatment {
    fn text(unit: Option<&str>) -> Option<&str> {
        unit.map(str::trim).filter(|u| !u.is_empty())
    }
    match (text(sent), text(known)) {
        (None, _) => Treatment::Convert(Conversion::Same),
        (Some(_), None) => Treatment::Adopt,
        (Some(sent), Some(known)) => conversion(sent, known).map_or(Treatment::Mark, Treatment::Convert),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_converted() {
        for (value, from, to, expected) in [
            (176.2, "°F", "°C", 80.111_111),
            (176.2, "[degF]", "Cel", 80.111_111),
            (-40.0, "F", "C", -40.0),
            (0.0, "K", "°C", -273.15),
            (100.0, "°C", "K", 373.15),
            (14.503_774, "psi", "bar", 1.0),
            (1.0, "BAR", "kPa", 100.0),
            (0.6, "MPa", "bar", 6.0),
            (60.0, "psi", "kPa", 413.685_438),
            (7.5, "kW", "W", 7500.0),
            (2.0, "mW", "MW", 2e-9),
            (0.1, "in/s", "mm/s", 2.54),
            (0.1, "[in_i]/s", "mm/s", 2.54),
            (1500.0, "rpm", "1/min", 1500.0),
            (25.0, "rev/s", "rpm", 1500.0),
            (1.0, "g", "m/s²", 9.806_65),
            (60.0, "L/min", "m³/h", 3.6),
            (1.5, "degC", "°C", 1.5),
        ] {
            let converted = conversion(from, to).map(|c| c.apply(value));
            assert!(
                converted.is_some_and(|c| (c - expected).abs() < 1e-6 * expected.abs().max(1.0)),
                "{value} {from} is {converted:?} {to}, not {expected}"
            );
        }
    }

    #[test]
    fn what_is_another_quantity_or_unknown_is_not_converted() {
        for (from, to) in
            [("°F", "bar"), ("rpm", "Hz"), ("bananas", "°C"), ("°C", "bananas"), ("Mw", "W"), ("", "W")]
        {
            assert_eq!(conversion(from, to), None, "{from} {to}");
        }
        assert_eq!(conversion("bananas", "bananas"), Some(Conversion::Same));
    }

    #[test]
    fn a_unit_is_adopted_converted_or_marked() {
        for (sent, known, expected) in [
            (None, None, Treatment::Convert(Conversion::Same)),
            (None, Some("°C"), Treatment::Convert(Conversion::Same)),
            (Some(" "), Some("°C"), Treatment::Convert(Conversion::Same)),
            (Some("°C"), None, Treatment::Adopt),
            (Some("°C"), Some(""), Treatment::Adopt),
            (Some("°C"), Some("°C"), Treatment::Convert(Conversion::Same)),
            (Some("celsius"), Some("°C"), Treatment::Convert(Conversion::Same)),
            (Some("bar"), Some("°C"), Treatment::Mark),
        ] {
            assert_eq!(treatment(sent, known), expected, "{sent:?} {known:?}");
        }
    }

    #[test]
    fn a_spelling_stands_for_one_unit() {
        let all: Vec<_> =
            UNITS.iter().flat_map(|(names, unit)| names.iter().map(move |name| (*name, unit))).collect();
        for (i, (name, unit)) in all.iter().enumerate() {
            let twice = all.iter().skip(i + 1).any(|(other, _)| other == name);
            assert!(!twice && unit.factor > 0.0 && !name.contains(' '), "{name}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_value(from in 0..UNITS.len(), to in 0..UNITS.len(), value in -1e6..1e6_f64) {
            let (from, to) = (UNITS[from].0[0], UNITS[to].0[0]);
            if let (Some(there), Some(back)) = (conversion(from, to), conversion(to, from)) {
                let again = back.apply(there.apply(value));
                let scale = value.abs().max(1000.0);
                prop_assert!((again - value).abs() <= 1e-6 * scale, "{value} {from} {to} {again}");
            }
        }
    }
}
