//! Widgets that several pages use.

pub mod badge;
pub mod brand;
pub mod confirm;
pub mod drawer;
pub mod form;
pub mod help;
pub mod icon;
pub mod loaded;
pub mod pager;
pub mod palette;
pub mod picker;
pub mod rows;
pub mod time;
pub mod toast;
pub mod undo;
