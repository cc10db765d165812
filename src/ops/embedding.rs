//! Rows of a table, by number.

use candle_core::{Result, Tensor};

/// The rows of `table` `[entries, hidden]` that `ids` (u32, of any shape) name; gives `[ids…, hidden]`. Source: PyTorch's
/// `nn.functional.embedding`.
///
/// # Errors
/// Where an id is no row of the table.
pub fn embedding(ids: &Tensor, table: &Tensor) -> Result<Tensor> {
    let (_, hidden) = table.dims2()?;
    let shape = [ids.dims(), &[hidden]].concat();
    table.index_select(&ids.flatten_all()?, 0)?.reshape(shape)
}
