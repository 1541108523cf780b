//! Types and error codes shared by functions, bridge and UI.
