//! How a window (a kernel) moves over a plane: sizes of the output and which inputs each window sees.

use candle_core::{Result, bail};

/// A square-strided window over planes; sizes are (height, width).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub kernel: (usize, usize),
    pub stride: usize,
    pub padding: usize,
    pub input: (usize, usize),
    pub output: (usize, usize),
}

/// What happens to a last window that only partly fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    Floor,
    /// Kept if it starts inside the input or its left padding, as PyTorch's `ceil_mode`.
    Ceil,
}

impl Window {
    /// Computes the output size, or says why there is none.
    pub fn new(
        kernel: (usize, usize),
        stride: usize,
        padding: usize,
        input: (usize, usize),
        rounding: Rounding,
    ) -> Result<Window> {
        if stride == 0 || kernel.0 == 0 || kernel.1 == 0 {
            bail!("a window needs a kernel and a stride of at least 1, got kernel {kernel:?}, stride {stride}");
        }
        let along = |input: usize, kernel: usize| -> Result<usize> {
            let Some(room) = (input + 2 * padding).checked_sub(kernel) else {
                bail!("a window of {kernel} does not fit into an input of {input} with padding {padding}");
            };
            Ok(match rounding {
                Rounding::Floor => room / stride + 1,
                Rounding::Ceil => {
                    let all = room.div_ceil(stride) + 1;
                    if (all - 1) * stride >= input + padding { all - 1 } else { all }
                }
            })
        };
        let output = (along(input.0, kernel.0)?, along(input.1, kernel.1)?);
        Ok(Window { kernel, stride, padding, input, output })
    }

    /// Positions of the kernel.
    pub fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1
    }

    /// Elements of an input plane.
    pub fn input_len(&self) -> usize {
        self.input.0 * self.input.1
    }

    /// Elements of an output plane.
    pub fn output_len(&self) -> usize {
        self.output.0 * self.output.1
    }

    /// Whether the window sees exactly one element and passes over each once.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == (1, 1) && self.stride == 1 && self.padding == 0
    }

    /// The output columns whose input column `column × stride + tap - padding` lies inside the input.
    pub fn columns_inside(&self, tap: usize) -> std::ops::Range<usize> {
        inside(tap, self.stride, self.padding, self.input.1, self.output.1)
    }

    /// The output rows whose input row `row × stride + tap - padding` lies inside the input.
    pub fn rows_inside(&self, tap: usize) -> std::ops::Range<usize> {
        inside(tap, self.stride, self.padding, self.input.0, self.output.0)
    }
}

fn inside(tap: usize, stride: usize, padding: usize, input: usize, output: usize) -> std::ops::Range<usize> {
    let first = padding.saturating_sub(tap).div_ceil(stride).min(output);
    let end = (input + padding).saturating_sub(tap).div_ceil(stride).min(output);
    first..end.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_sizes_are_pytorchs() {
        // (input, kernel, stride, padding, floor, ceil): torch.nn.MaxPool2d
        for (input, kernel, stride, padding, floor, ceil) in [
            (64, 3, 2, 0, 31, 32),
            (8, 3, 2, 0, 3, 4),
            (7, 3, 2, 0, 3, 3),
            (7, 3, 2, 1, 4, 4),
            (5, 2, 3, 1, 2, 2),
            (4, 2, 2, 1, 3, 3),
        ] {
            let size = |rounding| {
                let w = Window::new((kernel, kernel), stride, padding, (input, input), rounding).unwrap();
                w.output.0
            };
            assert_eq!(
                (size(Rounding::Floor), size(Rounding::Ceil)),
                (floor, ceil),
                "{input} {kernel} {stride} {padding}"
            );
        }
        assert!(Window::new((3, 3), 1, 0, (2, 5), Rounding::Floor).is_err());
        assert!(Window::new((3, 3), 0, 0, (5, 5), Rounding::Floor).is_err());
    }

    #[test]
    fn inside_is_what_a_loop_finds() {
        for (input, kernel, stride, padding) in [(7, 3, 2, 1), (8, 3, 2, 0), (5, 5, 1, 2), (4, 2, 3, 1), (1, 3, 1, 1)] {
            let w = Window::new((kernel, kernel), stride, padding, (input, input), Rounding::Ceil).unwrap();
            for tap in 0..kernel {
                let found: Vec<usize> =
                    (0..w.output.1).filter(|o| (padding..input + padding).contains(&(o * stride + tap))).collect();
                assert_eq!(w.columns_inside(tap).collect::<Vec<_>>(), found);
                assert_eq!(w.rows_inside(tap).collect::<Vec<_>>(), found);
            }
        }
    }
}
