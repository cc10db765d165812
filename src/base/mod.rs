//! What every room stands on. Nothing here knows of experiments, Candle or terminals.

pub mod clock;
pub mod durable;
pub mod fault;
pub mod id;
pub mod machine;
pub mod random;
pub mod text;
