//! What a person sees for each mistake.

use super::{LEAST, read, read_with};

/// Each wrong text with a name for its snapshot.
#[test]
fn every_mistake_is_shown_with_its_place() {
    let model = "model: { backbone: squeezenet1_1, weights: random }\n";
    let data = "data: { train: train, val_split: 0.2 }\n";
    let phases = |text: &str| format!("{LEAST}train:\n  phases:\n{text}");
    let train = |text: &str| format!("{LEAST}train:\n{text}");
    let cases: &[(&str, String)] = &[
        ("empty", String::new()),
        ("only_comments", "# an experiment\n# to come\n".into()),
        ("a_list", "- data\n- model\n".into()),
        ("a_text", "data train".into()),
        ("unknown_keys", format!("{LEAST}traim:\n  epochs: 3\nbatch_size: 3\nmatrixes: {{}}\n")),
        ("unknown_key_inside", train("  bach_size: 3\n  epochs: 3\n  learning-rate: 1\n  sheduler: x\n  lr: 3\n")),
        ("two_mistakes_at_once", format!("seed: -1\n{LEAST}train: {{ batch_size: 0 }}\n")),
        ("missing_all", "seed: 1\n".into()),
        ("missing_inside", "data:\n  image_size: 224\nmodel:\n  pool: max\n".into()),
        ("both_validations", format!("data:\n  train: a\n  val: b\n  val_split: 0.2\n{model}")),
        ("wrong_types", train("  batch_size: many\n  phases: 3\n  early_stopping: true\n  save: [best]\n")),
        ("whole_numbers", phases("    - epochs: 20.0\n    - epochs: '20'\n    - epochs: 1_000\n    - epochs: 010\n    - epochs: 1e400\n    - epochs: 99999999999999999999\n")),
        ("shares", format!("data: {{ train: a, val_split: 20%, augment: {{ zoom: 1, width_shift: -0.1, height_shift: \"0,2\" }} }}\n{model}")),
        ("no_numbers", phases("    - optimizer: { adam: { lr: .nan, beta_1: .inf, beta_2: -.inf, epsilon: 0 } }\n")),
        ("callbacks", train("  early_stopping: { patience: -1, min_delta: -1e-4, monitor: val_acc, mode: up, restore_best_weights: yes }\n  reduce_lr_on_plateau: { factor: 1, min_lr: -1 }\n")),
        ("augmentations", format!("data:\n  train: a\n  val_split: 0.2\n  augment:\n    brightness: [1.2, 0.8]\n    brightness_range: [0, 1]\n    contrast: 1.5\n    shear: 90\n    fill_mode: wrap\n    mixup: 0\n    cutmix: [0.2, 0.4]\n    random_erasing: {{ probability: 0, scale: [0.5], ratio: [3.3, 0.3], p: 1 }}\n{model}")),
        ("a_range_of_one_number", format!("data: {{ train: a, val_split: 0.2, augment: {{ brightness: 0.2 }} }}\n{model}")),
        ("mixup_of_texts", "data: { train: a.csv, val_split: 0.2, augment: { mixup: 0.2, cutmix: 1 } }\nmodel: { backbone: bert, weights: random, tokenizer: v }\n".into()),
        ("metrics", train("  metrics: [f2, top_k, roc_auc, val_f1, accuracy, f1, f1, 3, [ece], top_0, f1/, calibrated]\n")),
        ("metrics_in_no_list", train("  metrics: f1\n")),
        ("monitors", train("  monitor: f1\n  early_stopping: { monitor: val_f2 }\n  reduce_lr_on_plateau: { monitor: val_recall_per_class }\n")),
        ("monitors_by_other_names", train("  monitor: val_auc\n  early_stopping: { monitor: val_los }\n  reduce_lr_on_plateau: { monitor: nonsense }\n")),
        ("duplicates", "seed: 1\ndata: { train: a, val: b, train: c }\nmodel: { backbone: squeezenet1_1, weights: random }\nseed: 2\n".into()),
        ("phase_names", phases("    - name: head\n    - name: head\n    - name: a/b\n    - name: 7\n")),
        ("phase_name_through_a_merge", phases("    - &head { name: head }\n    - <<: *head\n      epochs: 3\n")),
        ("no_phases", train("  phases: []\n")),
        ("optimizers", phases("    - optimizer: adm\n    - optimizer: { lr: 1e-3 }\n    - optimizer: { sgd: { lr: 0, momentum: 1, nesterov: true } }\n    - optimizer: { sgd: { nesterov: true } }\n    - optimizer: { adam: { variant: torch } }\n    - optimizer: { adamax: { lr: 1e-3 } }\n    - optimizer: {}\n    - optimizer: 1e-3\n")),
        ("trainables", phases("    - trainable: heads\n    - trainable: { last_layers: 0 }\n    - trainable: { from: '' }\n    - trainable: { names: 'fire9*' }\n    - trainable: { names: ['fire[9', 3] }\n    - trainable: { from: a, last_layers: 3 }\n    - trainable: { last_layers: }\n    - trainable: { names: [] }\n")),
        ("schedules", phases("    - schedule: cosin\n    - schedule: { step: { factor: 1 } }\n    - schedule: { constant: {}, cosine: {} }\n    - { epochs: 3, schedule: { linear: { warmup_epochs: 3.5 } } }\n    - schedule: { cosine: { min_lr: 0.01, eta_min: 0, by: epochs } }\n    - schedule: { one_cycle: { max_lr: 0.1 } }\n    - schedule: 1e-3\n    - schedule: {}\n")),
        ("rates_of_layers", phases("    - lr_decay: 0\n    - lr_decay: 1.5\n    - lr_factors: 2\n    - lr_factors: { 'fire[9': 2, head.*: -1, fire8: }\n    - lr_factors: {}\n    - trainable: { gradual: { every: 0, blocks: 0 } }\n")),
        ("losses", format!("{data}model: {{ backbone: squeezenet1_1, weights: random, l2: -1, head: [{{ dense: {{ units: 3, l2: x }} }}] }}\ntrain:\n  label_smoothing: 1\n  class_weight: balance\n  gradient_accumulation_steps: 4\n")),
        ("class_weights", train("  class_weight: { red: heavy, blue: .nan, green: -1, grey: [1] }\n  accumulate: 0\n")),
        ("two_callbacks_of_a_kind", train("  early_stopping: [ { patience: 3 }, { patience: 5 } ]\n  reduce_lr_on_plateau:\n    - {}\n")),
        ("heads", format!("{data}model:\n  backbone: squeezenet1_1\n  weights: random\n  head:\n    - dense: {{ activation: gelu }}\n    - dense: 0\n    - dropout: 1\n    - dropout:\n    - conv: 3\n    - {{ dense: 3, dropout: 0.5 }}\n    - dense\n    - dense:\n")),
        ("models", format!("{data}model: {{ backbone: squeezenet, weights: imagenet, preprocessing: cafe, pool: mean }}\n")),
        ("weights_of_a_hub", format!("{data}model: {{ backbone: vgg16, weights: 'hf:vgg16' }}\n")),
        ("weights_of_a_hub_without_owner", format!("{data}model: {{ backbone: bert, weights: 'hf:bert-base-uncased' }}\n")),
        ("weights_of_a_hub_outside", format!("{data}model: {{ backbone: vgg16, weights: 'hf:timm/../vgg16' }}\n")),
        ("weights_of_a_hub_without_revision", format!("{data}model: {{ backbone: vgg16, weights: 'hf:timm/vgg16@' }}\n")),
        ("weights_of_a_hub_in_no_file_of_weights", format!("{data}model: {{ backbone: vgg16, weights: 'hf:timm/vgg16/README.md' }}\n")),
        ("weights_of_an_address", format!("{data}model: {{ backbone: vgg16, weights: 'https://huggingface.co/timm/vgg16' }}\n")),
        ("weights_unknown", format!("{data}model: {{ backbone: bert, weights: bert-base-uncase }}\n")),
        ("weights_of_another_backbone", format!("{data}model: {{ backbone: distilbert, weights: bert-base-uncased }}\n")),
        ("weights_of_keras", format!("{data}model: {{ backbone: vgg16, weights: w.h5 }}\n")),
        ("random_weights_without_tokenizer", format!("{data}model: {{ backbone: bert, weights: random }}\n")),
        ("name_with_slash", format!("name: ../up\n{LEAST}")),
        ("name_with_control", format!("name: \"a\\eb\"\n{LEAST}")),
        ("name_with_dash", format!("name: -a\n{LEAST}")),
        ("name_empty", format!("name: ''\n{LEAST}")),
        ("name_long", format!("name: {}\n{LEAST}", "x".repeat(65))),
        ("empty_path", format!("data: {{ train: '', val_split: 0.2 }}\n{model}")),
        ("keys_that_are_no_texts", format!("{LEAST}1: a\n[a]: b\n")),
        ("tag", format!("name: !!str a\n{LEAST}")),
        ("two_documents", format!("{LEAST}---\n{LEAST}")),
        ("unclosed", "data: { train: a\nmodel: x\n".into()),
        ("unclosed_quote", "name: 'a\n".into()),
        ("tabs", "data:\n\ttrain: a\n".into()),
        ("colon", "name: a: b\n".into()),
        ("unknown_alias", format!("{LEAST}train: *fast\n")),
        ("star", "name: [*fire*]\n".into()),
        ("alias_of_itself", "data: &data\n  train: *data\n".into()),
        ("wrong_merges", format!("{LEAST}<<: 3\ntrain:\n  <<: [3, {{ batch_size: 8 }}]\n")),
        ("control_character", "name: a\u{1}b\n".into()),
        ("hostile_text", format!("na\u{202e}me: x\n{LEAST}\"\\e[31mred\": 1\n")),
        ("windows_lines", "seed: -1\r\ndata: { train: a, val_split: 2 }\r\nmodel: { backbone: squeezenet1_1, weights: random }\r\n".into()),
    ];
    for (name, text) in cases {
        let mistakes = read(text).expect_err(name);
        assert!(!mistakes.render(true).is_empty());
        insta::assert_snapshot!(*name, mistakes.to_string());
    }
}

