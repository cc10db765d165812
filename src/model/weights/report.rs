//! What became of every tensor of a network.

use std::fmt;

use crate::experiment::Preprocessing;

/// Where weights come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Drawn by the seed.
    Seed,
    /// From here, in words.
    At(String),
    /// From there, where they still are: nothing is at hand.
    Away(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Seed => f.write_str("the seed"),
            Origin::At(place) | Origin::Away(place) => f.write_str(place),
        }
    }
}

/// Where weights came from, and what was made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightReport {
    pub origin: Origin,
    /// Tensors that were there.
    pub loaded: Vec<String>,
    /// Tensors drawn by the seed (the head's; all with random weights).
    pub initialized: Vec<String>,
    /// Floating-point tensors that the network does not have, such as the old output layer, by the name in their file.
    pub unused: Vec<String>,
    /// Those of them that are of layers like the backbone's: their names differ in numbers alone from some that were taken.
    pub left_out: Vec<String>,
    /// What the weights say, or the names of their tensors, that they want as input, whatever is done.
    pub preprocessing: Option<Preprocessing>,
}

impl WeightReport {
    pub(crate) fn new(origin: Origin) -> WeightReport {
        WeightReport {
            origin,
            loaded: vec![],
            initialized: vec![],
            unused: vec![],
            left_out: vec![],
            preprocessing: None,
        }
    }
}

/// In one line.
impl fmt::Display for WeightReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WeightReport { origin, loaded, initialized, unused, .. } = self;
        match origin {
            Origin::Seed => write!(f, "{} tensors drawn by the seed: nothing is pretrained", initialized.len()),
            Origin::Away(place) => write!(f, "would be downloaded from {place}"),
            Origin::At(place) => {
                write!(f, "{} tensors from {place}", loaded.len())?;
                if !initialized.is_empty() {
                    write!(f, ", {} new ({})", initialized.len(), some(initialized))?;
                }
                if !unused.is_empty() {
                    write!(f, "; {} not used: {}", unused.len(), some(unused))?;
                }
                Ok(())
            }
        }
    }
}

/// The first few of many.
pub(crate) fn some(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len() {
        0..=SHOWN => names.join(", "),
        n => format!("{}, and {} more", names[..SHOWN].join(", "), n - SHOWN),
    }
}
