//! A layer: a block with a name, and whether it learns.

use candle_core::{Result, Tensor, Var};

use super::lora::Adapter;
use super::outline::{LayerOutline, Outline};
use crate::base::random::{Purpose, Stream};

/// What a forward pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Inference: no dropout, and nothing is tracked for a backward pass.
    Eval,
    /// Training: dropout masks follow from `seed` and the global optimizer `step`; what learns is tracked.
    Train { seed: u64, step: u64 },
}

/// How a block is called: by which pass, as which layer of the network, learning or frozen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub pass: &'a Pass,
    /// Of texts `[batch, tokens]` (f32): 1 for a token, 0 for padding.
    pub mask: Option<&'a Tensor>,
    pub index: usize,
    pub trainable: bool,
    /// Whether its own parameters rest, and only the adapters beside them learn.
    pub rests: bool,
}

impl Call<'_> {
    /// A parameter of the layer's own as it takes part in this pass: tracked only where it learns.
    pub fn tensor(&self, var: &Var) -> Tensor {
        if self.rests { var.as_detached_tensor() } else { self.adapter(var) }
    }

    /// The same of an adapter's.
    pub fn adapter(&self, var: &Var) -> Tensor {
        if self.is_learning() { var.as_tensor().clone() } else { var.as_detached_tensor() }
    }

    /// Whether this is a step of training of a layer that learns; a frozen one acts as in inference.
    pub fn is_learning(&self) -> bool {
        self.trainable && matches!(self.pass, Pass::Train { .. })
    }

    /// The numbers of the layer's dropout number `place` (from 0) in this step; None in inference.
    pub fn dropout(&self, place: u64) -> Option<Stream> {
        match *self.pass {
            Pass::Train { seed, step } => {
                Some(Stream::new(seed, Purpose::Dropout, step, self.index as u64 | place << 32))
            }
            Pass::Eval => None,
        }
    }
}

/// The arithmetic of a layer. A block with skip connections or branches is one block.
pub(crate) trait Block: std::fmt::Debug + Send + Sync {
    /// Keras' name for such a layer, or the paper's.
    fn kind(&self) -> &'static str;

    fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor>;

    /// The shape that [`Block::forward`] gives for one of shape `x` while it learns, noting what it makes on the way.
    fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>>;

    /// What is learned, in a fixed order, by name within the layer; without adapters.
    fn parameters(&self) -> Vec<(String, &Var)> {
        Vec::new()
    }

    /// What stands beside its matrices, by their names within the layer, which the names of parameters begin with.
    fn adapters(&self) -> Vec<(String, &Adapter)> {
        Vec::new()
    }

    /// What is saved with the model and never learned by gradients (running statistics), by name within the layer.
    fn buffers(&self) -> Vec<(String, &Var)> {
        Vec::new()
    }

    /// Weights whose squares cost something in the loss, and what a unit of them costs.
    fn penalized(&self) -> Option<(&Var, f64)> {
        None
    }

    /// Whether its output differs between steps of training though its weights do not.
    fn is_random(&self) -> bool {
        false
    }
}

/// The side of the network that a layer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Backbone,
    /// The pooling between the two, and the new layers.
    Head,
}

/// A named layer of a network.
#[derive(Debug)]
pub struct Layer {
    name: String,
    part: Part,
    block: Box<dyn Block>,
    unfrozen: bool,
    /// Whether its own parameters never learn, but the adapters beside them.
    rests: bool,
}

impl Layer {
    pub(crate) fn new(name: impl Into<String>, part: Part, block: impl Block + 'static) -> Layer {
        Layer { name: name.into(), part, block: Box::new(block), unfrozen: true, rests: false }
    }

