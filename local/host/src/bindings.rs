//! Generated from the folder `wit`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "pm:local/imports",
    imports: { default: async | trappable },
    with: {
        "spin:postgres/postgres.connection": crate::connection::Connection,
        "spin:postgres/postgres.connection-builder": crate::connection::ConnectionBuilder,
    },
});
