//! Hands out a network's tensors while it is built: pretrained ones by whatever name their file has for them, new ones
//! drawn by the seed.

use std::collections::BTreeSet;

use candle_core::op::BackpropOp;
use candle_core::{CpuStorage, DType, Device, Storage, Tensor, Var};

use super::super::error::{Error, Misfit};
use super::super::lora::{Adapter, Plan};
use super::checkpoint::Checkpoint;
use super::found::{Found, Tensors};
use super::init::Init;
use super::names::Style;
use super::report::WeightReport;
use super::stored::{Number, Stored};
use crate::experiment::{Backbone, Lora, Preprocessing};

/// Where a network's tensors come from.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    backbone: Backbone,
    tensors: Tensors,
    /// How the file names its tensors, once one was found.
    style: Option<Style>,
    /// Names in the file that were asked for.
    used: BTreeSet<String>,
    seed: u64,
    device: &'a Device,
    report: WeightReport,
    misfit: Misfit,
    /// Which matrices get an adapter.
    lora: Option<Plan>,
}

impl<'a> Source<'a> {
    /// Opens what was found.
    ///
    /// # Errors
    /// Where a file cannot be read or is none of weights.
    pub fn open(found: &Found, backbone: Backbone, seed: u64, device: &'a Device) -> Result<Source<'a>, Error> {
        let report = WeightReport::new(found.origin().clone());
        let (style, used) = (None, BTreeSet::new());
        let tensors = found.tensors()?;
        Ok(Source { backbone, tensors, style, used, seed, device, report, misfit: Misfit::default(), lora: None })
    }

    /// The same with adapters as `lora` says. Where the whole network was found they are part of it already.
    ///
    /// # Errors
    /// Where a pattern of it is none.
    pub fn adapting(self, lora: Option<&Lora>) -> Result<Source<'a>, Error> {
        let is_whole = matches!(self.tensors, Tensors::Pretrained { has_head: true, .. });
        let lora = lora.filter(|_| !is_whole).map(Plan::new).transpose()?;
        Ok(Source { lora, ..self })
    }

    /// The adapter of the matrix `name`, `[outputs, inputs]`, if it gets one.
    pub fn adapter(&mut self, name: &str, (inputs, outputs): (usize, usize)) -> Result<Option<Adapter>, Error> {
        let Some(plan) = &mut self.lora else { return Ok(None) };
        let number = plan.made;
        if !plan.wants(name) {
            return Ok(None);
        }
        let (spec, is_hollow) = (plan.spec.clone(), matches!(self.tensors, Tensors::Shapes));
        let draw = |part: &str, shape: [usize; 2], init: Init| match is_hollow {
            true => hollow(&shape),
            false => init.draw(&format!("{name}.{part}.weight"), &shape, self.seed, self.device),
        };
        let a = draw("lora_A", [spec.rank, inputs], Init::KaimingUniform)?;
        let b = draw("lora_B", [outputs, spec.rank], Init::Zeros)?;
        Ok(Some(Adapter::new(a, b, &spec, number)))
    }

    /// What the weights want as input, as far as they or their names tell; for after the backbone was built.
    ///
    /// # Errors
    /// Where their file says something that is not known here.
    pub fn preprocessing(&self) -> Result<Option<Preprocessing>, Error> {
        match &self.tensors {
            Tensors::Pretrained { checkpoint, .. } => checkpoint.preprocessing(&self.report.origin.to_string()),
            Tensors::Drawn | Tensors::Missing | Tensors::Shapes => Ok(None),
        }
    }

    /// What weights with such names usually want as input.
    pub fn usual_preprocessing(&self) -> Option<Preprocessing> {
        self.style.and_then(Style::preprocessing)
    }

