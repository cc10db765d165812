use super::*;
use std::fs;

#[test]
fn files_of_the_folder_and_its_folders_are_found_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["b.yaml", "a.yml", "c.txt", "experiments/x.yaml", "target/no.yaml", ".hidden/no.yaml", "deep/er/no.yaml"]
    {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
    }
    let found = files(folder.path());
    let names: Vec<_> =
        found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
    assert_eq!(names, ["a.yml", "b.yaml", "experiments/x.yaml"]);
}

const GOOD: &str = "data: { train: ., val: . }\nmodel: { backbone: squeezenet1_1, weights: random }\n";

fn drafted(text: &str) -> (tempfile::TempDir, Draft) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.yaml");
    fs::write(&path, text).unwrap();
    (folder, Draft::of(path))
}

fn problems_of(draft: &Draft) -> Vec<Problem> {
    match check(draft).verdict {
        Verdict::Mistaken(problems) => problems,
        Verdict::Good(preview) => panic!("it has a mistake: {preview:?}"),
    }
}

fn order(draft: Draft) -> Order {
    Order { draft, group: None, priority: 0, after: vec![] }
}

#[test]
fn mistakes_are_said_with_their_lines() {
    let (_folder, draft) = drafted(&GOOD.replace("backbone", "backbon"));
    let problems = problems_of(&draft);
    assert!(
        problems.iter().any(|problem| problem.line == Some(2) && problem.words.contains("backbon")),
        "{problems:?}"
    );
    assert!(read(order(draft)).unwrap_err().contains("backbon"));
    let missing = problems_of(&Draft::of("no/such.yaml".into()));
    assert!(missing[0].words.contains("could not read the file"), "{missing:?}");
}

#[test]
fn overrides_and_an_edited_text_are_read_in_place_of_the_file() {
    let (_folder, good) = drafted(GOOD);
    let with = |changes: &str| Draft { changes: changes.into(), ..good.clone() };
    let Verdict::Good(preview) = check(&with("matrix.seed=[1, 2] train.batch_size=7")).verdict else { panic!() };
    assert!(preview.runs.len() == 2 && preview.about[0].contains("batches of 7"), "{preview:?}");
    assert_eq!(preview.group.as_deref(), Some("x"));
    let add = read(order(with("matrix.seed=[1, 2]"))).unwrap();
    assert!(add.group.is_none() && add.experiments.iter().all(|run| run.sweep.as_deref() == Some("x")), "{add:?}");
    let nearest = problems_of(&with("train.batch_sise=7"));
    assert_eq!(nearest[0].line, None);
    assert!(format!("{nearest:?}").contains("batch_size"), "{nearest:?}");
    let half = problems_of(&with("train.batch_size=7 seed"));
    assert!(half[0].words.contains("`seed`: expected KEY=VALUE"), "{half:?}");
    let edited = Draft { text: Some(format!("{GOOD}seed: 5\n").into()), ..good.clone() };
    let add = read(Order { priority: 3, group: Some("night".into()), after: vec![RunId(1)], draft: edited }).unwrap();
    assert!(add.experiments[0].resolved.contains("seed: 5") && add.experiments[0].text.ends_with("seed: 5\n"));
    assert_eq!((add.priority, add.group.as_deref(), &*add.after), (3, Some("night"), &[RunId(1)][..]));
    assert_eq!(fs::read_to_string(&good.path).unwrap(), GOOD, "the file stays as it is");
}

#[test]
fn a_line_is_parted_where_its_values_end() {
    for (line, parts) in [
        ("", &[][..]),
        ("  a=1   b.c=2 ", &["a=1", "b.c=2"]),
        ("matrix.a=[1, 2] b={ x: 1 }", &["matrix.a=[1, 2]", "b={ x: 1 }"]),
        ("name='a b' x=\"c [\" y", &["name='a b'", "x=\"c [\"", "y"]),
        ("name=it's x=1", &["name=it's", "x=1"]),
        ("a=[1, 2", &["a=[1, 2"]),
        ("a=1] b=2", &["a=1]", "b=2"]),
    ] {
        assert_eq!(words(line), parts, "{line}");
    }
}

#[test]
fn the_command_says_all_that_was_chosen() {
    let draft = Draft { path: "my files/a.yaml".into(), text: None, changes: "seed=1 matrix.a=[1, 2]".into() };
    assert_eq!(order(Draft::of("a.yaml".into())).command(), "finetop add a.yaml");
    let order = Order { draft, group: Some("night".into()), priority: -2, after: vec![RunId(7), RunId(8)] };
    let command = "finetop add 'my files/a.yaml' --set seed=1 --set 'matrix.a=[1, 2]' --group night --priority -2 \
                   --after 7 --after 8";
    assert_eq!(order.command(), command);
}

#[test]
fn files_are_found_by_some_of_their_letters() {
    let files: Vec<PathBuf> =
        ["bert.yaml", "experiments/emoji.yaml", "experiments/moj.yaml"].map(PathBuf::from).to_vec();
    let found =
        |filter: &str| matching(&files, filter).iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    assert_eq!(found("").len(), 3);
    assert_eq!(found("EMJ"), ["experiments/emoji.yaml", "experiments/moj.yaml"]);
    assert_eq!(found("moj.")[0], "experiments/moj.yaml");
    assert_eq!(found("zz"), Vec::<String>::new());
}
