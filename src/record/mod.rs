//! The record of a run: its folder, the events in it, and what they amount to.
//!
//! Invariants: each file has one writer (`run.jsonl` the runner, `events.jsonl` the worker); state is never stored
//! twice, it is folded; a reader takes whole lines only and ignores what it does not know.

pub mod compare;
pub mod confusion;
pub mod doctor;
pub mod error;
pub mod event;
pub mod export;
pub mod format;
pub mod gc;
pub mod life;
pub mod listing;
pub mod new_run;
pub mod run_dir;
pub mod runner_log;
pub mod seen;
pub mod select;
pub mod series;
pub mod settings;
pub mod state;
pub mod step_line;
pub mod steps;
pub mod store;
pub mod summary;
pub mod tail;
pub mod view;
pub mod watch;
pub mod words;
pub mod writer;

pub use error::Error;
pub use new_run::NewRun;
pub use run_dir::RunDir;
pub use state::RunState;
pub use store::Store;
pub use tail::Tail;
pub use view::StoreView;
pub use watch::Watcher;
pub use writer::Writer;
