//! The two embedded fonts: widths of texts, and the glyphs that a document uses.

use super::deflate::deflate;
use crate::RenderError;
use pdf_writer::{
    Filter, Finish, Name, Pdf, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;
use ttf_parser::Face;

const REGULAR: &[u8] = include_bytes!("../../fonts/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/NotoSans-Bold.ttf");
const IDENTITY: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
const REPLACEMENT: char = '\u{fffd}';

/// A weight of the one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Both weights.
pub(super) struct Fonts {
    regular: Font,
    bold: Font,
}

impl Fonts {
    pub(super) fn new() -> Result<Self, RenderError> {
        Ok(Self {
            regular: Font::new(REGULAR, b"AAAAAA+NotoSans")?,
            bold: Font::new(BOLD, b"AAAAAB+NotoSans-Bold")?,
        })
    }

    pub(super) fn get(&self, weight: Weight) -> &Font {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    pub(super) fn get_mut(&mut self, weight: Weight) -> &mut Font {
        match weight {
            Weight::Regular => &mut self.regular,
            Weight::Bold => &mut self.bold,
        }
    }
}

/// One weight.
pub(super) struct Font {
    data: &'static [u8],
    name: &'static [u8],
    face: Face<'static>,
    remapper: GlyphRemapper,
    used: BTreeMap<u16, (char, f32)>,
}

impl Font {
    fn new(data: &'static [u8], name: &'static [u8]) -> Result<Self, RenderError> {
        let face = Face::parse(data, 0).map_err(|e| RenderError::Font(e.to_string()))?;
        Ok(Self { data, name, face, remapper: GlyphRemapper::new(), used: BTreeMap::new() })
    }

    /// The glyph of a character, the character that it stands for, its width in thousandths of the size.
    fn glyph(&self, c: char) -> (u16, char, f32) {
        let c = if c.is_control() { ' ' } else { c };
        let found = self.face.glyph_index(c).map(|g| (g, c));
        let (glyph, c) =
            found.unwrap_or((self.face.glyph_index(REPLACEMENT).unwrap_or_default(), REPLACEMENT));
        let advance = self.face.glyph_hor_advance(glyph).unwrap_or(500);
        (glyph.0, c, f32::from(advance) * 1000.0 / f32::from(self.face.units_per_em()))
    }

    /// Width of a text, points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.glyph(c).2).sum::<f32>() * size / 1000.0
    }

    /// The text as glyph ids of the subset that will be embedded.
    pub(super) fn encode(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 * text.len());
        for c in text.chars() {
            let (glyph, c, width) = self.glyph(c);
            let glyph = self.remapper.remap(glyph);
            self.used.entry(glyph).or_insert((c, width));
            bytes.extend(glyph.to_be_bytes());
        }
        bytes
    }

    /// Writes the font with the glyphs in use; takes five references.
    pub(super) fn write(
        &self,
        pdf: &mut Pdf,
        font: Ref,
        mut next: impl FnMut() -> Ref,
    ) -> Result<(), RenderError> {
        let (cid, descriptor, cmap, file) = (next(), next(), next(), next());
        let subset =
            subsetter::subset(self.data, 0, &self.remapper).map_err(|e| RenderError::Font(e.to_string()))?;
        pdf.type0_font(font)
            .base_font(Name(self.name))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(cmap);
        let mut cid_font = pdf.cid_font(cid);
        cid_font
            .subtype(CidFontType::Type2)
            .base_font(Name(self.name))
            .system_info(IDENTITY)
            .font_descriptor(descriptor)
            .default_width(0.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = cid_font.widths();
        for (glyph, (_, width)) in &self.used {
            widths.consecutive(*glyph, [*width]);
        }
        widths.finish();
        cid_font.finish();
        let scale = 1000.0 / f32::from(self.face.units_per_em());
        let scaled = |units: i16| f32::from(units) * scale;
        let bounds = self.face.global_bounding_box();
        pdf.font_descriptor(descriptor)
            .name(Name(self.name))
            .flags(FontFlags::NON_SYMBOLIC)
            .bbox(Rect::new(
                scaled(bounds.x_min),
                scaled(bounds.y_min),
                scaled(bounds.x_max),
                scaled(bounds.y_max),
            ))
            .italic_angle(0.0)
            .ascent(scaled(self.face.ascender()))
            .descent(scaled(self.face.descender()))
            .cap_height(scaled(self.face.capital_height().unwrap_or(714)))
            .stem_v(if self.name.ends_with(b"Bold") { 140.0 } else { 80.0 })
            .font_file2(file);
        let mut to_unicode = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
        for (glyph, (c, _)) in &self.used {
            to_unicode.pair(*glyph, *c);
        }
        pdf.cmap(cmap, &to_unicode.finish());
        let compressed = deflate(&subset);
        pdf.stream(file, &compressed)
            .filter(Filter::FlateDecode)
            .pair(Name(b"Length1"), i32::try_from(subset.len()).unwrap_or(i32::MAX));
        Ok(())
    }
}
