//! Pages in progress. Positions are points from the top left corner; `y` of a text is its baseline.

use super::{
    deflate::deflate,
    font::{Fonts, Weight},
};
use crate::RenderError;
use pdf_writer::{Content, Date, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr, types::LineCapStyle};
use pm_api::Timestamp;

/// Width of A4.
pub(super) const WIDTH: f32 = 595.28;
/// Height of A4.
pub(super) const HEIGHT: f32 = 841.89;
/// Left and right margin.
pub(super) const MARGIN: f32 = 48.0;
/// Where content begins on pages but the first.
const TOP: f32 = 64.0;
/// Where content ends.
pub(super) const BOTTOM: f32 = HEIGHT - 58.0;
/// Width of the content.
pub(super) const INNER: f32 = WIDTH - 2.0 * MARGIN;

/// Red, green, blue; 0 to 1.
pub(super) type Color = (f32, f32, f32);
pub(super) const INK: Color = (0.11, 0.14, 0.18);
pub(super) const FAINT: Color = (0.38, 0.42, 0.47);
pub(super) const RULE: Color = (0.82, 0.84, 0.87);
pub(super) const SHADE: Color = (0.955, 0.963, 0.972);
pub(super) const ACCENT: Color = (0.05, 0.29, 0.46);
pub(super) const BAND: Color = (0.80, 0.88, 0.94);
pub(super) const WARNING: Color = (0.76, 0.47, 0.0);
pub(super) const CRITICAL: Color = (0.75, 0.11, 0.13);

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) weight: Weight,
    pub(super) size: f32,
    pub(super) color: Color,
}

/// Regular text.
pub(super) const fn plain(size: f32, color: Color) -> Style {
    Style { weight: Weight::Regular, size, color }
}

/// Bold text.
pub(super) const fn bold(size: f32, color: Color) -> Style {
    Style { weight: Weight::Bold, size, color }
}

/// A document in progress.
pub(super) struct Sheet {
    fonts: Fonts,
    pages: Vec<Content>,
    marks: Vec<(String, usize, f32)>,
    /// How far the current page is filled.
    pub(super) y: f32,
}

impl Sheet {
    pub(super) fn new() -> Result<Self, RenderError> {
        Ok(Self { fonts: Fonts::new()?, pages: vec![Content::new()], marks: Vec::new(), y: MARGIN })
    }

    /// Height left on the page, points.
    pub(super) fn room(&self) -> f32 {
        BOTTOM - self.y
    }

    /// Begins a new page unless the page has room for `height`; true if it did.
    pub(super) fn reserve(&mut self, height: f32) -> bool {
        let full = self.room() < height && self.y > TOP;
        if full {
            self.pages.push(Content::new());
            self.y = TOP;
        }
        full
    }

    /// An entry of the outline that leads to the current place.
    pub(super) fn mark(&mut self, title: &str) {
        self.marks.push((title.to_owned(), self.pages.len() - 1, self.y));
    }

    fn page(&mut self) -> Option<&mut Content> {
        self.pages.last_mut()
    }

    pub(super) fn width(&self, text: &str, style: Style) -> f32 {
        self.fonts.get(style.weight).width(text, style.size)
    }

    pub(super) fn text(&mut self, x: f32, y: f32, style: Style, text: &str) {
        self.text_on(self.pages.len() - 1, x, y, style, text);
    }

    fn text_on(&mut self, page: usize, x: f32, y: f32, style: Style, text: &str) {
        let glyphs = self.fonts.get_mut(style.weight).encode(text);
        let Some(content) = self.pages.get_mut(page) else { return };
        let name = if style.weight == Weight::Bold { Name(b"B") } else { Name(b"R") };
        let (r, g, b) = style.color;
        content
            .set_fill_rgb(r, g, b)
            .begin_text()
            .set_font(name, style.size)
            .set_text_matrix([1.0, 0.0, 0.0, 1.0, x, HEIGHT - y])
            .show(Str(&glyphs))
            .end_text();
    }

    /// A text that ends at `x`.
    pub(super) fn text_to(&mut self, x: f32, y: f32, style: Style, text: &str) {
        self.text(x - self.width(text, style), y, style, text);
    }

    /// The longest beginning of a text that fits, with an ellipsis if it is not all.
    pub(super) fn fitted(&self, text: &str, style: Style, width: f32) -> String {
        if self.width(text, style) <= width {
            return text.to_owned();
        }
        let mut out = String::new();
        let mut used = self.width("…", style);
        for c in text.chars() {
            used += self.width(c.encode_utf8(&mut [0; 4]), style);
            if used > width {
                break;
            }
            out.push(c);
        }
        format!("{}…", out.trim_end())
    }

