//! Rolling bearings: geometry and the frequencies that follow from it.

use thiserror::Error;

/// Geometry of a rolling bearing whose inner ring turns. Lengths in any one unit: only their ratio counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bearing {
    /// Rolling elements of one row.
    pub elements: u32,
    /// Diameter of a rolling element.
    pub element_diameter: f64,
    /// Diameter of the circle through the centres of the rolling elements.
    pub pitch_diameter: f64,
    /// Contact angle, degrees.
    pub contact_angle_deg: f64,
}

/// Why a geometry is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Number of elements.
    #[error("elements: must be between 3 and 200")]
    Elements,
    /// The diameters.
    #[error("element_diameter: must be greater than 0 and smaller than pitch_diameter")]
    Diameters,
    /// The elements do not fit on the circle.
    #[error("elements: they do not fit on the pitch circle")]
    Overlap,
    /// The angle.
    #[error("contact_angle_deg: must be between 0 and 80")]
    Angle,
}

/// Frequencies of a bearing as multiples of the speed of its inner ring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orders {
    /// Ball pass frequency of the outer race (BPFO).
    pub outer: f64,
    /// Ball pass frequency of the inner race (BPFI).
    pub inner: f64,
    /// Ball spin frequency (BSF). A defect of a rolling element meets both races: it knocks at twice this.
    pub spin: f64,
    /// Fundamental train frequency (FTF): the cage.
    pub cage: f64,
}

impl Bearing {
    /// A checked geometry.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn new(
        elements: u32,
        element_diameter: f64,
        pitch_diameter: f64,
        contact_angle_deg: f64,
    ) -> Result<Self, Fault> {
        if !(3..=200).contains(&elements) {
            return Err(Fault::Elements);
        }
        if !(element_diameter > 0.0 && element_diameter < pitch_diameter && pitch_diameter.is_finite()) {
            return Err(Fault::Diameters);
        }
        if (std::f64::consts::PI / f64::from(elements)).sin() * pitch_diameter < element_diameter {
            return Err(Fault::Overlap);
        }
        if !(0.0..=80.0).contains(&contact_angle_deg) {
            return Err(Fault::Angle);
        }
        Ok(Self { elements, element_diameter, pitch_diameter, contact_angle_deg })
    }

    /// Its frequencies without slip. Real bearings slip by 1 to 2 percent (R. B. Randall and J. Antoni, «Rolling element
    /// bearing diagnostics – a tutorial», Mechanical Systems and Signal Processing 25 (2011)).
    #[must_use]
    pub fn orders(&self) -> Orders {
        let ratio = self.element_diameter / self.pitch_diameter * self.contact_angle_deg.to_radians().cos();
        let half = f64::from(self.elements) / 2.0;
        Orders {
            outer: half * (1.0 - ratio),
            inner: half * (1.0 + ratio),
            spin: self.pitch_diameter / (2.0 * self.element_diameter) * (1.0 - ratio * ratio),
            cage: (1.0 - ratio) / 2.0,
        }
    }
}

/// A bearing of the library.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// What is engraved on it.
    pub designation: &'static str,
    /// Its geometry.
    pub bearing: Bearing,
    /// Where the geometry was published.
    pub source: &'static str,
}

const fn known(
    designation: &'static str,
    n: u32,
    d: f64,
    pitch: f64,
    angle: f64,
    source: &'static str,
) -> Known {
    let bearing =
        Bearing { elements: n, element_diameter: d, pitch_diameter: pitch, contact_angle_deg: angle };
    Known { designation, bearing, source }
}

/// Bearings whose inner geometry is published with measurements that anybody can check it against. Makers differ under one
/// designation, by more than the slip: take the geometry from the maker where it is not here. mm.
pub const LIBRARY: &[Known] = &[
    known(
        "SKF 6205-2RS JEM",
        9,
        7.940_04,
        39.039_8,
        0.0,
        "Case Western Reserve University Bearing Data Center, drive end",
    ),
    known(
        "SKF 6203-2RS JEM",
        8,
        6.746_24,
        28.498_8,
        0.0,
        "Case Western Reserve University Bearing Data Center, fan end",
    ),
    known(
        "FAG 6203",
        8,
        6.75,
        28.55,
        0.0,
        "Lessmeier et al., PHM Society European Conference 2016, Table 1 (Paderborn University)",
    ),
    known(
        "NICE (MFPT test rig)",
        8,
        5.969,
        31.623,
        0.0,
        "Machinery Failure Prevention Technology Society, fault data sets",
    ),
    known(
        "LDK UER204",
        8,
        7.92,
        34.55,
        0.0,
        "Wang et al., IEEE Transactions on Reliability 69 (2020) (XJTU-SY)",
    ),
];
