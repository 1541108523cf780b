//! The diagnosis on simulated machines, and what it answers when something is missing.

use pm_vibration::{
    Bearing, Fft, Machine, Unit, Verdict, Waveform,
    bearing::{Fault, LIBRARY},
    diagnosis::{Diagnosis, Part, Reference, bearings::probabilities, diagnose, shafts},
    element::{Element, Kind},
    simulate::{Defect, Plan},
};
use proptest::prelude::*;

const RATE: f64 = 20_480.0;
const RPM: f64 = 1482.0;
const SAMPLES: usize = 131_072;

fn bearing() -> Bearing {
    Bearing::new(9, 7.94, 39.04, 0.0).unwrap()
}

fn look(plan: &Plan, seed: u64, machine: &Machine, reference: Option<&Reference>) -> Diagnosis {
    let wave = Waveform::new(plan.run(seed), plan.rate_hz, Unit::named("m/s²"), Some(plan.rpm)).unwrap();
    diagnose(&mut Fft::default(), &wave, machine, reference)
}

#[test]
fn the_geometry_gives_the_published_frequencies() {
    let o = LIBRARY.iter().find(|k| k.designation == "SKF 6205-2RS JEM").unwrap().bearing.orders();
    for (ours, published) in [(o.outer, 3.5848), (o.inner, 5.4152), (o.cage, 0.39828), (2.0 * o.spin, 4.7135)]
    {
        assert!((ours - published).abs() < 2e-4, "{ours} {published}");
    }
    let o = LIBRARY.iter().find(|k| k.designation == "SKF 6203-2RS JEM").unwrap().bearing.orders();
    for (ours, published) in [(o.outer, 3.0530), (o.inner, 4.9469), (o.cage, 0.3817), (2.0 * o.spin, 3.9874)]
    {
        assert!((ours - published).abs() < 3e-4, "{ours} {published}");
    }
    let o = LIBRARY.iter().find(|k| k.designation.starts_with("NICE")).unwrap().bearing.orders();
    assert!((25.0 * o.outer - 81.12).abs() < 0.02 && (25.0 * o.inner - 118.875).abs() < 0.02);
}

#[test]
fn every_bearing_of_the_library_is_possible_and_says_where_it_is_from() {
    for k in LIBRARY {
        let b = k.bearing;
        let checked = Bearing::new(b.elements, b.element_diameter, b.pitch_diameter, b.contact_angle_deg);
        assert_eq!(checked, Ok(b), "{}", k.designation);
        assert!(k.source.len() > 20, "{}", k.designation);
    }
}

#[test]
fn an_impossible_geometry_is_refused_by_the_name_of_its_field() {
    assert_eq!(Bearing::new(2, 1.0, 5.0, 0.0), Err(Fault::Elements));
    assert_eq!(Bearing::new(8, 6.0, 5.0, 0.0), Err(Fault::Diameters));
    assert_eq!(Bearing::new(20, 1.0, 5.0, 0.0), Err(Fault::Overlap));
    assert_eq!(Bearing::new(8, 1.0, 5.0, 95.0), Err(Fault::Angle));
}

#[test]
fn each_damaged_part_is_named_with_slip_and_a_drifting_speed() {
    let machine = Machine::with_bearing("drive end", bearing());
    let defects = [
        (Defect::Outer, Part::OuterRace, 2.0),
        (Defect::Inner, Part::InnerRace, 3.0),
        (Defect::RollingElement, Part::RollingElement, 3.0),
    ];
    for (defect, part, amplitude) in defects {
        for (seed, slip) in [(1, -0.012), (2, 0.0), (3, 0.012)] {
            let healthy = Plan::healthy(SAMPLES, RATE, RPM);
            let plan = Plan { defect: Some((bearing(), defect, amplitude)), slip, drift: 0.002, ..healthy };
            let d = look(&plan, seed, &machine, None);
            let top = &d.findings[0];
            assert_eq!(
                (d.verdict, top.part),
                (Verdict::Fault, part),
                "{defect:?} slip {slip}: {:?}",
                d.findings
            );
            assert!(top.probability.unwrap() >= 0.8 && !top.lines.is_empty());
        }
    }
}

#[test]
fn healthy_machines_are_not_accused() {
    let machine = Machine::with_bearing("drive end", bearing());
    for seed in 0..40 {
        let plan = Plan {
            mesh: Some((23, 1.0, 0.3)),
            shaft: vec![2.0, 1.0, 0.5, 0.3],
            ..Plan::healthy(SAMPLES / 2, RATE, RPM)
        };
        let d = look(&plan, 100 + seed, &machine, None);
        assert!(d.findings.iter().all(|f| !f.claimed), "seed {seed}: {:?}", d.findings[0]);
        assert_ne!(d.verdict, Verdict::Fault);
    }
}

