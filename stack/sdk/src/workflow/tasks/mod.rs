//! The thirteen kinds of tasks. Each builder becomes a [`Task`](super::Task) when it is added to a
//! workflow or put into another task.

mod agent_call;
mod call;
mod event;
mod for_each;
mod fork;
mod http_call;
mod raise;
mod set;
mod switch;
mod try_catch;

pub use agent_call::AgentCall;
pub use call::{CallActivity, GrpcCall, Run};
pub use event::{Listen, Wait};
pub use for_each::ForEach;
pub use fork::Fork;
pub use http_call::HttpCall;
pub use raise::Raise;
pub use set::Set;
pub use switch::Switch;
pub use try_catch::TryCatch;

/// Makes builders of drafts tasks.
macro_rules! becomes_task {
    ($($builder:ident),*) => {$(
        impl From<$builder> for $crate::Task {
            fn from(builder: $builder) -> Self {
                builder.0.into()
            }
        }
    )*};
}

use becomes_task;
