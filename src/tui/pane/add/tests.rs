use proptest::prelude::*;
use ratatui::layout::Size;

use super::*;
use crate::base::id::RunId;
use crate::tui::action::News;
use crate::tui::fixtures::{self, press};
use crate::tui::library::{Preview, Problem};
use crate::tui::theme::Theme;
use crate::tui::update::hear;

fn files(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

fn good(runs: &[&str]) -> Check {
    let runs = runs.iter().map(|&run| run.to_owned()).collect();
    let about = ["emoji, squeezenet1_1, 128 pixels, batches of 32", "head: 20 epochs, lr 1.0e-3"];
    let about = about.map(str::to_owned).to_vec();
    let notes = vec!["train.early_stopping waits for longer than the phase".to_owned()];
    let text = "name: emoji\n# how it is trained\ntrain: { batch_size: 32 }\n".into();
    Check { text, verdict: Verdict::Good(Preview { runs, group: Some("emoji".into()), about, notes }) }
}

fn mistaken() -> Check {
    let words = "line 3: `batchsize` is no key of `train`".to_owned();
    let problem = Problem { line: Some(3), words, hint: Some("did you mean `batch_size`?".into()) };
    let text = "name: emoji\n\ntrain: { batchsize: 32 }\n".into();
    Check { text, verdict: Verdict::Mistaken(vec![problem]) }
}

/// What is looked at and was not answered.
fn looked_at(app: &App) -> Draft {
    let Some(Overlay::Add(add)) = &app.overlay else { panic!("it is open") };
    add.known.under_way.clone().expect("something is looked at")
}

fn answer(app: &mut App, check: Check) -> Vec<Effect> {
    let draft = looked_at(app);
    hear(app, News::Checked(draft, check))
}

fn opened(size: (u16, u16), names: &[&str]) -> App {
    let mut app = fixtures::app(size, fixtures::store());
    assert_eq!(press(&mut app, "a"), vec![Effect::Do(Job::List)]);
    hear(&mut app, News::Experiments(files(names)));
    app
}

fn ordered(effects: &[Effect]) -> library::Order {
    match effects {
        [Effect::Ask(Order::Add(order))] => order.clone(),
        other => panic!("one order: {other:?}"),
    }
}

#[test]
fn it_lists_checks_as_one_moves_and_adds() {
    let mut app = fixtures::app((120, 40), fixtures::store());
    assert_eq!(press(&mut app, "a"), vec![Effect::Do(Job::List)]);
    assert_eq!(press(&mut app, "<Enter>"), vec![], "nothing is there to be added yet");
    let files = files(&["a.yaml", "b.yaml"]);
    let check = |n: usize| vec![Effect::Do(Job::Check(Draft::of(files[n].clone())))];
    assert_eq!(hear(&mut app, News::Experiments(files.clone())), check(0));
    assert_eq!(press(&mut app, "j"), vec![], "one is looked at after the other");
    assert_eq!(answer(&mut app, good(&["a"])), check(1));
    answer(&mut app, mistaken());
    assert_eq!(press(&mut app, "k"), vec![], "what was checked is not checked again");
    assert_eq!(ordered(&press(&mut app, "<Enter>")).command(), "finetop add a.yaml");
    assert_eq!((&app.overlay, app.orders.under_way), (&None, 1));
    press(&mut app, "a<Esc>");
    assert_eq!(app.overlay, None);
    assert_eq!(hear(&mut app, News::Experiments(files)), vec![], "it was closed meanwhile");
}

#[test]
fn what_has_mistakes_is_not_queued() {
    let mut app = opened((120, 40), &["a.yaml"]);
    answer(&mut app, mistaken());
    assert_eq!(press(&mut app, "<Enter>"), vec![]);
    assert!(matches!(&app.notice, Some(Notice::Wrong(text)) if text.contains("batchsize")), "{:?}", app.notice);
    assert!(app.overlay.is_some());
}

#[test]
fn overrides_are_typed_completed_and_checked_as_they_are_typed() {
    let mut app = opened((120, 40), &["a.yaml"]);
    answer(&mut app, good(&["a"]));
    let effects = press(&mut app, "otrain.batch<Tab>");
    let with = |changes: &str| Draft { changes: changes.into(), ..Draft::of("a.yaml".into()) };
    assert_eq!(effects, vec![Effect::Do(Job::Check(with("t")))], "one at a time");
    assert_eq!(answer(&mut app, mistaken()), vec![Effect::Do(Job::Check(with("train.batch_size=")))]);
    press(&mut app, "64 seed=q<Back>7<Enter>");
    answer(&mut app, mistaken());
    answer(&mut app, good(&["a"]));
    press(&mut app, "gnight<Enter>p5<Enter>w15<Enter>");
    let order = ordered(&press(&mut app, "<Enter>"));
    let command = "finetop add a.yaml --set train.batch_size=64 --set seed=7 --group night --priority 5 --after 15";
    assert_eq!(order.command(), command);
    let mut app = opened((120, 40), &["a.yaml"]);
    answer(&mut app, good(&["a"]));
    press(&mut app, "oseed=1<Enter>o<Back>2<Esc>");
    let draft = ordered(&press(&mut app, "<Enter>")).draft;
    assert_eq!(draft, with("seed=1"), "what is left by Esc is as it was");
}

#[test]
fn files_are_found_by_letters_and_the_others_come_back() {
    let mut app = opened((120, 40), &["bert.yaml", "emoji.yaml", "vgg.yaml"]);
    press(&mut app, "/vg");
    assert!(fixtures::text(&fixtures::frame(&app, &fixtures::UNICODE)).contains("/vg█"));
    press(&mut app, "<Enter>");
    assert_eq!(ordered(&press(&mut app, "<Enter>")).draft.path, PathBuf::from("vgg.yaml"));
    let mut app = opened((120, 40), &["bert.yaml", "emoji.yaml", "vgg.yaml"]);
    press(&mut app, "/vg<Esc>j");
    assert_eq!(ordered(&press(&mut app, "<Enter>")).draft.path, PathBuf::from("vgg.yaml"), "it stayed on the third");
}

#[test]
fn an_edited_text_is_queued_when_it_is_right_and_shown_when_it_is_not() {
    let mut app = opened((120, 40), &["dir/a.yaml"]);
    assert_eq!(press(&mut app, "e"), vec![], "its text is not there yet");
    answer(&mut app, good(&["a"]));
    let edit = |text: &str| vec![Effect::Edit(Edit { name: "a.yaml".into(), text: text.into() })];
    assert_eq!(press(&mut app, "e"), edit(&good(&[]).text));
    hear(&mut app, News::Edited(Ok(None)));
    assert_eq!(app.notice, Some(Notice::Done("nothing was changed".into())));
    hear(&mut app, News::Edited(Err("`vi` could not be started".into())));
    assert!(matches!(app.notice, Some(Notice::Wrong(_))));
    hear(&mut app, News::Edited(Ok(Some("wrong".into()))));
    assert_eq!(answer(&mut app, mistaken()), vec![]);
    assert!(fixtures::text(&fixtures::frame(&app, &fixtures::UNICODE)).contains("a.yaml edited"));
    assert_eq!(press(&mut app, "e"), edit("wrong"), "what was written is not lost");
    hear(&mut app, News::Edited(Ok(Some("right".into()))));
    let order = ordered(&answer(&mut app, good(&["a"])));
    assert_eq!((order.draft.text.as_deref(), order.draft.path), (Some("right"), "dir/a.yaml".into()));
    assert_eq!((&app.overlay, app.orders.under_way), (&None, 1));
}

#[test]
fn a_run_is_queued_again_with_changes() {
    let mut app = fixtures::app((120, 40), fixtures::store());
    app.runs.choose(RunId(14));
    press(&mut app, "D");
    assert_eq!(looked_at(&app).path, PathBuf::from("/store/resolved.yaml"));
    hear(&mut app, News::Experiments(files(&["late.yaml"])));
    answer(&mut app, good(&["vgg16-head"]));
    let frame = fixtures::text(&fixtures::frame(&app, &fixtures::UNICODE));
    assert!(frame.contains("Queue 0014 vgg16-head again") && frame.contains("override █"), "{frame}");
    press(&mut app, "seed=7<Enter>");
    let order = ordered(&press(&mut app, "<Enter>"));
    assert_eq!(order.command(), "finetop add /store/resolved.yaml --set seed=7");
}

#[test]
fn its_page_scrolls_to_its_end_and_no_further() {
    let names: Vec<String> = (0..90).map(|n| format!("run-{n}")).collect();
    let mut app = opened((120, 40), &["a.yaml"]);
    answer(&mut app, good(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let shown = |app: &App| fixtures::text(&fixtures::frame(app, &fixtures::UNICODE));
    assert!(shown(&app).contains("a sweep of 90 runs") && !shown(&app).contains("run-89"));
    press(&mut app, "<PgDn><PgDn><PgDn><PgDn><PgDn><PgDn>");
    assert!(shown(&app).contains("run-89") && !shown(&app).contains("sweep of"), "{}", shown(&app));
    press(&mut app, "<Tab>");
    assert!(shown(&app).contains("3  train: { batch_size: 32 }"), "{}", shown(&app));
}

fn picture(size: (u16, u16), theme: &Theme, keys: &str, check: Check) -> String {
    let mut app = opened(size, &["bert.yaml", "experiments/emoji.yaml", "experiments/🍎 wide.yaml"]);
    answer(&mut app, check);
    press(&mut app, keys);
    fixtures::text(&fixtures::frame(&app, theme))
}

#[test]
fn pictures() {
    let sweep = || good(&["emoji-lr-1e-3", "emoji-lr-1e-4"]);
    let (unicode, ascii) = (&fixtures::UNICODE, &fixtures::ASCII);
    insta::assert_snapshot!("add_120x40", picture((120, 40), unicode, "otrain.b", sweep()));
    insta::assert_snapshot!("add_80x24_yaml", picture((80, 24), unicode, "<Tab>", mistaken()));
    insta::assert_snapshot!("add_60x15", picture((60, 15), unicode, "gnight<Enter>", mistaken()));
    insta::assert_snapshot!("add_80x24_ascii", picture((80, 24), ascii, "oseed=1", sweep()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_size_and_no_key_panics(width in 0u16..150, height in 0u16..50, keys in "[a-zA-Z0-9/. =\\[{'é🍎]{0,12}", good_one: bool) {
        let mut app = opened((120, 40), &["a.yaml", "b/\u{1b}[2Jc.yaml"]);
        answer(&mut app, if good_one { good(&["a", "b"]) } else { mistaken() });
        press(&mut app, &keys);
        app.screen.size = Size::new(width, height);
        press(&mut app, "<PgDn><Tab><PgDn>");
        fixtures::frame(&app, &fixtures::ASCII);
        fixtures::frame(&app, &fixtures::UNICODE);
    }
}
