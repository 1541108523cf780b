//! `spin:variables@3.0.0`: the component's own variables.

use super::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use super::guest::Guest;
use super::manifest::is_variable_name;
use wasmtime::Result;
use wasmtime::component::{Accessor, HasSelf};

impl Host for Guest {}

impl<T: 'static> HostWithStore<T> for HasSelf<Guest> {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<Result<String, Error>> {
        if !is_variable_name(&name) {
            return Ok(Err(Error::InvalidName(format!("{name:?} is not lower_snake_case"))));
        }
        let info = accessor.with(|mut access| access.get().info.clone());
        let undefined = || Error::Undefined(format!("no variable for {:?}.{name:?}", info.id));
        Ok(info.variables.get(&name).cloned().ok_or_else(undefined))
    }
}
