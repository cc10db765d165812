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
        eprintln!(
            "{:<12} {:<60} {:.2e} of {:.0e} {:?}",
            case.file, case.name, case.error, case.tolerance, case.measure
        );
    }
    for case in &report.cases {
        assert!(case.holds(), "{case:?}");
    }
    let count = |file: &str| report.cases.iter().filter(|case| case.file == file).count();
    assert_eq!(files.each(count), [24, 6, 8, 7, 5, 3]);
}

trait Each {
    fn each(&self, count: impl Fn(&str) -> usize) -> [usize; 6];
}

impl Each for Vec<File> {
    fn each(&self, count: impl Fn(&str) -> usize) -> [usize; 6] {
        std::array::from_fn(|at| count(&self[at].name))
    }
}
