//! `finetop verify`, on the built-in figures and on files of the same format that are made here.

mod workplace;

use serde_json::{Value, json};
use workplace::Workplace;

const FORMULA: &str = "value[i] of the flattened row-major tensor = f32(scale * (2*u - 1)), u = (mix(k * 2^32 + i) >> 40) \
                       / 2^24, mix = the splitmix64 output function on that 64-bit state";

fn reference(name: &str) -> Value {
    let path = format!("{}/tests/reference/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A workplace with `figures` as the file `NAME.json` of the folder `figures`.
fn with(name: &str, figures: &Value) -> Workplace {
    let here = Workplace::empty();
    here.write(&format!("figures/{name}.json"), figures.to_string());
    here
}

#[test]
fn what_is_built_in_holds() {
    let here = Workplace::empty();
    let ended = here.finetop(&["verify"]).succeeded();
    for line in ["callbacks   case 23", "optimizers  torch 2.15.0 adamw", "vgg16       features", "bert        losses"]
    {
        let found = ended.stdout.lines().find(|found| found.starts_with(line));
        assert!(found.is_some_and(|found| found.ends_with("ok")), "{line}\n{}", ended.stdout);
    }
    assert!(
        ended.stdout.lines().last().unwrap().starts_with("53 of 53 within their tolerance on "),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.stderr, "");
}

/// Of each kind of file one expectation is moved, and nothing but that one is found.
#[test]
fn a_figure_that_does_not_hold_is_found_and_named() {
    let here = Workplace::empty();
    let mut wanted = Vec::new();
    for (name, pointer, value, case) in [
        ("callbacks", "/cases/3/lr_after_epoch/2", json!(0.0005), "case 3"),
        ("callbacks", "/cases/1/best_epoch", json!(3), "case 1"),
        ("optimizers", "/cases/3/params_after_step/7/11", json!(0.5), "torch 2.15.0 adamw lr=0.01 weight_decay=0.1"),
        ("transforms", "/cases/4/output_hwc/100", json!(300.0), "case 4 (12×12)"),
        ("bert", "/losses/5", json!(0.569), "losses"),
        ("bert", "/logits_before/2/1", json!(0.3057), "logits"),
    ] {
        let mut figures = reference(name);
        *figures.pointer_mut(pointer).unwrap() = value;
        let file = format!("{name}-{}", wanted.len());
        here.write(&format!("figures/{file}.json"), figures.to_string());
        wanted.push(format!("{file}: {case}"));
    }
    wanted.sort();
    let ended = here.finetop(&["verify", "figures"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let mut named: Vec<&str> = ended.stderr.lines().skip(1).map(str::trim).collect();
    named.sort_unstable();
    assert_eq!(named, wanted, "{}", ended.stdout);
    assert_eq!(ended.stdout.lines().filter(|line| line.ends_with("FAIL")).count(), wanted.len());

    let ended = here.finetop(&["verify", "figures", "--json"]);
    assert_eq!(ended.code, 1);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["beyond"], wanted.len());
    let bad: Vec<&Value> = report["cases"].as_array().unwrap().iter().filter(|case| case["ok"] == false).collect();
    assert_eq!(bad.len(), wanted.len());
    assert!(bad.iter().all(|case| case["error"].as_f64().unwrap() > case["tolerance"].as_f64().unwrap()));
}

/// The splitmix64 output function, written down once more.
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn formula(k: u64, scale: f64, count: u64) -> Vec<f64> {
    let u = |i| (mix(k * (1 << 32) + i) >> 40) as f64 / 16_777_216.0;
    (0..count).map(|i| f64::from((scale * (2.0 * u(i) - 1.0)) as f32)).collect()
}

/// A rule of the update in f64, after the papers: the new weight from step (from 1), weight, gradient and two numbers
/// that it keeps.
type Rule = fn(i32, f64, f64, &mut [f64; 2]) -> f64;

fn adam(step: i32, gradient: f64, kept: &mut [f64; 2], [beta_1, beta_2]: [f64; 2]) -> [f64; 2] {
    kept[0] = beta_1 * kept[0] + (1.0 - beta_1) * gradient;
    kept[1] = beta_2 * kept[1] + (1.0 - beta_2) * gradient * gradient;
    [kept[0] / (1.0 - beta_1.powi(step)), kept[1] / (1.0 - beta_2.powi(step))]
}

const RULES: [(&str, &str, Rule); 9] = [
    ("torch 9.9", "sgd lr=0.05 weight_decay=0.2", |_, w, g, _| w - 0.05 * (g + 0.2 * w)),
    ("torch 9.9", "sgd lr=0.05 momentum=0.8 dampening=0.3", |step, w, g, kept| {
        kept[0] = if step == 1 { g } else { 0.8 * kept[0] + 0.7 * g };
        w - 0.05 * kept[0]
    }),
    ("keras 9.9", "sgd lr=0.05 momentum=0.7 nesterov", |_, w, g, kept| {
        kept[0] = 0.7 * kept[0] - 0.05 * g;
        w + 0.7 * kept[0] - 0.05 * g
    }),
    ("torch 9.9", "adam lr=0.02 betas=(0.8, 0.99) eps=1e-3", |step, w, g, kept| {
        let [m, v] = adam(step, g, kept, [0.8, 0.99]);
        w - 0.02 * m / (v.sqrt() + 1e-3)
    }),
    ("keras 9.9", "adam lr=0.02 beta_1=0.85 (epsilon 1e-3)", |step, w, g, kept| {
        adam(step, g, kept, [0.85, 0.999]);
        // Keras has the powers of beta in f32, which is seen: 1 - 0.999 keeps four digits of them
        let power = |beta: f32| f64::from(1.0 - beta.powf(step as f32));
        let m = kept[0] / power(0.85);
        let corrected = power(0.999).sqrt();
        w - 0.02 * corrected * m / (kept[1].sqrt() + 1e-3)
    }),
    ("torch 9.9", "adamw lr=0.03 weight_decay=0.3 betas=(0.9, 0.98) eps=1e-6", |step, w, g, kept| {
        let [m, v] = adam(step, g, kept, [0.9, 0.98]);
        w - 0.03 * 0.3 * w - 0.03 * m / (v.sqrt() + 1e-6)
    }),
    ("torch 9.9", "adamw lr=0.003", |step, w, g, kept| {
        let [m, v] = adam(step, g, kept, [0.9, 0.999]);
        w - 0.003 * 0.01 * w - 0.003 * m / (v.sqrt() + 1e-8)
    }),
    ("torch 9.9", "rmsprop lr=0.004 alpha=0.8 weight_decay=0.1", |_, w, g, kept| {
        let g = g + 0.1 * w;
        kept[0] = 0.8 * kept[0] + 0.2 * g * g;
        w - 0.004 * g / (kept[0].sqrt() + 1e-8)
    }),
    ("torch 9.9", "rmsprop lr=0.004 momentum=0.6 eps=1e-4", |_, w, g, kept| {
        kept[0] = 0.99 * kept[0] + 0.01 * g * g;
        kept[1] = 0.6 * kept[1] + g / (kept[0].sqrt() + 1e-4);
        w - 0.004 * kept[1]
    }),
];

/// Figures of all rules with starts, scales, shape and a number of steps that are in no other file.
fn optimizers() -> Value {
    let count = 30;
    let cases = RULES.map(|(library, optimizer, rule)| {
        let mut weights = formula(700_001, 0.75, count);
        let mut kept = vec![[0.0; 2]; count as usize];
        let steps: Vec<Vec<f64>> = (0..11)
            .map(|step| {
                let gradient = formula(800_100 + step, 0.4, count);
                for ((weight, g), kept) in weights.iter_mut().zip(gradient).zip(&mut kept) {
                    *weight = rule(step as i32 + 1, *weight, g, kept);
                }
                weights.clone()
            })
            .collect();
        json!({ "library": library, "optimizer": optimizer, "params_after_step": steps })
    });
    json!({
        "formula": FORMULA, "seed": 70, "k": { "start": 700_001, "gradient_at_step_0": 800_100 }, "shape": [2, 5, 3],
        "start": "formula(k=700001, scale=0.75)",
        "gradient_at_step_s": "formula(k=800100+s, scale=0.4), s from 0",
        "cases": cases,
    })
}

#[test]
fn optimizers_of_another_seed_and_other_settings_hold() {
    let here = with("seed70", &optimizers());
    let ended = here.finetop(&["verify", "figures"]).succeeded();
    assert_eq!(ended.stdout.lines().filter(|line| line.ends_with("ok")).count(), RULES.len(), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");

    // Each setting counts: another one is no longer what the figures are of.
    for (from, to) in [("dampening=0.3", "dampening=0.31"), ("0.98) eps", "0.97) eps"), ("lr=0.003", "lr=0.0031")] {
        let text = optimizers().to_string().replace(from, to);
        let ended = with("seed70", &serde_json::from_str(&text).unwrap()).finetop(&["verify", "figures"]);
        assert_eq!((ended.code, ended.stderr.lines().count()), (1, 2), "{to}: {}", ended.stderr);
        assert!(ended.stderr.contains(to), "{}", ended.stderr);
    }
}

/// `patience` epochs without a better `val_loss`, told epoch by epoch.
#[test]
fn callbacks_of_other_settings_hold() {
    let values = [1.0, 0.8, 0.85, 0.82, 0.81, 0.79, 0.9, 0.9, 0.9, 0.9];
    // the rate halves after two epochs that are no better; four such epochs end the phase
    let lr = 0.02f32;
    let (half, quarter) = ((f64::from(lr) * 0.5) as f32, (f64::from(lr) * 0.25) as f32);
    let rates = [lr, lr, lr, half, half, half, half, quarter, quarter, quarter].map(f64::from);
    let figures = json!({
        "formula": FORMULA, "seed": 9, "source": "by hand",
        "cases": [{
            "monitor": "val_loss", "mode": "min", "values": values, "initial_lr": 0.02,
            "early_stopping": {
                "patience": 4, "min_delta": 0.0, "restore_best_weights": true, "start_from_epoch": 0,
            },
            "reduce_lr_on_plateau": {
                "factor": 0.5, "patience": 2, "min_delta": 0.0, "cooldown": 0, "min_lr": quarter,
            },
            "lr_after_epoch": rates, "stopped_at_epoch": 9, "best_epoch": 5, "weights_at_end_are_of_epoch": 5,
        }],
    });
    let ended = with("seed9", &figures).finetop(&["verify", "figures"]).succeeded();
    assert!(ended.stdout.contains("1 of 1 within"), "{}", ended.stdout);
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let mut lacks_losses = reference("bert");
    lacks_losses.as_object_mut().unwrap().remove("losses");
    let changed = |name: &str, pointer: &str, value: Value| {
        let mut figures = reference(name);
        *figures.pointer_mut(pointer).unwrap() = value;
        figures.to_string()
    };
    let cases = [
        ("cut", "{\"formula\": ".to_owned(), "cut is no JSON"),
        ("lacks", lacks_losses.to_string(), "lacks: missing field `losses`"),
        ("unknown", json!({ "formula": FORMULA, "cases": [] }).to_string(), "no kind of figures that is known here"),
        (
            "start",
            changed("optimizers", "/k", json!({ "start": 1 })),
            "start: `k` does not say where `gradient_at_step_0`",
        ),
        ("scale", changed("optimizers", "/start", json!("formula(k=1)")), "scale: `start` is not understood"),
        (
            "rule",
            changed("optimizers", "/cases/0/optimizer", json!("lion lr=0.1")),
            "rule: `cases[0].optimizer` is not",
        ),
        (
            "amsgrad",
            changed("optimizers", "/cases/2/optimizer", json!("adam lr=0.01 amsgrad")),
            "understood: `amsgrad`",
        ),
        ("names", changed("bert", "/names/3", json!("bert.nonsense")), "names: `names` names `nonsense`"),
        ("config", changed("bert", "/config/num_attention_heads", json!(5)), "config: `config` describes no BERT"),
        ("steps", changed("bert", "/steps", json!("6 steps by hand")), "steps: `steps` is not understood"),
        ("mask", changed("bert", "/attention_mask/0", json!([1])), "mask: `input_ids` is of another shape"),
        ("level", changed("transforms", "/cases/1/input_hwc/0", json!(0.5)), "level: `cases[1]` has input that is no"),
        ("size", changed("transforms", "/cases/1/height", json!(8)), "size: `cases[1]` has input of another height"),
    ];
    let all = Workplace::empty();
    for (name, text, said) in &cases {
        let here = Workplace::empty();
        here.write(&format!("figures/{name}.json"), text);
        let ended = here.finetop(&["verify", "figures"]);
        assert_eq!(ended.code, 2, "{name}: {ended:?}");
        assert!(ended.stderr.contains(said), "{name}: {}", ended.stderr);
        all.write(&format!("figures/{name}.json"), text);
    }
    // together: each is told, and what can be replayed is
    all.write("figures/good.json", optimizers().to_string());
    let ended = all.finetop(&["verify", "figures"]);
    assert_eq!(ended.code, 2);
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("error: ")).count(), cases.len());
    assert!(ended.stdout.contains(&format!("{0} of {0} within", RULES.len())), "{}", ended.stdout);
}

#[test]
fn a_folder_without_figures_is_an_error() {
    let here = Workplace::empty();
    here.write("empty/readme.txt", "no figures");
    here.write("other/package.json", "{\"name\": \"x\"}");
    for (folder, said) in
        [("empty", "empty holds no figures"), ("other", "other holds no figures"), ("none", "could not read none")]
    {
        let ended = here.finetop(&["verify", folder]);
        assert_eq!(ended.code, 2, "{folder}");
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    assert!(here.finetop(&["verify", "other"]).stderr.contains("package: it holds no figures that are known here"));
}

#[test]
fn what_is_not_known_of_a_file_is_said() {
    let mut figures = optimizers();
    figures["surprise"] = json!(1);
    figures["formula"] = json!("another");
    let ended = with("odd", &figures).finetop(&["verify", "figures"]).succeeded();
    assert!(ended.stderr.contains("odd: the field `surprise` is not known here"), "{}", ended.stderr);
    assert!(ended.stderr.contains("odd: its `formula` is another"), "{}", ended.stderr);
}
