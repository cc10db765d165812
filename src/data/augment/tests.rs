//! Changes against values worked out by hand, and how they are drawn.

use super::*;
use crate::data::fixtures::{AUGMENT, picture};
use crate::experiment::{Fill, RandomErasing};

fn applied(transform: &Transform, picture: &RgbImage) -> Vec<f32> {
    let mut out = vec![f32::NAN; picture.as_raw().len()];
    transform.apply(picture, |at, rgb| out[3 * at..][..3].copy_from_slice(&rgb));
    out
}

#[test]
fn shifts_move_as_they_are_named_and_repeat_the_edge() {
    let source = picture(8, 8, 5);
    let still = Transform::STILL;
    let sideways = applied(&Transform { tx: 2.0, ..still }, &source);
    let upwards = applied(&Transform { ty: 2.0, ..still }, &source);
    for (x, y, pixel) in source.enumerate_pixels() {
        let at = |x: u32, y: u32| source.get_pixel(x.min(7), y.min(7)).0.map(f32::from);
        let index = 3 * (8 * y + x) as usize;
        assert_eq!(sideways[index..][..3], at(x + 2, y));
        assert_eq!(upwards[index..][..3], at(x, y + 2));
        assert_eq!(applied(&still, &source)[index..][..3], pixel.0.map(f32::from));
    }
}

#[test]
fn one_pixel_wide_pictures_do_not_fail() {
    for ((width, height), fill) in
        [(1, 1), (1, 5), (5, 1)].into_iter().zip([Fill::Nearest, Fill::Reflect, Fill::Constant])
    {
        let all = Transform { theta: 33.0, shear: 9.0, tx: 2.0, ty: -1.0, zx: 0.5, zy: 1.5, fill, ..Transform::STILL };
        assert!(applied(&all, &picture(width, height, 1)).iter().all(|v| (0.0..=255.0).contains(v)));
    }
}

#[test]
fn draws_are_within_their_ranges_and_cover_them() {
    let all = Augment {
        shear: 30.0,
        vertical_flip: true,
        channel_shift: 40.0,
        brightness: Some([0.5, 1.25]),
        contrast: 0.4,
        ..AUGMENT
    };
    let drawn: Vec<Variant> = (0..4_000).map(|n| Variant::draw(&all, 100, 1, n % 50, n / 50)).collect();
    let check = |name: &str, value: fn(&Variant) -> f64, low: f64, high: f64| {
        let values: Vec<f64> = drawn.iter().map(value).collect();
        let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
        let edge = (high - low) * 0.01;
        assert!(least >= low && least < low + edge && most <= high && most > high - edge, "{name}: {least}..{most}");
    };
    check("theta", |v| v.transform.theta, -20.0, 20.0);
    check("tx", |v| v.transform.tx, -10.0, 10.0);
    check("ty", |v| v.transform.ty, -10.0, 10.0);
    check("zx", |v| v.transform.zx, 0.8, 1.2);
    check("zy", |v| v.transform.zy, 0.8, 1.2);
    check("shear", |v| v.transform.shear, -30.0, 30.0);
    check("shift", |v| v.colours.shift.into(), -40.0, 40.0);
    check("brightness", |v| v.colours.brightness.into(), 0.5, 1.25);
    check("contrast", |v| v.colours.contrast.into(), 0.599_999, 1.400_001);
    for flipped in [|t: &Transform| t.flip_horizontal, |t: &Transform| t.flip_vertical] {
        let flipped = drawn.iter().filter(|variant| flipped(&variant.transform)).count();
        assert!((1_850..2_150).contains(&flipped), "{flipped} of 4000 flipped");
    }
    assert!(drawn.iter().all(|variant| variant.erased.is_none()));
}

#[test]
fn a_variant_depends_on_seed_sample_and_number_and_on_its_own_kind_of_change_only() {
    let transform = |augment: &Augment| Variant::draw(augment, 100, 1, 2, 3).transform;
    let draw = |seed, sample, number| Variant::draw(&AUGMENT, 100, seed, sample, number).transform;
    let one = draw(1, 2, 3);
    assert_eq!(one, draw(1, 2, 3));
    for other in [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)] {
        assert_ne!(one, other);
    }
    let without_turns = transform(&Augment { rotation: 0.0, ..AUGMENT });
    assert_eq!(without_turns, Transform { theta: 0.0, ..one });
    let wide = Augment { width_shift: 0.5, height_shift: 0.0, ..AUGMENT };
    let moved = transform(&wide);
    assert!(moved.ty == 0.0 && (moved.tx - 5.0 * one.tx).abs() < 1e-9, "width_shift moves sideways");
}

