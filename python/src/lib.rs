//! The native half of the Python package: a store, its answers as Arrow, and a queue in front of it. Everything that
//! a user of Python meets is in the folder `daybook`.

mod batches;
mod elsewhere;
mod failure;
mod limits;
mod queue;
mod sources;
mod store;
mod upkeep;
mod values;
mod work;

use pyo3::prelude::*;

/// The module `daybook._daybook`.
#[pymodule(name = "_daybook")]
mod module {
    #[pymodule_export]
    use crate::batches::Batches;
    #[pymodule_export]
    use crate::queue::Queue;
    #[pymodule_export]
    use crate::store::{NativeStore, version};
    #[pymodule_export]
    use crate::values::encode;
}
