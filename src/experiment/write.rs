//! `resolved.yaml`: an experiment with every default filled in, itself a valid experiment file.

use serde_yaml::with::singleton_map_recursive;

use super::Experiment;

impl Experiment {
    /// The experiment as YAML. [`super::parse()`] reads it back as an equal one, wherever the file lies: its paths are
    /// absolute.
    pub fn to_yaml(&self) -> String {
        let mut bytes = Vec::new();
        let written = singleton_map_recursive::serialize(self, &mut serde_yaml::Serializer::new(&mut bytes));
        debug_assert!(written.is_ok(), "an experiment is made of texts, numbers and UTF-8 paths: {written:?}");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
