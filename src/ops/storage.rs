//! Reading the operands of Candle's custom operations.

use candle_core::{CpuStorage, Layout, Result, WithDType, bail};

/// A tensor as a custom operation gets it.
pub(crate) type Operand<'a> = (&'a CpuStorage, &'a Layout);

/// The values of an operand, which must lie in a row.
pub(crate) fn values<'a, T: WithDType>((storage, layout): Operand<'a>) -> Result<&'a [T]> {
    let all = T::cpu_storage_as_slice(storage)?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => bail!("the operation takes contiguous tensors, got {layout:?}"),
    }
}

/// Calls a function of one element type with the type of `storage`: f32 or f64, as all operations here take.
macro_rules! by_type {
    ($storage:expr, $function:ident ( $($argument:expr),* )) => {
        match $storage {
            candle_core::CpuStorage::F32(_) => $function::<f32>($($argument),*),
            candle_core::CpuStorage::F64(_) => $function::<f64>($($argument),*),
            _ => candle_core::bail!("the operation takes f32 or f64"),
        }
    };
}
pub(crate) use by_type;
