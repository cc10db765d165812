//! What a live run costs on the line to the terminal, counted and not timed: a slow one carries five kilobytes a second.

mod terminal;
mod workplace;

use finetop::record::event::{Best, Callbacks, Epoch, Event, Parameters, PhasePlan, PhaseStarted, RunStarted, Step};
use finetop::record::life::{ExecutorKind, LifeEvent};
use finetop::record::{NewRun, RunDir, Store, Writer};
use terminal::Terminal;
use workplace::{PROGRAM, Workplace};

/// Steps of an epoch.
const STEPS: u32 = 10;
/// Epochs before the dashboard is opened, and while it is watched.
const TRAINED: u32 = 20;
const WATCHED: u32 = 6;
/// Bytes of an update, of which a run of ten steps a second has ten a second: 3 kB/s.
const MOST: u64 = 300;

fn live_run(store: &Store) -> RunDir {
    let queued =
        LifeEvent::Queued { name: "live".into(), priority: 0, group: None, after: vec![], needs: Default::default() };
    let started = LifeEvent::Started {
        attempt: 1,
        executor: ExecutorKind::Local,
        process: None,
        job_id: None,
        host: "lab".into(),
        gpu: None,
    };
    let (experiment, resolved) = Default::default();
    let run = NewRun { name: "live".into(), experiment, resolved, life: vec![queued, started] };
    store.create_runs(&[run]).unwrap().remove(0)
}

fn begin() -> [Event; 2] {
    let parameters = Parameters { total: 1000, trainable: 100 };
    let phases = vec![PhasePlan { name: "head".into(), epochs: 100 }];
    let started = RunStarted {
        attempt: 1,
        version: "0".into(),
        host: "lab".into(),
        device: "cpu".into(),
        threads: 2,
        seed: 1,
        classes: vec!["one".into(), "other".into()],
        train_samples: 80,
        val_samples: 20,
        parameters,
        phases,
        resumed_from: None,
    };
    let phase = PhaseStarted {
        phase: "head".into(),
        index: 0,
        epochs: 100,
        trainable: vec!["head".into()],
        trainable_parameters: 100,
        optimizer: "adam".into(),
        lr: 1e-3,
    };
    [Event::RunStarted(started), Event::PhaseStarted(phase)]
}

/// A curve that falls, with noise.
fn loss(n: u32) -> f64 {
    1.0 / (1.0 + f64::from(n) * 0.01) + f64::from(n * 7919 % 1000) * 1e-4
}

/// What a worker writes after step `n`, from 0.
fn lines(n: u32) -> Vec<Event> {
    let (epoch, step) = (n / STEPS + 1, n % STEPS + 1);
    let (phase, loss) = ("head".to_owned(), loss(n));
    let (accuracy, lr, samples_per_s) = (1.0 - loss / 2.0, 1e-3, 300.0 + f64::from(n % 97) / 3.0);
    let told = Step { phase: phase.clone(), epoch, step, steps: STEPS, loss, accuracy, lr, samples_per_s };
    if step < STEPS {
        return vec![Event::Step(told)];
    }
    let end = Epoch {
        phase,
        epoch,
        phase_epoch: epoch,
        phase_epochs: 100,
        lr,
        loss,
        accuracy,
        val_loss: loss * 1.1,
        val_accuracy: accuracy,
        seconds: 1.0,
        samples_per_s,
        callbacks: Callbacks::default(),
        metrics: Default::default(),
    };
    let best = Best { epoch, monitor: "val_loss".into(), value: loss };
    vec![Event::Step(told), Event::Epoch(end), Event::Best(best)]
}

#[test]
fn a_step_costs_the_line_a_few_hundred_bytes() {
    let here = Workplace::empty();
    let store = Store::create(&here.store()).unwrap();
    let run = live_run(&store);
    let mut log = Writer::open(&run.events()).unwrap();
    log.write_all_unsynced(begin()).unwrap();
    log.write_all_unsynced((0..TRAINED * STEPS).flat_map(lines)).unwrap();
    let root = here.store();
    let environment = [("FINETOP_STORE", root.to_str().unwrap())];
    let none: [&str; 0] = [];
    let terminal = Terminal::start(PROGRAM, &none, (120, 40), here.folder(), &environment);
    terminal.answer();
    let shows = |n: u32| {
        let (epoch, step) = (n / STEPS + 1, n % STEPS + 1);
        let wanted = if step < STEPS { format!("step {step}/{STEPS}") } else { format!("epoch {epoch}/") };
        terminal.wait_for(&wanted, |screen| screen.contains(&wanted));
    };
    shows(TRAINED * STEPS - 1);
    log.write_all_unsynced(lines(TRAINED * STEPS)).unwrap();
    shows(TRAINED * STEPS);
    let (before, steps) = (terminal.bytes(), TRAINED * STEPS + 1..(TRAINED + WATCHED) * STEPS);
    for n in steps.clone() {
        log.write_all_unsynced(lines(n)).unwrap();
        shows(n);
    }
    let each = (terminal.bytes() - before) / u64::from(steps.end - steps.start);
    println!("{each} bytes a step");
    assert!(each > 0 && each <= MOST, "{each} bytes a step");
}
