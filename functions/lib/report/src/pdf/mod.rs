//! The document: A4, a title block, figures, tables with repeated headers, charts, page numbers, an outline.

mod chart;
mod deflate;
mod document;
mod font;
mod sheet;
mod table;
mod timeline;

pub use document::pdf;