#[test]
fn every_mistake_of_an_override_is_shown_on_the_override() {
    let cases: &[(&str, &[&str])] = &[
        ("set_out_of_range", &["train.batch_size=0"]),
        ("set_unknown_key", &["train.bach_size=3", "trai.batch_size=3"]),
        ("set_wrong_value", &["model.pool=mean", "data.image_size=large"]),
        (
            "set_item",
            &["train.phases=[]", "train.phases.0.epochs=3", "model.head.2.dropout=0.5", "model.head.x.dropout=0.5"],
        ),
        ("set_no_yaml", &["name=[a", "seed=1", "seed=a: b: c"]),
    ];
    for (name, overrides) in cases {
        let text = LEAST.replace("weights: random", "weights: random, head: [dropout: 0.1]");
        let mistakes = read_with(&text, overrides).expect_err(name);
        insta::assert_snapshot!(*name, mistakes.to_string());
    }
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let mistakes = read("seed: -1\n").unwrap_err();
    assert!(mistakes.render(true).contains("\u{1b}["));
    assert!(!mistakes.render(false).contains('\u{1b}'));
    assert_eq!(mistakes.to_string(), mistakes.render(false));
}

#[test]
fn the_short_form_has_line_column_message_and_hint() {
    let mistakes = read(&format!("{LEAST}train:\n  bach_size: 3\n")).unwrap_err();
    let all: Vec<_> = mistakes.iter().map(|m| (m.line, m.column, &*m.message, m.hint.as_deref())).collect();
    assert_eq!(all, [(4, 3, "unknown key `bach_size` in `train`", Some("did you mean `batch_size`?"))]);
}