    /// Breaks a text into at most `most` lines, between words where that is possible.
    pub(super) fn wrapped(&self, text: &str, style: Style, width: f32, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer, style) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            // a word that is longer than a line is broken anywhere
            for c in word.chars() {
                line.push(c);
                if self.width(&line, style) > width && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, c.to_string()));
                }
            }
            if lines.len() > most {
                break;
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        if lines.len() > most {
            let rest = lines.split_off(most.saturating_sub(1)).join(" ");
            lines.push(self.fitted(&format!("{rest}…"), style, width));
        }
        lines
    }

    pub(super) fn fill(&mut self, (x, y): (f32, f32), width: f32, height: f32, (r, g, b): Color) {
        if let Some(page) = self.page() {
            page.set_fill_rgb(r, g, b).rect(x, HEIGHT - y - height, width, height).fill_nonzero();
        }
    }

    pub(super) fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, color: Color, dash: &[f32]) {
        self.path(&[from, to], width, color, dash);
    }

    pub(super) fn path(&mut self, points: &[(f32, f32)], width: f32, (r, g, b): Color, dash: &[f32]) {
        let (Some(page), Some(((x, y), rest))) = (self.pages.last_mut(), points.split_first()) else {
            return;
        };
        page.set_stroke_rgb(r, g, b)
            .set_line_width(width)
            .set_line_cap(if dash.is_empty() && points.len() > 2 {
                LineCapStyle::RoundCap
            } else {
                LineCapStyle::ButtCap
            })
            .set_dash_pattern(dash.iter().copied(), 0.0)
            .move_to(*x, HEIGHT - y);
        for (x, y) in rest {
            page.line_to(*x, HEIGHT - y);
        }
        page.stroke();
    }

    /// A filled area.
    pub(super) fn area(&mut self, points: &[(f32, f32)], (r, g, b): Color) {
        let (Some(page), Some(((x, y), rest))) = (self.pages.last_mut(), points.split_first()) else {
            return;
        };
        page.set_fill_rgb(r, g, b).move_to(*x, HEIGHT - y);
        for (x, y) in rest {
            page.line_to(*x, HEIGHT - y);
        }
        page.close_path().fill_nonzero();
    }

    /// The document, with `running` and page numbers at the foot of its pages.
    pub(super) fn finish(
        mut self,
        title: &str,
        author: &str,
        running: &str,
        at: Timestamp,
    ) -> Result<Vec<u8>, RenderError> {
        let total = self.pages.len();
        for page in 0..total {
            let (style, y) = (plain(7.5, FAINT), HEIGHT - 34.0);
            let number = format!("Page {} of {total}", page + 1);
            let running = self.fitted(running, style, INNER - 80.0);
            self.text_on(page, MARGIN, y, style, &running);
            let x = WIDTH - MARGIN - self.width(&number, style);
            self.text_on(page, x, y, style, &number);
        }
        let mut last = 0;
        let mut next = move || {
            last += 1;
            Ref::new(last)
        };
        let (catalog, tree, info, regular, bold) = (next(), next(), next(), next(), next());
        let mut pdf = Pdf::new();
        let pages: Vec<_> = (0..total).map(|_| next()).collect();
        for (content, page) in std::mem::take(&mut self.pages).into_iter().zip(&pages) {
            let stream = next();
            let mut p = pdf.page(*page);
            p.parent(tree).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(stream);
            p.resources().fonts().pair(Name(b"R"), regular).pair(Name(b"B"), bold);
            p.finish();
            pdf.stream(stream, &deflate(&content.finish())).filter(Filter::FlateDecode);
        }
        pdf.pages(tree).kids(pages.iter().copied()).count(i32::try_from(total).unwrap_or(i32::MAX));
        self.fonts.get(Weight::Regular).write(&mut pdf, regular, &mut next)?;
        self.fonts.get(Weight::Bold).write(&mut pdf, bold, &mut next)?;
        let outline = outline(&mut pdf, &self.marks, &pages, &mut next);
        let mut c = pdf.catalog(catalog);
        c.pages(tree).lang(TextStr("en"));
        if let Some(outline) = outline {
            c.outlines(outline);
        }
        c.viewer_preferences().display_doc_title(true);
        c.finish();
        let local = crate::format::Zone(0).local(at);
        let date = Date::new(u16::try_from(local.year()).unwrap_or_default())
            .month(local.month().into())
            .day(local.day())
            .hour(local.hour())
            .minute(local.minute())
            .second(local.second())
            .utc_offset_hour(0)
            .utc_offset_minute(0);
        pdf.document_info(info)
            .title(TextStr(title))
            .author(TextStr(author))
            .creator(TextStr("Predictive maintenance"))
            .creation_date(date);
        Ok(pdf.finish())
    }
}

fn outline(
    pdf: &mut Pdf,
    marks: &[(String, usize, f32)],
    pages: &[Ref],
    next: &mut impl FnMut() -> Ref,
) -> Option<Ref> {
    let root = next();
    let items: Vec<_> = marks.iter().map(|_| next()).collect();
    let (first, last) = (*items.first()?, *items.last()?);
    pdf.outline(root).first(first).last(last).count(i32::try_from(items.len()).unwrap_or(i32::MAX));
    for (i, (title, page, y)) in marks.iter().enumerate() {
        let mut item = pdf.outline_item(*items.get(i)?);
        item.title(TextStr(title)).parent(root);
        if let Some(before) = i.checked_sub(1).and_then(|i| items.get(i)) {
            item.prev(*before);
        }
        if let Some(after) = items.get(i + 1) {
            item.next(*after);
        }
        item.dest().page(*pages.get(*page)?).xyz(0.0, HEIGHT - y + 16.0, None);
    }
    Some(root)
}