/// Two rows of three grey pixels, as levels.
const GREY: [u8; 6] = [10, 20, 30, 40, 50, 60];

fn grey(transform: &Transform) -> Vec<f32> {
    let source = RgbImage::from_fn(3, 2, |x, y| image::Rgb([GREY[(3 * y + x) as usize]; 3]));
    applied(transform, &source).chunks(3).map(|rgb| rgb[0]).collect()
}

#[test]
fn mirrors_turn_rows_and_columns_around() {
    let still = Transform::STILL;
    assert_eq!(grey(&Transform { flip_horizontal: true, ..still }), [30.0, 20.0, 10.0, 60.0, 50.0, 40.0]);
    assert_eq!(grey(&Transform { flip_vertical: true, ..still }), [40.0, 50.0, 60.0, 10.0, 20.0, 30.0]);
}

#[test]
fn what_is_moved_in_is_what_the_mode_says() {
    let moved = |fill, tx| grey(&Transform { tx, fill, ..Transform::STILL })[..3].to_vec();
    assert_eq!(moved(Fill::Nearest, 2.0), [30.0, 30.0, 30.0]);
    assert_eq!(moved(Fill::Reflect, 2.0), [30.0, 30.0, 20.0]);
    assert_eq!(moved(Fill::Constant, 2.0), [30.0, 0.0, 0.0]);
    assert_eq!(moved(Fill::Nearest, -2.0), [10.0, 10.0, 10.0]);
    assert_eq!(moved(Fill::Reflect, -2.0), [20.0, 10.0, 10.0]);
    assert_eq!(moved(Fill::Constant, -2.0), [0.0, 0.0, 10.0]);
    // Half a pixel outside is still the edge in a mirror, and outside where that is black (scipy's `constant`).
    assert_eq!(moved(Fill::Reflect, 0.5), [15.0, 25.0, 30.0]);
    assert_eq!(moved(Fill::Constant, 0.5), [15.0, 25.0, 0.0]);
    // Farther than the picture is wide: abc|cba|abc.
    assert_eq!(moved(Fill::Reflect, 4.0), [20.0, 10.0, 10.0]);
    assert_eq!(moved(Fill::Reflect, 7.0), [20.0, 30.0, 30.0]);
}

/// Keras' matrix for a shear alone is `[[1, -sin s], [0, cos s]]` around the centre, its axes then swapped: a row is
/// read at `cos s` of its distance from the middle, and moved along by `-sin s` of it.
#[test]
fn a_shear_moves_rows_along_by_their_distance_from_the_middle() {
    let source = RgbImage::from_fn(9, 9, |x, y| image::Rgb([(20 * x) as u8, (25 * y) as u8, 0]));
    let shear = 30.0f64;
    let seen = applied(&Transform { shear, ..Transform::STILL }, &source);
    let (sin, cos) = shear.to_radians().sin_cos();
    let middle = 4.0;
    for (row, column) in [(4usize, 3usize), (1, 4), (7, 5), (2, 7), (8, 0)] {
        let from = row as f64 - middle;
        let (x, y) = (column as f64 - sin * from, middle + cos * from);
        let expected = [20.0 * x.clamp(0.0, 8.0), 25.0 * y.clamp(0.0, 8.0)];
        let at = 3 * (9 * row + column);
        for (seen, expected) in seen[at..at + 2].iter().zip(expected) {
            assert!((f64::from(*seen) - expected).abs() < 1e-3, "{row} {column}: {seen}, not {expected}");
        }
    }
    let turned = Transform { theta: 10.0, shear: 20.0, ..Transform::STILL };
    assert_ne!(applied(&turned, &source), applied(&Transform { shear: 0.0, ..turned }, &source));
}