    /// The name that `trainable:` takes: `fire6`, `head.dense_1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is: `Conv2D`, `Fire`, `Dense` …
    pub fn kind(&self) -> &'static str {
        self.block.kind()
    }

    /// What it can learn, under full names, in a fixed order; empty for pooling and dropout.
    pub fn parameters(&self) -> Vec<(String, Var)> {
        self.named(if self.rests { self.adapters() } else { self.block.parameters() })
    }

    /// Count of scalars that are learned, here or when it was pretrained.
    pub fn parameter_count(&self) -> usize {
        self.block.parameters().iter().chain(&self.adapters()).map(|(_, var)| var.elem_count()).sum()
    }

    /// Count of scalars that it can learn.
    pub fn learnable_count(&self) -> usize {
        self.parameters().iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// Whether it has parameters that learn.
    pub fn is_trainable(&self) -> bool {
        self.unfrozen && self.learnable_count() > 0
    }

    /// All that makes it up: parameters, adapters, then buffers, under full names.
    pub fn tensors(&self) -> Vec<(String, Var)> {
        let all = self.block.parameters().into_iter().chain(self.adapters()).chain(self.block.buffers());
        self.named(all.collect())
    }

    /// What changes where it learns: what it can learn, then buffers, under full names.
    pub(crate) fn moving(&self) -> Vec<(String, Var)> {
        let mut all = self.parameters();
        all.extend(self.named(self.block.buffers()));
        all
    }

    /// All that is saved of it: [`Layer::tensors`], but with the adapters merged into what they stand beside.
    pub(crate) fn merged(&self) -> Result<Vec<(String, Var)>> {
        let adapters = self.block.adapters();
        let merged = |(name, var): (String, &Var)| {
            let matrix = name.strip_suffix(".weight");
            let adapter = adapters.iter().find(|(beside, _)| Some(beside.as_str()) == matrix);
            Ok((format!("{}.{name}", self.name), adapter.map_or(Ok(var.clone()), |(_, adapter)| adapter.merged(var))?))
        };
        self.block.parameters().into_iter().chain(self.block.buffers()).map(merged).collect()
    }

    /// Weights whose squares cost something in the loss, as they take part in `pass`, and what a unit of them costs.
    pub(crate) fn penalized(&self, pass: &Pass) -> Option<(Tensor, f64)> {
        let call = Call { pass, mask: None, index: 0, trainable: self.unfrozen, rests: self.rests };
        self.block.penalized().map(|(var, cost)| (call.tensor(var), cost))
    }

    /// Whether its output for an input stays the same while training.
    pub(crate) fn is_constant(&self) -> bool {
        !self.is_trainable() && !self.block.is_random()
    }

    pub(crate) fn is_backbone(&self) -> bool {
        self.part == Part::Backbone
    }

    /// From now on its own parameters never learn, but the adapters beside them.
    pub(crate) fn rest(&mut self) {
        self.rests = true;
    }

    pub(crate) fn set_unfrozen(&mut self, unfrozen: bool) {
        self.unfrozen = unfrozen;
    }

    pub(crate) fn forward(&self, x: &Tensor, mask: Option<&Tensor>, pass: &Pass, index: usize) -> Result<Tensor> {
        self.block.forward(x, &Call { pass, mask, index, trainable: self.unfrozen, rests: self.rests })
    }

    pub(crate) fn outline(&self, x: &[usize]) -> Result<LayerOutline> {
        let mut outline = Outline::default();
        let output = self.block.outline(x, &mut outline)?;
        Ok(LayerOutline { output, made: outline.made() })
    }

    /// The tensors of its adapters, by name within the layer.
    fn adapters<'a>(&'a self) -> Vec<(String, &'a Var)> {
        let of_one = |(matrix, adapter): (String, &'a Adapter)| {
            adapter.tensors().map(|(name, var)| (format!("{matrix}.{name}"), var))
        };
        self.block.adapters().into_iter().flat_map(of_one).collect()
    }

    fn named(&self, vars: Vec<(String, &Var)>) -> Vec<(String, Var)> {
        vars.into_iter().map(|(name, var)| (format!("{}.{name}", self.name), var.clone())).collect()
    }
}
