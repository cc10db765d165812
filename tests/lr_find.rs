//! `finetop lr-find`: the curve falls and blows up, the suggestion lies between, and nothing is kept.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use workplace::{Workplace, tiny_text};

#[test]
fn a_rate_between_where_it_learns_and_where_it_blows_up() {
    let here = Workplace::with_pictures();
    // all pictures at once: the loss of a step says what the steps before it did, and nothing else
    here.write(
        "a.yaml",
        "data: { train: data/train, val: data/val, image_size: 32 }
model: { backbone: squeezenet1_1, weights: imagenet }
train: { batch_size: 24, phases: [{ optimizer: { sgd: { lr: 1e-2 } } }] }
",
    );
    let sweep = ["lr-find", "a.yaml", "--json", "--steps", "60", "--from", "1e-5", "--to", "1e5"];
    let found = here.json(&sweep);
    let list = |name: &str| -> Vec<f64> { serde_json::from_value(found[name].clone()).unwrap() };
    let (lrs, smoothed) = (list("lrs"), list("smoothed"));
    assert!(lrs.len() > 20 && lrs.len() < 60 && lrs.is_sorted() && lrs[0] == 1e-5, "{lrs:?}");
    assert_eq!([smoothed.len(), list("losses").len()], [lrs.len(); 2]);
    let lowest = smoothed.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(lowest < 0.95 * smoothed[0], "{smoothed:?}");
    let (suggestion, blew_up) = (found["suggestion"].as_f64().unwrap(), found["blew_up"].as_f64().unwrap());
    assert!(lrs[0] < suggestion && suggestion <= 1.05 * blew_up / 10.0, "{suggestion} {blew_up}");
    assert_eq!(found["key"], "train.phases.0.optimizer.sgd.lr");
    assert_eq!(here.json(&sweep), found, "the same experiment gives the same figures");
    assert!(!here.store().exists(), "nothing is kept");

    let shown = here.finetop(&["lr-find", "a.yaml", "--steps", "40"]).succeeded().stdout;
    assert!(shown.contains("optimizer: { sgd: { lr: ") && shown.contains("learning rate"), "{shown}");
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let here = Workplace::with_texts();
    here.write("a.yaml", tiny_text("a", 3));
    for (arguments, says) in [
        (&["--phase", "nonsense"][..], "there is no phase `nonsense`; the phases are `head`"),
        (&["--from", "1", "--to", "0.1"], "`--from` is a rate above 0"),
        (&["--steps", "1"], "--steps"),
        (&["--set", "matrix.seed=[1, 2]"], "is a sweep of 2 runs"),
        (&["--set", "train.batch=3"], "unknown key"),
    ] {
        here.finetop(&[&["lr-find", "a.yaml"], arguments].concat()).exited(2).says(&[says]);
    }
}