    /// A tensor of the backbone, f32. One that is missing or of another shape is noted and told by [`Source::finish`];
    /// until then zeros stand in for it.
    pub fn pretrained(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Var, Error> {
        let stored = match &self.tensors {
            Tensors::Drawn | Tensors::Shapes => return self.fresh(name, shape, init),
            Tensors::Missing => return Ok(Var::zeros(shape, DType::F32, self.device)?),
            Tensors::Pretrained { checkpoint, .. } => lookup(checkpoint, self.backbone, self.style, name),
        };
        let stored = stored.map(|found| {
            self.style = Some(found.style);
            self.used.insert(found.name);
            found.stored
        });
        self.taken(name, shape, stored)
    }

    /// A tensor of the new head, f32, drawn by seed and name; or where the whole network was found, the one of that name.
    pub fn fresh(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Var, Error> {
        match &self.tensors {
            Tensors::Pretrained { checkpoint, has_head: true } => {
                let stored = checkpoint.tensors.get(name).cloned();
                self.used.insert(name.to_owned());
                return self.taken(name, shape, stored);
            }
            Tensors::Shapes => return Ok(hollow(shape)?),
            Tensors::Pretrained { .. } | Tensors::Drawn | Tensors::Missing => {}
        }
        self.report.initialized.push(name.to_owned());
        Ok(init.draw(name, shape, self.seed, self.device)?)
    }

    /// What was found under `name`, if it fits.
    fn taken(&mut self, name: &str, shape: &[usize], stored: Option<Stored>) -> Result<Var, Error> {
        self.misfit.wanted += 1;
        match stored {
            Some(stored) if stored.shape == shape && stored.number != Number::Other => {
                let tensor = stored.read().and_then(|tensor| on(self.device, &tensor)).map_err(|source| {
                    Error::UnreadableTensor {
                        origin: self.report.origin.to_string(),
                        name: name.to_owned(),
                        source: Box::new(source),
                    }
                })?;
                self.report.loaded.push(name.to_owned());
                return Ok(tensor);
            }
            Some(stored) => self.misfit.wrong_shape.push((name.to_owned(), shape.to_vec(), stored.shape)),
            None => self.misfit.missing.push(name.to_owned()),
        }
        Ok(Var::zeros(shape, DType::F32, self.device)?)
    }

    /// The report, or the one error that names all that does not fit.
    pub fn finish(mut self) -> Result<WeightReport, Error> {
        self.lora.as_ref().map_or(Ok(()), Plan::check)?;
        let Tensors::Pretrained { checkpoint, .. } = &self.tensors else { return Ok(self.report) };
        let is_rest = |name: &String, stored: &Stored| stored.number != Number::Other && !self.used.contains(name);
        let rest = checkpoint.tensors.iter().filter(|(name, stored)| is_rest(name, stored));
        let unused: Vec<String> = rest.map(|(name, _)| name.clone()).collect();
        if self.misfit.is_none() {
            self.report.left_out = like(&unused, &self.used);
            self.report.unused = unused;
            return Ok(self.report);
        }
        let misfit = Misfit { unused, ..self.misfit };
        Err(Error::Misfit { origin: self.report.origin.to_string(), backbone: self.backbone.name(), misfit })
    }
}

/// Those of `names` that differ in their numbers alone from one that is `used`.
fn like(names: &[String], used: &BTreeSet<String>) -> Vec<String> {
    let kind = |name: &str| -> String { name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect() };
    let kind = |name: &str| kind(name).replace("00", "0");
    let known: BTreeSet<String> = used.iter().map(|name| kind(name)).collect();
    names
        .iter()
        .filter(|name| name.contains(|c: char| c.is_ascii_digit()) && known.contains(&kind(name)))
        .cloned()
        .collect()
}

/// A variable of this shape without a number in it.
fn hollow(shape: &[usize]) -> candle_core::Result<Var> {
    let nothing = Storage::Cpu(CpuStorage::F32(Vec::new()));
    // what is a variable already is taken as it is, not copied
    Var::from_tensor(&Tensor::from_storage(nothing, shape, BackpropOp::none(), true))
}

fn on(device: &Device, tensor: &Tensor) -> candle_core::Result<Var> {
    Var::from_tensor(&tensor.to_device(device)?)
}

/// A tensor under the name that its file has for it.
struct Lookup {
    stored: Stored,
    name: String,
    style: Style,
}

/// The tensor `name` of `backbone`, in the style that is known or in the first that has it.
fn lookup(checkpoint: &Checkpoint, backbone: Backbone, style: Option<Style>, name: &str) -> Option<Lookup> {
    let styles = style.map_or_else(|| Style::all_of(backbone), |style| vec![style]);
    let aliases = styles.iter().flat_map(|style| style.aliases(backbone, name).into_iter().map(move |a| (*style, a)));
    for (style, alias) in aliases {
        if let Some(stored) = checkpoint.tensors.get(&alias.name).cloned() {
            let stored = if alias.is_kernel { stored.into_kernel_of_torch() } else { stored };
            return Some(Lookup { stored, name: alias.name, style });
        }
    }
    None
}
