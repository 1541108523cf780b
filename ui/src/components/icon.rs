//! Our own line icons, 20 units square.

use leptos::prelude::*;

/// A drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after what it shows or stands for")]
pub enum Icon {
    Overview,
    Machine,
    Sensor,
    Prediction,
    Alarm,
    Ticket,
    System,
    User,
    Sun,
    Moon,
    Search,
    Close,
    Check,
    CheckAll,
    Critical,
    Warning,
    Info,
    Offline,
    Clock,
    More,
    Logout,
    Refresh,
    Copy,
    Zoom,
    Plus,
    Pause,
    Wrench,
    Robot,
    Report,
    Webhook,
    Settings,
    Users,
    Audit,
    Download,
    Clip,
    Send,
}

impl Icon {
    fn body(self) -> &'static str {
        match self {
            Self::Overview => r#"<path d="M3 3h6v8H3zM11 3h6v5h-6zM11 10h6v7h-6zM3 13h6v4H3z"/>"#,
            Self::Machine => r#"<path d="M3 17V8l5 3V8l5 3V4h4v13zM3 17h14"/><path d="M7 14h1M11 14h1"/>"#,
            Self::Sensor => r#"<path d="M2 10h3l2-5 4 10 2.500-7 1 2H18"/>"#,
            Self::Prediction => {
                r#"<path d="M3 15l4-5 3 3 3-5"/><path d="M13 8l4-4" stroke-dasharray="1.500 2"/><path d="M3 17.500h14"/>"#
            }
            Self::Alarm => r#"<path d="M5 14V9a5 5 0 0 1 10 0v5l1.500 1.500h-13zM8.500 18h3"/>"#,
            Self::Ticket => r#"<path d="M4 3h12v14H4z"/><path d="M7 7h6M7 10h6M7 13h3"/>"#,
            Self::System => {
                r#"<rect x="3" y="3.500" width="14" height="5" rx="1"/><rect x="3" y="11.500" width="14" height="5" rx="1"/><path d="M6 6h.01M6 14h.01M9 6h5M9 14h5"/>"#
            }
            Self::User => {
                r#"<circle cx="10" cy="7" r="3.200"/><path d="M3.500 17c.8-3.500 3.300-5 6.500-5s5.700 1.500 6.500 5"/>"#
            }
            Self::Sun => {
                r#"<circle cx="10" cy="10" r="3.200"/><path d="M10 2.500v2M10 15.500v2M2.500 10h2M15.500 10h2M4.700 4.700l1.400 1.400M13.900 13.900l1.400 1.400M15.300 4.700l-1.400 1.400M6.100 13.900l-1.400 1.400"/>"#
            }
            Self::Moon => r#"<path d="M16.500 12.300A7 7 0 0 1 7.700 3.500a7 7 0 1 0 8.800 8.800z"/>"#,
            Self::Search => r#"<circle cx="9" cy="9" r="5"/><path d="M13 13l4 4"/>"#,
            Self::Close => r#"<path d="M5 5l10 10M15 5L5 15"/>"#,
            Self::Check => r#"<path d="M4 10.500l4 4 8-9"/>"#,
            Self::CheckAll => r#"<path d="M2 10.500l4 4 7-9M9.500 14l.5.5 8-9"/>"#,
            Self::Critical => {
                r#"<path d="M6.700 2h6.600L18 6.700v6.600L13.300 18H6.700L2 13.300V6.700z" fill="currentColor"/><path d="M10 5.800v5M10 13.800h.01" stroke="var(--on-signal)" stroke-width="2"/>"#
            }
            Self::Warning => {
                r#"<path d="M10 2.500l8 14.500H2z" fill="currentColor" stroke-linejoin="round"/><path d="M10 8v4M10 14.500h.01" stroke="var(--on-signal)" stroke-width="1.800"/>"#
            }
            Self::Info => r#"<circle cx="10" cy="10" r="7.500"/><path d="M10 9v5M10 6h.01"/>"#,
            Self::Offline => {
                r#"<path d="M3 3l14 14M5.500 12a6.400 6.400 0 0 1 3-1.700M2.500 9a10.500 10.500 0 0 1 4-2.400M10 6a10.500 10.500 0 0 1 7.500 3M12.500 10.600a6.400 6.400 0 0 1 2 1.400M10 15.500h.01"/>"#
            }
            Self::Clock => r#"<circle cx="10" cy="10" r="7"/><path d="M10 6v4l2.500 2"/>"#,
            Self::More => r#"<path d="M3 6h14M3 10h14M3 14h14"/>"#,
            Self::Logout => r#"<path d="M12 4H5v12h7M9 10h8M14 7l3 3-3 3"/>"#,
            Self::Refresh => r#"<path d="M16 10a6 6 0 1 1-2-4.500L16 7.500M16 3.500v4h-4"/>"#,
            Self::Copy => {
                r#"<rect x="7" y="7" width="9.500" height="9.500" rx="1.500"/><path d="M4.500 13h-1V3.500H13v1"/>"#
            }
            Self::Zoom => r#"<path d="M3 8V3h5M17 12v5h-5M3 12v5h5M17 8V3h-5"/>"#,
            Self::Plus => r#"<path d="M10 4v12M4 10h12"/>"#,
            Self::Pause => r#"<path d="M7 5v10M13 5v10"/>"#,
            Self::Wrench => {
                r#"<path d="M12.500 3.200a4.200 4.200 0 0 0-4.300 5.600L3 14l3 3 5.200-5.200a4.200 4.200 0 0 0 5.600-4.300L14.300 10 11 9l-1-3.300z"/>"#
            }
            Self::Report => {
                r#"<path d="M5 2.500h7l3.500 3.500V17.500H5z"/><path d="M8 14v-3M10.500 14V8.500M13 14v-2"/>"#
            }
            Self::Webhook => {
                r#"<circle cx="5" cy="14" r="2.500"/><circle cx="15" cy="14" r="2.500"/><circle cx="10" cy="5" r="2.500"/><path d="M8.700 7.200 6.200 11.800M7.500 14h5M11.300 7.200l2.500 4.600"/>"#
            }
            Self::Settings => {
                r#"<path d="M3 6h8M15 6h2M3 14h2M9 14h8"/><circle cx="13" cy="6" r="2"/><circle cx="7" cy="14" r="2"/>"#
            }
            Self::Users => {
                r#"<circle cx="7.500" cy="7" r="2.800"/><path d="M2 16.500c.7-3.200 2.800-4.500 5.500-4.500s4.800 1.300 5.500 4.500"/><path d="M13 4.500a2.800 2.800 0 0 1 0 5.200M15 12.300c1.700.6 2.700 1.900 3.100 4.200"/>"#
            }
            Self::Audit => {
                r#"<path d="M4 2.500h9v15H4z"/><path d="M6.500 6.500h4M6.500 9.500h4M6.500 12.500h2"/><path d="M16 6v8l-1 2-1-2V6z"/>"#
            }
            Self::Download => r#"<path d="M10 3v9M6 8.500l4 4 4-4M4 16.500h12"/>"#,
            Self::Clip => {
                r#"<path d="M14.500 9.500l-5 5a3 3 0 0 1-4.300-4.300l6-6a2 2 0 0 1 2.900 2.900l-5.600 5.600a1 1 0 0 1-1.400-1.400l4.700-4.700"/>"#
            }
            Self::Send => r#"<path d="M3 10l14-6-4 13-3.500-5.500z"/><path d="M9.500 11.500L17 4"/>"#,
            Self::Robot => {
                r#"<rect x="4" y="7" width="12" height="9" rx="2"/><path d="M10 4v3M7.500 11h.01M12.500 11h.01M8 13.500h4"/>"#
            }
        }
    }

    /// The drawing in a `class`, hidden from screen readers: the text beside it says the same.
    #[must_use]
    pub fn with_class(self, class: &'static str) -> AnyView {
        let class = format!("icon {class}");
        view! {
            <svg
                class=class
                viewBox="0 0 20 20"
                width="20"
                height="20"
                fill="none"
                stroke="currentColor"
                stroke-width="1.6"
                stroke-linecap="round"
                stroke-linejoin="round"
                aria-hidden="true"
                inner_html=self.body()
            ></svg>
        }
        .into_any()
    }

    /// The drawing.
    #[must_use]
    pub fn view(self) -> AnyView {
        self.with_class("")
    }
}
