use super::*;
use proptest::prelude::*;
use ratatui::layout::Size;

use crate::record::life::{Cause, ExecutorKind, LifeEvent, Outcome, ProcessId};
use crate::tui::action::News;
use crate::tui::fixtures::{self, ASCII, Recording, UNICODE, press, text};
use crate::tui::meters::{Gpu, Host, Rates, Worker};
use crate::tui::update::hear;

/// A run whose worker is process 42 of this machine, on GPU 0.
fn run() -> Recording {
    let mut run = Recording::queued(15, "emoji-🍎");
    run.life(LifeEvent::Started {
        attempt: 1,
        executor: ExecutorKind::Local,
        process: Some(ProcessId { pid: 42, start_ticks: 7, boot_id: "b".into() }),
        job_id: None,
        host: "lab".into(),
        gpu: Some("0".into()),
    });
    run
}

/// The `n`-th reading of a machine that gets busier.
fn reading(n: u32) -> Reading {
    Reading {
        cpu: 20 * n,
        memory_used: u64::from(n) << 30,
        memory_total: 16 << 30,
        host: Host {
            cores: vec![10 * n, 10 * n, 0, 100],
            load: Some([1.5, 0.25, 0.0]),
            swap_used: 0,
            swap_total: 2 << 30,
            space: Some((5 << 30, 100 << 30)),
            disk: Some(Rates { read: f64::from(n) * 1e6, written: 300.0 }),
            network: None,
        },
        workers: vec![Worker {
            cpu: 18 * n,
            memory: 512 << 20,
            threads: Some(9),
            disk: Rates { read: 0.0, written: 2048.0 },
            ..Worker::idle(RunId(15), "emoji-🍎".into())
        }],
        gpus: vec![Gpu {
            index: 0,
            name: "NVIDIA H200".into(),
            busy: Some(9 * n),
            memory: Some((130 << 30, 139 << 30)),
            temperature: Some(54),
            power: Some((320.4, Some(700.0))),
            runs: vec![RunId(15)],
        }],
    }
}

fn app(size: (u16, u16)) -> App {
    let mut app = fixtures::app(size, fixtures::delta([run().run()]));
    press(&mut app, "5z");
    (1..=10).for_each(|n| drop(hear(&mut app, News::Meters(reading(n)))));
    app
}

fn drawn(app: &App, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, app.screen.size.width, app.screen.size.height));
    draw(theme, app.layout().bottom.unwrap_or_default(), &mut buf, app, true);
    buf
}

#[test]
fn the_machine_its_gpus_and_its_workers() {
    for (name, size, theme) in
        [("wide", (120, 13), UNICODE), ("narrow", (60, 13), UNICODE), ("ascii", (100, 13), ASCII)]
    {
        insta::assert_snapshot!(name, text(&drawn(&app(size), &theme)));
    }
}

#[test]
fn what_is_scarce_is_said_in_colour() {
    let app = app((120, 13));
    let roles: Vec<(String, Role)> = lines::of(&app).iter().flat_map(lines::Line::parts).collect();
    let role = |text: &str| roles.iter().find(|(part, _)| part == text).map(|(_, role)| *role);
    assert_eq!(role("5.0 GiB free of 100.0 GiB"), Some(Role::Bad));
    assert_eq!(role("130.0 GiB of 139.0 GiB"), Some(Role::Bad));
    assert_eq!(role("10.0 GiB"), Some(Role::Strong), "of 16 GiB: {roles:?}");
}

#[test]
fn meters_are_read_while_something_runs_or_the_pane_is_shown() {
    let live = Live {
        id: RunId(15),
        name: "emoji-🍎".into(),
        process: ProcessId { pid: 42, start_ticks: 7, boot_id: "b".into() },
        gpu: Some("0".into()),
    };
    let mut app = App::new(Size::new(120, 40), None);
    assert!(hear(&mut app, News::Meters(reading(1))).is_empty() && app.meters.is_none(), "nobody asked");
    let measured = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Measure(wish) => Some(wish),
            _ => None,
        })
    };
    assert_eq!(measured(press(&mut app, "5")), Some(Wish::All(vec![])), "shown, while nothing runs");
    assert_eq!(measured(hear(&mut app, News::Runs(fixtures::delta([run().run()])))), Some(Wish::All(vec![live])));
    assert_eq!(measured(press(&mut app, "1")), Some(Wish::Host));
    hear(&mut app, News::Meters(reading(1)));
    assert!(app.meters.is_some() && app.system.history.last().is_some());
    assert_eq!(measured(press(&mut app, "2")), None, "nothing changes");
    let mut over = run();
    over.exited(Outcome::Finished, Cause::Completed, None);
    assert_eq!(measured(hear(&mut app, News::Runs(fixtures::delta([over.run()])))), Some(Wish::Nothing));
    assert!(app.meters.is_none() && app.system.history.last().is_none() && app.system.live.is_empty());
}

#[test]
fn a_bar_is_as_high_as_its_share() {
    for (value, most, unicode, ascii) in [
        (0.0, 100.0, '▁', '_'),
        (1.0, 100.0, '▂', '.'),
        (50.0, 100.0, '▅', '='),
        (100.0, 100.0, '█', '#'),
        (400.0, 100.0, '█', '#'),
        (5.0, 0.0, '▁', '_'),
    ] {
        assert_eq!((spark::bar(&UNICODE, value, most), spark::bar(&ASCII, value, most)), (unicode, ascii), "{value}");
    }
    assert_eq!(spark::spark(&UNICODE, &[0.0, 50.0, 100.0], 100.0, 5), "  ▁▅█");
    assert_eq!(spark::spark(&UNICODE, &[0.0, 50.0, 100.0], 100.0, 2), "▅█");
    assert_eq!(spark::spark(&UNICODE, &[], 100.0, 2), "  ");
}

#[test]
fn it_scrolls_no_further_than_its_end() {
    let mut app = app((60, 6));
    press(&mut app, "G");
    assert!(text(&drawn(&app, &UNICODE)).contains("0015"));
    press(&mut app, "g");
    assert_eq!(app.system.scroll, 0);
}

proptest! {
    #[test]
    fn no_size_is_too_odd(width in 0u16..150, height in 0u16..30, scroll in 0usize..30, cpu: u32, cores in 0usize..200) {
        let mut app = app((150, 30));
        app.system.scroll = scroll;
        app.screen.size = Size::new(width, height);
        let mut odd = reading(3);
        odd.cpu = cpu;
        odd.host.cores = vec![cpu; cores];
        odd.memory_total = 0;
        hear(&mut app, News::Meters(odd));
        let buf = drawn(&app, &UNICODE);
        prop_assert!(buf.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        prop_assert!(drawn(&app, &ASCII).area == buf.area);
    }
}
