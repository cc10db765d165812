//! (being built)
pub struct Options { pub start: crate::runner::StartOptions, pub selected: Option<crate::base::id::RunId> }
pub fn run(_store: crate::record::Store, _options: Options) -> Result<(), std::io::Error> { Ok(()) }
