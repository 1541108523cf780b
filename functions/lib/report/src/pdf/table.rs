//! Tables that flow over pages.

use super::sheet::{
    ACCENT, CRITICAL, Color, FAINT, INK, INNER, MARGIN, RULE, SHADE, Sheet, WARNING, bold, plain,
};

const SIZE: f32 = 7.6;
const LEADING: f32 = 10.0;
const PADDING: f32 = 3.2;
const GUTTER: f32 = 7.0;

/// A column: title, share of the width, whether its cells end at its right edge.
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) share: f32,
    pub(super) right: bool,
}

/// A column of texts.
pub(super) const fn left(title: &'static str, share: f32) -> Column {
    Column { title, share, right: false }
}

/// A column of numbers.
pub(super) const fn right(title: &'static str, share: f32) -> Column {
    Column { title, share, right: true }
}

/// A cell.
pub(super) struct Cell {
    text: String,
    color: Color,
    strong: bool,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), color: INK, strong: false }
    }
}

impl Cell {
    /// A cell in a fainter colour.
    pub(super) fn faint(text: impl Into<String>) -> Self {
        Self { text: text.into(), color: FAINT, strong: false }
    }

    /// A cell in the colour of its severity.
    pub(super) fn graded(text: impl Into<String>, critical: bool, warning: bool) -> Self {
        let color = if critical {
            CRITICAL
        } else if warning {
            WARNING
        } else {
            INK
        };
        Self { text: text.into(), color, strong: critical || warning }
    }
}

/// Draws a table from the current position on; its header is repeated on each page.
pub(super) fn table(
    sheet: &mut Sheet,
    columns: &[Column],
    rows: impl IntoIterator<Item = Vec<Cell>>,
    most_lines: usize,
) {
    let all: f32 = columns.iter().map(|c| c.share).sum();
    let room = INNER - GUTTER * columns.len().saturating_sub(1) as f32;
    let widths: Vec<f32> = columns.iter().map(|c| c.share / all * room).collect();
    header(sheet, columns, &widths);
    for (number, row) in rows.into_iter().enumerate() {
        let lines: Vec<Vec<String>> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| {
                let style = if cell.strong { bold(SIZE, INK) } else { plain(SIZE, INK) };
                sheet.wrapped(&cell.text, style, *width, most_lines)
            })
            .collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or(1) as f32 * LEADING + 2.0 * PADDING;
        if sheet.reserve(height) {
            header(sheet, columns, &widths);
        }
        if number % 2 == 1 {
            sheet.fill((MARGIN - 4.0, sheet.y), INNER + 8.0, height, SHADE);
        }
        let mut x = MARGIN;
        for (((column, width), cell), lines) in columns.iter().zip(&widths).zip(&row).zip(&lines) {
            let style = if cell.strong { bold(SIZE, cell.color) } else { plain(SIZE, cell.color) };
            for (i, line) in lines.iter().enumerate() {
                let y = sheet.y + PADDING + 7.6 + i as f32 * LEADING;
                if column.right {
                    sheet.text_to(x + width, y, style, line);
                } else {
                    sheet.text(x, y, style, line);
                }
            }
            x += width + GUTTER;
        }
        sheet.y += height;
    }
    let y = sheet.y;
    sheet.line((MARGIN - 4.0, y), (MARGIN + INNER + 4.0, y), 0.5, RULE, &[]);
    sheet.y += 10.0;
}

fn header(sheet: &mut Sheet, columns: &[Column], widths: &[f32]) {
    let style = bold(SIZE - 0.4, ACCENT);
    let titles: Vec<_> =
        columns.iter().zip(widths).map(|(c, width)| sheet.wrapped(c.title, style, *width, 2)).collect();
    let height = titles.iter().map(Vec::len).max().unwrap_or(1) as f32 * 9.0 + 7.0;
    sheet.reserve(height + 40.0);
    let bottom = sheet.y + height;
    let mut x = MARGIN;
    for ((column, width), lines) in columns.iter().zip(widths).zip(&titles) {
        for (i, line) in lines.iter().rev().enumerate() {
            let y = bottom - 4.5 - i as f32 * 9.0;
            if column.right {
                sheet.text_to(x + width, y, style, line);
            } else {
                sheet.text(x, y, style, line);
            }
        }
        x += width + GUTTER;
    }
    sheet.line((MARGIN - 4.0, bottom), (MARGIN + INNER + 4.0, bottom), 0.9, ACCENT, &[]);
    sheet.y = bottom;
}
