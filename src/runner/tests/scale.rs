//! Many runs on several slots: none lost, none run twice, never more at once than there are slots.

use super::*;

/// Queues thirty experiments on six slots, half of them while the others run, and looks at what became of each.
fn thirty_on_six() {
    let bench = Bench::new(Settings {
        slots: 6,
        ..Settings::script(
            r#"
            mkdir -p "$run/../../busy"; : > "$run/../../busy/$$"
            ls "$run/../../busy" | wc -l > "$run/at_once"
            rm "$run/../../busy/$$"
            finish"#,
        )
    });
    let names: Vec<String> = (1..=30).map(|n| format!("e{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dirs = [bench.add(&names[..15]), bench.add(&names[15..])].concat();
    assert_eq!(dirs.iter().map(|dir| dir.id().0).collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>());
    for dir in &dirs {
        let run = wait_over(dir);
        assert_eq!((run.status(), run.life.attempts, starts(dir).len()), (Status::Finished, 1, 1), "{}", dir.name());
        let at_once: usize = fs::read_to_string(dir.path().join("at_once")).unwrap().trim().parse().unwrap();
        assert!((1..=6).contains(&at_once), "{at_once} at once");
    }
    assert!(bench.status().runs.live.is_empty());
}

#[test]
fn thirty_experiments_on_six_slots() {
    thirty_on_six();
}

#[test]
#[ignore = "a hundred times; a script runs it"]
fn thirty_experiments_on_six_slots_a_hundred_times() {
    let watch = Stopwatch::start();
    for trial in 1..=100 {
        thirty_on_six();
        println!("trial {trial} of 100 went well, {:.0} s", watch.seconds());
    }
}