#[test]
fn without_speed_geometry_or_reference_the_answer_says_what_is_missing() {
    let plan = Plan::healthy(SAMPLES, RATE, RPM);
    let wave = Waveform::new(plan.run(1), RATE, None, None).unwrap();
    let d = diagnose(&mut Fft::default(), &wave, &Machine::with_bearing("drive end", bearing()), None);
    assert_eq!(d.verdict, Verdict::NotAssessed);
    assert!(d.missing[0].starts_with("rpm:"));
    let d = look(&plan, 1, &Machine::default(), None);
    assert_eq!(d.verdict, Verdict::NotAssessed);
    assert!(
        d.missing.iter().any(|m| m.starts_with("bearing:"))
            && d.missing.iter().any(|m| m.starts_with("reference:"))
    );
    let short = Plan { samples: 4096, ..plan };
    let d = look(&short, 1, &Machine::with_bearing("drive end", bearing()), None);
    assert!(d.missing.iter().any(|m| m.starts_with("samples:")), "{:?}", d.missing);
}

#[test]
fn a_speed_sampled_too_slowly_is_said() {
    let plan = Plan::healthy(16_384, 200.0, RPM);
    let d = look(&plan, 1, &Machine::with_bearing("drive end", bearing()), None);
    assert!(d.missing.iter().any(|m| m.starts_with("rate_hz:")), "{:?}", d.missing);
}

fn reference_of(plan: &Plan, machine: &Machine) -> Reference {
    let mut fft = Fft::default();
    let bursts: Vec<Waveform> = (0..5)
        .map(|s| Waveform::new(plan.run(900 + s), RATE, Unit::named("m/s²"), Some(RPM)).unwrap())
        .collect();
    let lines: Vec<_> = bursts.iter().map(|w| shafts::lines(&mut fft, w, RPM / 60.0, machine)).collect();
    let diagnoses: Vec<_> = bursts.iter().map(|w| diagnose(&mut fft, w, machine, None)).collect();
    Reference::of(&lines, &diagnoses)
}

#[test]
fn what_has_grown_above_the_healthy_reference_is_named() {
    let gear = Element { name: "gear".to_owned(), ratio: 1.0, kind: Kind::Gear(23) };
    let machine = Machine { elements: vec![gear] };
    let healthy =
        Plan { mesh: Some((23, 0.3, 0.1)), shaft: vec![0.3, 0.1, 0.05], ..Plan::healthy(SAMPLES, RATE, RPM) };
    let reference = reference_of(&healthy, &machine);
    let top = |plan: &Plan| {
        let d = look(plan, 5, &machine, Some(&reference));
        d.findings.first().filter(|f| f.claimed).map(|f| f.part)
    };
    assert_eq!(top(&healthy), None);
    assert_eq!(top(&Plan { shaft: vec![1.5, 0.1, 0.05], ..healthy.clone() }), Some(Part::Imbalance));
    assert_eq!(top(&Plan { shaft: vec![0.4, 0.8, 0.2], ..healthy.clone() }), Some(Part::Misalignment));
    assert_eq!(
        top(&Plan { shaft: vec![1.5, 1.0, 0.8, 0.9, 0.7, 0.6, 0.5], ..healthy.clone() }),
        Some(Part::Looseness)
    );
    assert_eq!(top(&Plan { mesh: Some((23, 1.2, 0.5)), ..healthy.clone() }), Some(Part::GearMesh));
}

#[test]
fn a_line_that_the_healthy_machine_had_too_is_not_claimed() {
    let machine = Machine::with_bearing("drive end", bearing());
    let defect = Some((bearing(), Defect::Outer, 2.0));
    let plan = Plan { defect, ..Plan::healthy(SAMPLES, RATE, RPM) };
    let reference = reference_of(&plan, &machine);
    assert!(look(&plan, 5, &machine, None).findings[0].claimed);
    let d = look(&plan, 5, &machine, Some(&reference));
    assert!(!d.findings[0].claimed && !d.findings[0].notes.is_empty(), "{:?}", d.findings[0]);
}

proptest! {
    #[test]
    fn probabilities_add_up_to_at_most_one_and_grow_with_strength(
        strengths in proptest::collection::vec((-5.0..30.0_f64, 0.05..1.0_f64), 1..9), more in 0.1..5.0_f64
    ) {
        let (p, none) = probabilities(&strengths);
        prop_assert!(p.iter().all(|p| (0.0..=1.0).contains(p)) && (0.0..=1.0).contains(&none));
        prop_assert!(p.iter().sum::<f64>() + none <= 1.0 + 1e-9);
        let mut stronger = strengths.clone();
        stronger[0].0 += more;
        let (q, less) = probabilities(&stronger);
        prop_assert!(q[0] >= p[0] && less <= none);
    }

    #[test]
    fn frequencies_of_any_bearing_fit_together(n in 5_u32..25, ratio in 0.05..0.25_f64, angle in 0.0..40.0_f64) {
        let b = Bearing::new(n, ratio, 1.0, angle);
        prop_assume!(b.is_ok());
        let o = b.unwrap().orders();
        prop_assert!((o.outer + o.inner - f64::from(n)).abs() < 1e-9);
        prop_assert!((o.outer - f64::from(n) * o.cage).abs() < 1e-9);
        prop_assert!(o.cage < 0.5 && o.inner > o.outer);
    }
}
