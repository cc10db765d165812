//! What the README and the manual show: a sweep, runs that fail, are watched, and are over.

use super::{SIZE, Studio};

pub fn runs(studio: &Studio) {
    sweep(studio);
    let failed = failure(studio);
    let texts = texts(studio);
    assert_eq!(studio.finetop(&["wait", &failed, &texts]), Some(1), "one of the two fails");
    let emoji = live(studio);
    ended(studio, [&emoji, &failed, &texts]);
}

/// Eight runs of one file, two at a time, long enough for curves of the machine.
fn sweep(studio: &Studio) {
    let longer = ["--set", "data.augment.views=8", "--set", "train.phases.0.epochs=16"];
    let runs = studio.add(&[&["experiments/emoji-sweep.yaml", "--slots", "2"], &longer[..]].concat());
    let mut dashboard = studio.dashboard();
    dashboard.press("5");
    dashboard.wait_long("the third run", |screen| screen.contains("2 running") && screen.contains("2 done"));
    dashboard.choose(&runs[2]);
    dashboard.wait_long("its sixth epoch", |screen| {
        let is_there = (6..=9).any(|epoch| screen.contains(&format!("epoch {epoch}/16")));
        is_there && screen.contains("2 running") && screen.contains(" threads  read ")
    });
    dashboard.picture("system", "The machine while two runs train");
    dashboard.leave();
    studio.wait(&["--group", "emoji-sweep"]);
}

/// A run with a learning rate that is too high for the whole network.
fn failure(studio: &Studio) -> String {
    let phase = "train.phases.0={ name: all, epochs: 5, trainable: all, optimizer: { sgd: { lr: 1, momentum: 0.9 } } }";
    let name = ["--set", "name=emoji-sgd", "--set", "data.image_size=96"];
    studio.add(&[&["experiments/emoji.yaml", "--set", phase], &name[..]].concat()).remove(0)
}

fn texts(studio: &Studio) -> String {
    let weights = studio.mini_lm.as_ref().map(|path| format!("model.weights={}", path.display()));
    let weights = weights.as_ref().map_or(vec![], |weights| vec!["--set", weights.as_str()]);
    studio.add(&[&["experiments/bert-emoji-names.yaml"], &weights[..]].concat()).remove(0)
}

/// The experiment of the README, watched.
fn live(studio: &Studio) -> String {
    assert_eq!(studio.finetop(&["slots", "1"]), Some(0));
    let files = ["experiments/emoji.yaml", "experiments/emoji-overfit.yaml", "experiments/emoji-lr-1e-2.yaml"];
    let runs = studio.add(&files);
    let mut dashboard = studio.dashboard();
    dashboard.choose(&runs[0]);
    dashboard.press("1");
    dashboard.wait_long("the third epoch of the last layers", |screen| screen.contains("fine_tune 3/10"));
    dashboard.picture("dashboard", "The dashboard while an experiment trains");
    dashboard.leave();
    assert_eq!(studio.finetop(&["cancel", &runs[1], &runs[2]]), Some(0));
    studio.wait(&[&runs[0]]);
    runs[0].clone()
}

/// What there is to see of runs that are over.
fn ended(studio: &Studio, [emoji, failed, texts]: [&str; 3]) {
    let mut dashboard = studio.dashboard();
    dashboard.choose(emoji);
    dashboard.press("4z");
    dashboard.wait_for("macro F1");
    dashboard.rows(24);
    dashboard.picture("confusion", "The confusion matrix, and the pictures of one of its cells");
    dashboard.rows(SIZE.1);
    dashboard.press("]");
    dashboard.picture("misclassified", "Pictures that were taken for something else");
    dashboard.press("]");
    dashboard.rows(28);
    dashboard.picture("augmented", "Pictures as they were augmented for training");
    dashboard.rows(SIZE.1);
    dashboard.press("z2z/no better\r");
    dashboard.wait_for("/no better");
    dashboard.picture("log", "The log, searched");
    dashboard.press("\x1bz");

    dashboard.choose(failed);
    dashboard.press("2");
    dashboard.picture("failed", "A run that failed: why, and what to do");
    dashboard.choose(texts);
    dashboard.press("4z");
    dashboard.rows(16);
    dashboard.picture("texts", "Texts that were taken for something else");
    dashboard.rows(SIZE.1);
    dashboard.press("z");

    dashboard.choose("emoji-sweep");
    dashboard.press("C");
    dashboard.wait_for("8 runs of emoji-sweep");
    dashboard.press("z");
    dashboard.picture("compare", "A sweep: its curves over each other, and what came out");
    dashboard.press("v");
    dashboard.rows(20);
    dashboard.picture("values", "A sweep: which value of which key does best");
    dashboard.rows(SIZE.1);
    dashboard.press("vz\x1b");

    dashboard.press("a/sweep\r");
    dashboard.wait_for("a sweep of 8 runs");
    dashboard.picture("add", "An experiment is chosen, with what it would do");
    dashboard.press("\x1b\x1b?");
    dashboard.wait_for("In the panes");
    dashboard.picture("help", "The keys");
    dashboard.press("\x1b");
    dashboard.leave();
}
