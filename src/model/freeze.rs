//! Which layers an experiment's `trainable:` means.

use globset::Glob;

use super::error::Error;
use super::layer::Layer;
use crate::base::text::most_alike;
use crate::experiment::Trainable;

/// For each of `layers`, whether `trainable` lets it learn. The head does, except with `none`.
pub(crate) fn selection(layers: &[Layer], trainable: &Trainable) -> Result<Vec<bool>, Error> {
    let backbone = layers.iter().take_while(|layer| layer.is_backbone()).count();
    let from = |first: usize| (0..layers.len()).map(|i| i >= first).collect();
    Ok(match trainable {
        Trainable::All => from(0),
        Trainable::None => from(layers.len()),
        // more learns later, as `blocks::stretches` says
        Trainable::Head | Trainable::Gradual { .. } => from(backbone),
        Trainable::LastLayers(asked) => match backbone.checked_sub(*asked) {
            Some(first) => from(first),
            None => return Err(Error::TooManyLayers { asked: *asked, there: backbone }),
        },
        Trainable::From(name) => match layers[..backbone].iter().position(|layer| layer.name() == name) {
            Some(first) => from(first),
            None => return Err(unknown(name, &layers[..backbone])),
        },
        Trainable::Names(patterns) => {
            let mut chosen: Vec<bool> = from(backbone);
            for pattern in patterns {
                choose(pattern, &layers[..backbone], &mut chosen)?;
            }
            chosen
        }
    })
}

/// Marks the layers whose names match `pattern`; at least one of them must have something to learn.
fn choose(pattern: &str, backbone: &[Layer], chosen: &mut [bool]) -> Result<(), Error> {
    matching(pattern, backbone)?.into_iter().for_each(|i| chosen[i] = true);
    Ok(())
}

/// Which of `layers` have names that match `pattern`: at least one that has something to learn.
pub(crate) fn matching(pattern: &str, layers: &[Layer]) -> Result<Vec<usize>, Error> {
    let glob = Glob::new(pattern)
        .map_err(|e| Error::BadPattern { pattern: pattern.to_owned(), reason: e.kind().to_string() })?
        .compile_matcher();
    let matching: Vec<usize> = (0..layers.len()).filter(|&i| glob.is_match(layers[i].name())).collect();
    if matching.is_empty() && !pattern.contains(['*', '?', '[', '{']) {
        return Err(unknown(pattern, layers));
    }
    if matching.iter().all(|&i| layers[i].learnable_count() == 0) {
        return Err(Error::NothingMatches { pattern: pattern.to_owned(), known: names(layers) });
    }
    Ok(matching)
}

fn names(layers: &[Layer]) -> Vec<String> {
    layers.iter().map(|layer| layer.name().to_owned()).collect()
}

fn unknown(name: &str, backbone: &[Layer]) -> Error {
    let known = names(backbone);
    let nearest = most_alike(name, known.iter().map(String::as_str)).map(str::to_owned);
    Error::UnknownLayer { name: name.to_owned(), nearest, known }
}