/// What Keras' matrix and `scipy.ndimage.affine_transform` 1.17 (`order=1`) give for a turn, a shift, a shear and a zoom at
/// once, in each mode.
#[test]
fn all_together_is_what_scipy_gives() {
    let source = RgbImage::from_fn(5, 5, |x, y| image::Rgb([(50 * y + 30 * x) as u8, 0, 0]));
    let all = Transform { theta: 25.0, shear: 20.0, tx: 0.75, ty: -1.5, zx: 1.2, zy: 1.5, ..Transform::STILL };
    let inside = [89.301, 147.285, 193.232, 52.53, 110.514, 168.498, 180.683, 131.727, 185.83, 97.689];
    let nearest = [97.795, 120.0, 120.0, 120.0, 120.0, 65.975, 98.602, 120.0, 140.199, 165.556, 34.156];
    let reflect = [156.7, 153.548, 115.142, 74.324, 41.696, 71.847, 98.602, 120.0, 126.343, 119.073, 34.156];
    let rest = [15.622, 103.227];
    for (fill, first, fourteenth, outside, last) in [
        (Fill::Nearest, nearest, 218.589, rest, 45.024),
        (Fill::Reflect, reflect, 203.925, rest, 45.024),
        (Fill::Constant, [0.0; 11], 0.0, [0.0; 2], 0.0),
    ] {
        let thirteenth = if fill == Fill::Constant { 0.0 } else { inside[2] };
        let [i, j, _, k, l, m, n, o, p, q] = inside;
        let expected = [i, j, thirteenth, fourteenth, k, l, m, n, outside[0], outside[1], o, p, q, last];
        let seen = applied(&Transform { fill, ..all }, &source);
        for ((at, seen), expected) in seen.chunks(3).enumerate().zip(first.into_iter().chain(expected)) {
            assert!((seen[0] - expected).abs() < 0.01, "{fill:?} {at}: {} not {expected}", seen[0]);
        }
    }
}

fn coloured(colours: Colours, pixels: &[[f32; 3]]) -> Vec<[f32; 3]> {
    let mut pixels = pixels.to_vec();
    colours.apply(&mut pixels);
    pixels
}

#[test]
fn colours_change_as_keras_changes_them() {
    let pixels = [[10.0, 100.0, 50.0], [20.0, 200.0, 50.0]];
    let same = Colours::SAME;
    assert_eq!(coloured(same, &pixels), pixels);
    // Channel shift: no level leaves 10…200, the range of the whole picture.
    let shifted = coloured(Colours { shift: 30.0, ..same }, &pixels);
    assert_eq!(shifted, [[40.0, 130.0, 80.0], [50.0, 200.0, 80.0]]);
    let shifted = coloured(Colours { shift: -45.0, ..same }, &pixels);
    assert_eq!(shifted, [[10.0, 55.0, 10.0], [10.0, 155.0, 10.0]]);
    // Brightness multiplies, and ends at 255.
    assert_eq!(coloured(Colours { brightness: 1.5, ..same }, &pixels), [[15.0, 150.0, 75.0], [30.0, 255.0, 75.0]]);
    assert_eq!(coloured(Colours { brightness: 0.0, ..same }, &pixels), [[0.0; 3]; 2]);
    // Contrast is around the mean of each channel, here 15, 150 and 50.
    assert_eq!(coloured(Colours { contrast: 2.0, ..same }, &pixels), [[5.0, 50.0, 50.0], [25.0, 250.0, 50.0]]);
    assert_eq!(coloured(Colours { contrast: 4.0, ..same }, &pixels), [[0.0, 0.0, 50.0], [35.0, 255.0, 50.0]]);
    assert_eq!(coloured(Colours { contrast: 0.0, ..same }, &pixels), [[15.0, 150.0, 50.0]; 2]);
    // Together in this order: 10 + 30 = 40, times 1.5 = 60; 20 + 30 = 50, times 1.5 = 75; mean 67.5.
    let all = coloured(Colours { shift: 30.0, brightness: 1.5, contrast: 2.0 }, &pixels);
    assert_eq!((all[0][0], all[1][0]), (52.5, 82.5));
}

