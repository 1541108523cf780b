//! How the types of bodies and queries are defined.

/// Defines what a request may carry: fields that are `required`, fields that are `optional` (left out or null: `None`),
/// and fields of a change that null clears (`patch`, see [`Patch`](super::Patch)). `check` names a function
/// `fn(&T) -> Result<(), FieldFault>` over all fields; it runs when each field alone is good.
///
/// ```ignore
/// input! {
///     /// Body of `POST /machines`.
///     NewMachine {
///         required {
///             /// Name; need not be unique.
///             name: Text<1, 200>,
///         }
///         optional {
///             /// Where it stands.
///             location: Text<0, 2000>,
///         }
///     }
/// }
/// ```
macro_rules! input {
    () => {};
    // without required fields it has a default
    ($(#[$meta:meta])* $name:ident $(check $check:ident)? {
        $(optional { $($(#[$optional_meta:meta])* $optional:ident: $optional_type:ty,)* })?
        $(patch { $($(#[$patch_meta:meta])* $patch:ident: $patch_type:ty,)* })?
    } $($more:tt)*) => {
        $crate::input::input! { @define [Default] $(#[$meta])* $name $(check $check)? {
            required {}
            optional { $($($(#[$optional_meta])* $optional: $optional_type,)*)? }
            patch { $($($(#[$patch_meta])* $patch: $patch_type,)*)? }
        } }
        $crate::input::input! { $($more)* }
    };
    ($(#[$meta:meta])* $name:ident $(check $check:ident)? {
        required { $($(#[$required_meta:meta])* $required:ident: $required_type:ty,)* }
        $(optional { $($(#[$optional_meta:meta])* $optional:ident: $optional_type:ty,)* })?
        $(patch { $($(#[$patch_meta:meta])* $patch:ident: $patch_type:ty,)* })?
    } $($more:tt)*) => {
        $crate::input::input! { @define [] $(#[$meta])* $name $(check $check)? {
            required { $($(#[$required_meta])* $required: $required_type,)* }
            optional { $($($(#[$optional_meta])* $optional: $optional_type,)*)? }
            patch { $($($(#[$patch_meta])* $patch: $patch_type,)*)? }
        } }
        $crate::input::input! { $($more)* }
    };
    (@define [$($derive:ident)?] $(#[$meta:meta])* $name:ident $(check $check:ident)? {
        required { $($(#[$required_meta:meta])* $required:ident: $required_type:ty,)* }
        optional { $($(#[$optional_meta:meta])* $optional:ident: $optional_type:ty,)* }
        patch { $($(#[$patch_meta:meta])* $patch:ident: $patch_type:ty,)* }
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, deserr::Deserr $(, $derive)?)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[deserr(error = $crate::input::Faults $(, validate = $name::$check -> $crate::input::FieldFault)?)]
        pub struct $name {
            $($(#[$required_meta])* pub $required: $required_type,)*
            $(
                $(#[$optional_meta])*
                #[deserr(default)]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$optional_type>,
            )*
            $(
                $(#[$patch_meta])*
                #[deserr(default)]
                #[serde(skip_serializing_if = "Patch::is_absent")]
                pub $patch: Patch<$patch_type>,
            )*
        }

        $(impl $name {
            /// Checks the fields together.
            fn $check(self, _: deserr::ValuePointerRef<'_>) -> Result<Self, $crate::input::FieldFault> {
                $check(&self).map(|()| self)
            }
        })?
    };
}
pub(crate) use input;
