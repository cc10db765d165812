//! The one-dimensional transforms of Winograd F(4, 3): to the six points of interpolation and back.

/// The polynomials are interpolated at 0, ±[`NEAR`], ±[`FAR`] and infinity. With these, which f32 holds exactly, a result is
/// off by half of what the usual ±1 and ±2 make of it, since their powers spread less (Barabasz et al. 2020).
const NEAR: f32 = 0.625;
const FAR: f32 = 1.5;
const NEAR_2: f32 = NEAR * NEAR;
const FAR_2: f32 = FAR * FAR;
/// What the filter's polynomial is multiplied by at a point: one over the product of its distances to the other points.
const ZERO_SCALE: f32 = 1.0 / (NEAR_2 * FAR_2);
const NEAR_SCALE: f32 = 1.0 / (2.0 * NEAR_2 * (NEAR_2 - FAR_2));
const FAR_SCALE: f32 = 1.0 / (2.0 * FAR_2 * (FAR_2 - NEAR_2));

/// `Bᵀ`: an input's tile to points.
#[inline(always)]
pub(super) fn input_to_points([a, b, c, d, e, f]: [f32; 6]) -> [f32; 6] {
    let (near, near_odd) = (e - FAR_2 * c, NEAR * (d - FAR_2 * b));
    let (far, far_odd) = (e - NEAR_2 * c, FAR * (d - NEAR_2 * b));
    let ends = |a: f32, c: f32, e: f32| NEAR_2 * FAR_2 * a - (NEAR_2 + FAR_2) * c + e;
    [ends(a, c, e), near + near_odd, near - near_odd, far + far_odd, far - far_odd, ends(b, d, f)]
}

/// `G`: a filter to points.
#[inline(always)]
pub(super) fn filter_to_points([a, b, c]: [f32; 3]) -> [f32; 6] {
    let (near, near_odd) = ((a + NEAR_2 * c) * NEAR_SCALE, b * (NEAR * NEAR_SCALE));
    let (far, far_odd) = ((a + FAR_2 * c) * FAR_SCALE, b * (FAR * FAR_SCALE));
    [a * ZERO_SCALE, near + near_odd, near - near_odd, far + far_odd, far - far_odd, c]
}

/// `Gᵀ`: points to a filter.
#[inline(always)]
pub(super) fn points_to_filter([a, b, c, d, e, f]: [f32; 6]) -> [f32; 3] {
    let (near, near_odd) = ((b + c) * NEAR_SCALE, (b - c) * (NEAR * NEAR_SCALE));
    let (far, far_odd) = ((d + e) * FAR_SCALE, (d - e) * (FAR * FAR_SCALE));
    [a * ZERO_SCALE + near + far, near_odd + far_odd, NEAR_2 * near + FAR_2 * far + f]
}

/// `Aᵀ`: points to a result's tile.
#[inline(always)]
pub(super) fn points_to_output([a, b, c, d, e, f]: [f32; 6]) -> [f32; 4] {
    let (near, near_odd) = (b + c, NEAR * (b - c));
    let (far, far_odd) = (d + e, FAR * (d - e));
    [a + near + far, near_odd + far_odd, NEAR_2 * near + FAR_2 * far, NEAR_2 * near_odd + FAR_2 * far_odd + f]
}

/// `A`: a tile of the result's gradient to points.
#[inline(always)]
pub(super) fn output_to_points([a, b, c, d]: [f32; 4]) -> [f32; 6] {
    let (near, near_odd) = (a + NEAR_2 * c, NEAR * (b + NEAR_2 * d));
    let (far, far_odd) = (a + FAR_2 * c, FAR * (b + FAR_2 * d));
    [a, near + near_odd, near - near_odd, far + far_odd, far - far_odd, d]
}
