//! What turns in a machine: shafts with their ratios, and on them bearings, gears, blades and belts.

use crate::bearing::Bearing;

/// One machine element.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// What people call it.
    pub name: String,
    /// Speed of its shaft over the speed of the shaft whose speed is given with a burst.
    pub ratio: f64,
    /// What it is.
    pub kind: Kind,
}

/// Kinds of elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A rolling bearing.
    Bearing(Bearing),
    /// A gear: teeth.
    Gear(u32),
    /// A rotor: blades or vanes.
    Blades(u32),
    /// A belt: pitch diameter of its pulley over the length of the belt.
    Belt(f64),
}

impl Element {
    /// The order of a gear's mesh, of passing blades or of a belt's turn; nothing for a bearing, which has several.
    #[must_use]
    pub fn order(&self) -> Option<f64> {
        match self.kind {
            Kind::Bearing(_) => None,
            Kind::Gear(count) | Kind::Blades(count) => Some(self.ratio * f64::from(count)),
            Kind::Belt(over_length) => Some(self.ratio * std::f64::consts::PI * over_length),
        }
    }
}

/// All elements of a machine that are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// The elements.
    pub elements: Vec<Element>,
}

impl Machine {
    /// A machine of which one bearing on the shaft of the given speed is known.
    #[must_use]
    pub fn with_bearing(name: &str, bearing: Bearing) -> Self {
        Self { elements: vec![Element { name: name.to_owned(), ratio: 1.0, kind: Kind::Bearing(bearing) }] }
    }

    /// Ratios of its shafts, the given one first, each once.
    #[must_use]
    pub fn shafts(&self) -> Vec<f64> {
        let mut ratios = vec![1.0];
        for e in &self.elements {
            if ratios.iter().all(|r| (r - e.ratio).abs() > 1e-9) {
                ratios.push(e.ratio);
            }
        }
        ratios
    }
}
