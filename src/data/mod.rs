//! Datasets: pictures in folders, decoded, resized, augmented and preprocessed on threads ahead of training; texts in
//! tables or folders, taken apart into tokens.
//!
//! Invariants: what the loader yields is a function of (files, recipe, draws) alone, never of the number of threads or
//! of timing; labels are indices into the sorted class names; after [`Dataset::index`] every class has at least one
//! usable sample on each side. Nothing here knows Candle: a batch is plain numbers with their shape.

pub mod augment;
mod class_folders;
pub mod decode;
mod error;
mod extent;
mod file;
mod fixtures;
mod length_buckets;
mod loader;
mod picture_index;
mod prefetch;
pub mod preprocess;
pub mod resize;
mod samples;
mod split;
pub mod survey;
mod text_folder;
mod text_index;
mod text_table;
mod token_batch;
mod tokenizer;

pub use class_folders::Kind;
pub use error::Error;
pub use extent::Extent;
pub use length_buckets::by_length;
pub use loader::{Batch, Batches, Draw, Loader, Recipe};
pub use samples::{Dataset, Picture, Samples, Skipped, Text};
pub use survey::{Survey, class_names};
pub use token_batch::TokenBatch;
pub use tokenizer::Tokenizer;

/// `asked` threads, or for 0 as many as compute: those of the run's share. Both are busy at once only for moments, since one
/// side waits for the other.
fn threads(asked: usize) -> usize {
    match asked {
        0 => rayon::current_num_threads(),
        n => n,
    }
}