#[test]
fn what_is_erased_is_within_its_ranges_and_drawn_anywhere() {
    let erasing = RandomErasing { probability: 0.25, scale: [0.1, 0.3], ratio: [0.5, 2.0] };
    let augment = Augment { random_erasing: Some(erasing), ..Augment::NONE };
    let areas: Vec<Area> = (0..4_000).filter_map(|n| Variant::draw(&augment, 50, 3, n, 0).erased).collect();
    assert!((900..1_100).contains(&areas.len()), "{} of 4000", areas.len());
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for area in &areas {
        let Area { top, left, height, width } = *area;
        assert!(top + height <= 50 && left + width <= 50, "{area:?}");
        let ratio = height as f64 / width as f64;
        assert!((0.45..=2.2).contains(&ratio), "{area:?}");
        let share = (height * width) as f64 / 2500.0;
        (least, most) = (least.min(share), most.max(share));
    }
    assert!((0.09..0.11).contains(&least) && (0.29..0.31).contains(&most), "{least} {most}");
    for corner in [(0, 0), (0, 50), (50, 0), (50, 50)] {
        let is_there = |area: &Area| match corner {
            (0, 0) => area.top == 0 && area.left == 0,
            (0, _) => area.top == 0 && area.left + area.width == 50,
            (_, 0) => area.top + area.height == 50 && area.left == 0,
            _ => area.top + area.height == 50 && area.left + area.width == 50,
        };
        assert!(areas.iter().any(is_there), "{corner:?}");
    }
    // A rectangle as large as the picture is none, as in torchvision.
    let whole = RandomErasing { probability: 1.0, scale: [1.0, 1.0], ratio: [1.0, 1.0] };
    let augment = Augment { random_erasing: Some(whole), ..Augment::NONE };
    assert_eq!(Variant::draw(&augment, 50, 3, 0, 0).erased, None);
}

#[test]
fn an_erased_rectangle_is_blank_and_the_rest_as_it_was() {
    let erased = Some(Area { top: 1, left: 0, height: 1, width: 2 });
    let variant =
        Variant { transform: Transform::STILL, colours: Colours { brightness: 2.0, ..Colours::SAME }, erased };
    let source = RgbImage::from_fn(3, 2, |x, y| image::Rgb([GREY[(3 * y + x) as usize]; 3]));
    for colours in [Colours::SAME, variant.colours] {
        let mut seen = [[f32::NAN; 3]; 6];
        Variant { colours, ..variant }.apply(&source, [1.0, 2.0, 3.0], |at, rgb| seen[at] = rgb);
        let grey = |at: usize| [f32::from(GREY[at]) * colours.brightness; 3];
        assert_eq!(seen, [grey(0), grey(1), grey(2), [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], grey(5)]);
    }
}

/// Each key of `augment` that is of one picture changes what the network sees.
#[test]
fn every_change_is_made() {
    let none = Augment::NONE;
    let erasing = RandomErasing { probability: 1.0, scale: [0.1, 0.2], ratio: [1.0, 1.0] };
    let source = picture(8, 8, 5);
    let seen = |augment: &Augment| {
        let mut out = vec![[f32::NAN; 3]; 64];
        Variant::draw(augment, 8, 1, 2, 3).apply(&source, [7.0; 3], |at, rgb| out[at] = rgb);
        out
    };
    let rotated = Augment { rotation: 40.0, ..none };
    let moved = Augment { width_shift: 0.9, ..none };
    for (plain, changed) in [
        (none, rotated),
        (none, Augment { zoom: 0.5, ..none }),
        (none, Augment { shear: 40.0, ..none }),
        (none, Augment { width_shift: 0.5, ..none }),
        (none, Augment { height_shift: 0.5, ..none }),
        (moved, Augment { fill_mode: Fill::Reflect, ..moved }),
        (moved, Augment { fill_mode: Fill::Constant, ..moved }),
        (none, Augment { channel_shift: 50.0, ..none }),
        (none, Augment { brightness: Some([0.5, 0.6]), ..none }),
        (none, Augment { contrast: 0.5, ..none }),
        (none, Augment { random_erasing: Some(erasing), ..none }),
    ] {
        assert_ne!(seen(&plain), seen(&changed), "{changed:?}");
        assert!(!changed.is_none() && plain.is_none() == (plain == none));
    }
    let flips = |augment: &Augment| {
        let drawn = (0..20).map(|n| Variant::draw(augment, 8, 1, n, 0).transform);
        drawn.filter(|transform| transform.flip_horizontal || transform.flip_vertical).count()
    };
    assert!(flips(&none) == 0);
    assert!(flips(&Augment { horizontal_flip: true, ..none }) > 0);
    assert!(flips(&Augment { vertical_flip: true, ..none }) > 0);
    let erased = |probability| Augment { random_erasing: Some(RandomErasing { probability, ..erasing }), ..none };
    let count = |augment: &Augment| (0..200).filter(|&n| Variant::draw(augment, 8, 1, n, 0).erased.is_some()).count();
    assert!(count(&erased(0.1)) < 40 && count(&erased(0.9)) > 160);
}
