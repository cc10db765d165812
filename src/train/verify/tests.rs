//! The built-in figures, and that figures which do not hold are seen.

use super::*;

fn replayed(files: &[File]) -> Report {
    replay(files, &Device::Cpu)
}

#[test]
fn what_keras_and_pytorch_computed_comes_out() {
    let files = built_in();
    let report = replayed(&files);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    for case in &report.cases {
        assert!(case.holds(), "{case:?}");
    }
    let counts: Vec<usize> =
        files.iter().map(|file| report.cases.iter().filter(|case| case.file == file.name).count()).collect();
    assert_eq!(counts, [24, 6, 8, 7, 5, 3]);
}
