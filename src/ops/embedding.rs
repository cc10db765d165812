//! Rows of a table, by number.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::real::Real;
use super::storage::{Operand, by_type, values};

/// The rows of `table` `[entries, hidden]` that `ids` (u32, of any shape) name; gives `[ids…, hidden]`. Source: PyTorch's
/// `nn.functional.embedding`.
///
/// # Errors
/// Where an id is no row of the table.
pub fn embedding(ids: &Tensor, table: &Tensor) -> Result<Tensor> {
    let (entries, hidden) = table.dims2()?;
    let shape = Shape::from([ids.dims(), &[hidden]].concat());
    if !table.device().is_cpu() || shape.elem_count() == 0 {
        return composed(ids, table)?.reshape(shape);
    }
    let ids = ids.flatten_all()?.to_dtype(DType::U32)?.to_vec1::<u32>()?;
    if let Some(id) = ids.iter().find(|id| **id as usize >= entries) {
        bail!("an embedding of {entries} entries has no number {id}");
    }
    table.contiguous()?.apply_op1(Embedding { ids, shape })
}

/// The same of Candle's operations, as rows.
fn composed(ids: &Tensor, table: &Tensor) -> Result<Tensor> {
    table.index_select(&ids.flatten_all()?, 0)
}

#[derive(Debug, Clone)]
struct Embedding {
    ids: Vec<u32>,
    /// Of the result.
    shape: Shape,
}

impl CustomOp1 for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (ids, hidden, operand) = (&self.ids, layout.shape().dims2()?.1, (table, layout));
        Ok((by_type!(table, forward(ids, hidden, operand))?, self.shape.clone()))
    }

    fn bwd(&self, table: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let op = TableGradient { ids: self.ids.clone(), table: table.dims2()? };
        gradient.contiguous()?.apply_op1_no_bwd(&op).map(Some)
    }
}

/// Rows that one task copies.
const TASK: usize = 64;

fn forward<T: Real>(ids: &[u32], hidden: usize, table: Operand) -> Result<CpuStorage> {
    let table = values::<T>(table)?;
    let mut y = vec![T::zero(); ids.len() * hidden];
    y.par_chunks_mut(TASK * hidden).zip(ids.par_chunks(TASK)).for_each(|(y, ids)| {
        for (row, id) in y.chunks_exact_mut(hidden).zip(ids) {
            row.copy_from_slice(&table[*id as usize * hidden..][..hidden]);
        }
    });
    Ok(T::to_cpu_storage_owned(y))
}

/// Gradient of the result → gradient of the table.
struct TableGradient {
    ids: Vec<u32>,
    /// Entries and what each holds.
    table: (usize, usize),
}

impl CustomOp1 for TableGradient {
    fn name(&self) -> &'static str {
        "embedding-table-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (of, gradient) = (self, (g, gl));
        Ok((by_type!(g, backward(of, gradient))?, Shape::from(self.table)))
    }
}

/// Entries that one task adds up.
const ENTRIES: usize = 1024;

fn backward<T: Real>(of: &TableGradient, gradient: Operand) -> Result<CpuStorage> {
    let (entries, hidden) = of.table;
    let gradient = values::<T>(gradient)?;
    // the places of an entry in their order, so that its sum has one
    let mut places: Vec<(u32, usize)> = of.ids.iter().copied().zip(0..).collect();
    places.sort_unstable();
    let mut result = vec![T::zero(); entries * hidden];
    result.par_chunks_mut(ENTRIES * hidden).enumerate().for_each(|(task, rows)| {
        let first = (task * ENTRIES) as u32;
        let start = places.partition_point(|(id, _)| *id < first);
        let end = places.partition_point(|(id, _)| (*id as usize) < first as usize + ENTRIES);
        for (id, place) in &places[start..end] {
            let row = &mut rows[(id - first) as usize * hidden..][..hidden];
            row.iter_mut().zip(&gradient[place * hidden..][..hidden]).for_each(|(sum, g)| *sum += *g);
        }
    });
    Ok(T::to_cpu_storage_owned(result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::gradient_check::{gradient_check, values};
    use candle_core::Device;

    fn ids() -> Tensor {
        Tensor::new(&[[3u32, 0, 3], [5, 3, 0]], &Device::Cpu).unwrap()
    }

    #[test]
    fn gradients_in_both_homes() {
        gradient_check(&[values((7, 5), 1)], |t| embedding(&ids(), &t[0]));
        gradient_check(&[values((7, 5), 1)], |t| composed(&ids(), &t[0]));
        gradient_check(&[values((5, 7), 1)], |t| embedding(&ids().t()?, &t[0].t()?));
        gradient_check(&[values((2 * ENTRIES + 3, 1), 1)], |t| {
            let far = Tensor::new(&[2 * ENTRIES as u32 + 2, 0, ENTRIES as u32, ENTRIES as u32 - 1], &Device::Cpu)?;
            embedding(&far, &t[0])
        });
    }

    #[test]
    fn rows_are_those_of_the_table() {
        let table = values((7, 5), 1);
        let found = embedding(&ids(), &table).unwrap();
        assert_eq!(found.dims(), [2, 3, 5]);
        let (found, table) = (found.to_vec3::<f64>().unwrap(), table.to_vec2::<f64>().unwrap());
        assert_eq!(found[0], [3, 0, 3].map(|id: usize| table[id].clone()));
        assert_eq!(found[1], [5, 3, 0].map(|id: usize| table[id].clone()));
        let outside = Tensor::new(&[7u32], &Device::Cpu).unwrap();
        assert!(embedding(&outside, &values((7, 5), 1)).is_err());
    }
}
