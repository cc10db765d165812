//! Weights from a hub and from files of PyTorch's, with all that can go wrong on the way, through the program itself.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod hub;
mod workplace;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hub::{COMMIT, Fault, Hub};
use workplace::{Ended, Workplace, skip, tiny, wait_for};

const REPO: &str = "finetop/squeezenet";

fn shipped() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/weights/squeezenet1_1.safetensors")).unwrap()
}

/// A workplace with an experiment whose weights are on a hub of its own.
struct Place {
    here: Workplace,
    hub: Hub,
    file: PathBuf,
}

impl Place {
    fn new() -> Place {
        let here = Workplace::with_pictures();
        let hub = Hub::start();
        hub.add(REPO, "model.safetensors", shipped());
        let file =
            here.write("x.yaml", tiny("x", 1, "1e-3").replace("weights: random", &format!("weights: 'hf:{REPO}'")));
        Place { here, hub, file }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.here.command(arguments);
        command
            .env("HF_HOME", self.home())
            .env("HF_ENDPOINT", self.hub.endpoint())
            .env("HOME", self.here.path("nobody"));
        for other in ["HF_TOKEN", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(other);
        }
        command
    }

    fn finetop(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    fn run(&self) -> Ended {
        self.finetop(&["run", self.file.to_str().unwrap()])
    }

    fn home(&self) -> PathBuf {
        self.here.path("hf")
    }

    fn cached(&self) -> PathBuf {
        self.home().join("hub/models--finetop--squeezenet")
    }

    /// Files below the cache of the repository that end so.
    fn blobs(&self, ending: &str) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.cached().join("blobs")) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().map_or("", |e| e.to_str().unwrap()) == ending).collect()
    }

    /// The weights as the cache has them.
    fn in_cache(&self) -> Vec<u8> {
        std::fs::read(self.cached().join(format!("snapshots/{COMMIT}/model.safetensors"))).unwrap()
    }
}

fn ended(command: &mut Command) -> Ended {
    Ended::from(command.stdin(Stdio::null()).output().expect("the program starts"))
}

/// One message: `text` is said once.
#[track_caller]
fn says_once(ended: &Ended, text: &str) {
    assert_eq!(ended.stderr.matches(text).count(), 1, "«{text}» in\n{}", ended.stderr);
}

#[test]
fn weights_of_a_hub_are_downloaded_once_and_used_offline() {
    let place = Place::new();
    place.run().succeeded();
    assert_eq!(place.in_cache(), shipped());
    assert_eq!(std::fs::read_to_string(place.cached().join("refs/main")).unwrap(), COMMIT);
    assert_eq!((place.blobs("").len(), place.blobs("part").len()), (1, 0));
    let log = place.here.finetop(&["events", "1"]).stdout;
    assert!(log.contains(&format!("50 tensors from hf:{REPO}@{}", &COMMIT[..12])), "{log}");

    let asked = place.hub.requests().len();
    place.run().succeeded();
    assert_eq!(place.hub.requests().len(), asked, "what is in the cache is not asked for");
    ended(place.command(&["run", "x.yaml"]).env("HF_HUB_OFFLINE", "1")).succeeded();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    ended(place.command(&["run", "x.yaml"]).env("HF_ENDPOINT", format!("http://{closed}"))).succeeded();

    // What was trained from the hub and from the file is the same to the bit.
    let trained = |id| std::fs::read(place.here.run_folder(id).join("model/model.safetensors")).unwrap();
    let weights = place.here.write("w.safetensors", shipped());
    let text =
        std::fs::read_to_string(&place.file).unwrap().replace(&format!("'hf:{REPO}'"), weights.to_str().unwrap());
    place.here.write("y.yaml", text);
    place.finetop(&["run", "y.yaml"]).succeeded();
    assert_eq!(trained(1), trained(5));
}

#[test]
fn a_download_that_breaks_off_goes_on_at_the_next_attempt() {
    let place = Place::new();
    place.hub.set(Fault::BreakOffAt(500_000));
    let failed = place.run().exited(1).says(&["broke off after", "of 1449464 bytes", "goes on"]);
    says_once(&failed, "broke off after");
    assert_eq!(place.here.json(&["show", "1", "--json"])["reason"], "network");
    let parts = place.blobs("part");
    let there = std::fs::metadata(&parts[0]).unwrap().len();
    assert!(there > 0 && there <= 500_000, "{there}");
    assert!(place.blobs("").is_empty(), "no half file has the name of a whole one");
    assert!(!place.cached().join("snapshots").exists());

    place.hub.set(Fault::None);
    place.run().succeeded();
    assert_eq!(place.hub.ranges("model.safetensors"), ["bytes=0-".to_owned(), format!("bytes={there}-")]);
    assert_eq!(place.in_cache(), shipped());
    assert!(place.blobs("part").is_empty());
}

#[test]
fn a_download_of_another_process_is_waited_for() {
    use sha2::Digest;
    let place = Place::new();
    let etag: String = sha2::Sha256::digest(shipped()).iter().map(|byte| format!("{byte:02x}")).collect();
    let blobs = place.cached().join("blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let held = std::fs::File::create(blobs.join(format!("{etag}.lock"))).unwrap();
    held.lock().unwrap();
    let run = place.command(&["run", "x.yaml"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // It tells of the download while it waits, and asks for nothing but what the file is.
    let events = || {
        let runs = std::fs::read_dir(place.here.store()).into_iter().flatten().flatten();
        let texts = runs.filter_map(|run| std::fs::read_to_string(run.path().join("events.jsonl")).ok());
        texts.collect::<String>()
    };
    wait_for("a stage of the download", || events().contains(r#""name":"download""#));
    assert!(place.hub.ranges("model.safetensors").is_empty());
    std::fs::write(blobs.join(&etag), shipped()).unwrap();
    drop(held);
    Ended::from(run.wait_with_output().unwrap()).succeeded();
    assert!(place.hub.ranges("model.safetensors").is_empty(), "the other process has it");
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let place = Place::new();
    place.hub.set(Fault::BreakOffAt(500_000));
    place.run().exited(1);
    place.hub.set(Fault::NoRanges);
    place.run().succeeded();
    assert_eq!(place.in_cache(), shipped());
}

#[test]
fn a_redirect_leads_to_the_file_and_the_cache_knows_its_commit() {
    let place = Place::new();
    place.hub.set(Fault::Redirect);
    place.run().succeeded();
    assert_eq!(place.in_cache(), shipped());
}

#[test]
fn what_arrives_otherwise_than_announced_is_dropped() {
    let place = Place::new();
    place.hub.set(Fault::OtherBytes);
    let failed = place.run().exited(1).says(&["did not arrive as the hub announced it", "SHA-256", "try again"]);
    says_once(&failed, "announced");
    assert!(place.blobs("").is_empty() && std::fs::metadata(&place.blobs("part")[0]).unwrap().len() == 0);
    // A part of which every byte is there but the wrong one is found out too.
    std::fs::write(&place.blobs("part")[0], vec![7; shipped().len()]).unwrap();
    place.hub.set(Fault::None);
    place.run().exited(1).says(&["SHA-256"]);
    place.run().succeeded();
    assert_eq!(place.in_cache(), shipped());
}

#[test]
fn a_hub_that_does_not_give_is_one_message_with_a_hint() {
    let place = Place::new();
    for (fault, says) in [
        (Fault::Status(401), ["refused hf:finetop/squeezenet (401)", "set HF_TOKEN"]),
        (Fault::Status(404), ["has none of model.safetensors", "check the name"]),
        (Fault::Status(500), ["answered 500", "try again later"]),
        (Fault::NotHttp, ["makes no sense", "HF_ENDPOINT"]),
        (Fault::Page, ["makes no sense", "HF_ENDPOINT"]),
    ] {
        place.hub.set(fault);
        let failed = place.run().exited(1).says(&says);
        says_once(&failed, says[0]);
        assert!(place.blobs("").is_empty(), "{fault:?}");
    }
    place.hub.set(Fault::Status(403));
    let failed = ended(place.command(&["run", "x.yaml"]).env("HF_TOKEN", "hf_secret")).exited(1);
    let failed = failed.says(&["refused hf:finetop/squeezenet (403)", "accept its terms"]);
    assert!(!failed.stderr.contains("hf_secret"));
    assert_eq!(place.hub.requests().last().unwrap().authorization.as_deref(), Some("Bearer hf_secret"));

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = ended(place.command(&["run", "x.yaml"]).env("HF_ENDPOINT", format!("http://{closed}"))).exited(1);
    says_once(&failed.says(&["could not reach", "check the network"]), "could not reach");
    let failed = ended(place.command(&["run", "x.yaml"]).env("HF_HUB_OFFLINE", "1")).exited(1);
    says_once(&failed.says(&["not in the cache", "unset HF_HUB_OFFLINE"]), "not in the cache");
}

#[test]
fn progress_is_told_and_a_download_can_be_stopped() {
    let place = Place::new();
    place.hub.set(Fault::Slow);
    place.run().succeeded();
    let events = place.here.lines(&place.here.run_folder(1).join("events.jsonl"));
    let stages: Vec<_> = events.iter().filter(|e| e["type"] == "stage" && e["name"] == "download").collect();
    assert!(stages.iter().all(|e| e["unit"] == "bytes" && e["total"] == 1_449_464), "{stages:?}");
    let last = stages.last().expect("a stage `download`");
    assert_eq!(last["done"], last["total"]);

    std::fs::remove_dir_all(place.home()).unwrap();
    place.hub.set(Fault::StallAt(300_000));
    place.finetop(&["add", "x.yaml"]).succeeded();
    wait_for("the download to stall", || {
        place.blobs("part").first().is_some_and(|part| std::fs::metadata(part).unwrap().len() == 300_000)
    });
    place.finetop(&["pause", "2"]).succeeded();
    place.here.wait_for_run(2, "the run to pause", |run| run["state"] == "paused");
    place.hub.set(Fault::None);
    place.finetop(&["resume", "2"]).succeeded();
    place.here.wait_for_run(2, "the run to finish", |run| run["state"] == "finished");
    assert_eq!(place.hub.ranges("model.safetensors").last().unwrap(), "bytes=300000-");
}

#[test]
fn check_says_what_would_be_downloaded_and_asks_nobody() {
    let place = Place::new();
    let shown = place.finetop(&["check", "x.yaml"]).succeeded().stdout;
    assert!(shown.contains(&format!("would be downloaded from hf:{REPO}")) && shown.contains("fire9"), "{shown}");

    place.here.write("texts.csv", "text,label\nred apple,fruit\ngreen pear,fruit\nold dog,animal\nnew cat,animal\n");
    let texts = |weights: &str| {
        let data = "data: { train: texts.csv, val_split: 0.5 }";
        place.here.write("t.yaml", format!("{data}\nmodel: {{ backbone: bert, weights: '{weights}' }}\n"));
        place.finetop(&["check", "t.yaml"]).succeeded().stdout
    };
    let shown = texts("all-MiniLM-L6-v2");
    assert!(shown.contains("downloaded from hf:sentence-transformers/all-MiniLM-L6-v2"), "{shown}");
    assert!(shown.contains("encoder.layer.5") && !shown.contains("encoder.layer.6"), "{shown}");
    assert!(shown.contains("22,5") || shown.contains("22,6") || shown.contains("22,7"), "its 22.7 million: {shown}");
    let shown = texts("hf:somebody/encoder");
    assert!(shown.contains("hf:somebody/encoder") && shown.contains("known after"), "{shown}");
    assert!(place.hub.requests().is_empty());
}

#[test]
fn known_weights_of_the_program_need_no_file() {
    let place = Place::new();
    let text = tiny("x", 1, "1e-3").replace("weights: random", "weights: imagenet");
    place.here.write("k.yaml", text);
    let shown = place.finetop(&["check", "k.yaml"]).succeeded().stdout;
    assert!(shown.contains("50 tensors from the program itself"), "{shown}");
    assert!(place.hub.requests().is_empty());
}

#[test]
fn weights_in_parts_and_weights_of_torch_alone_are_found() {
    let place = Place::new();
    let whole = safetensors::SafeTensors::deserialize(Box::leak(shipped().into_boxed_slice())).unwrap();
    let mut parts = [Vec::new(), Vec::new()];
    for (i, (name, tensor)) in whole.tensors().into_iter().enumerate() {
        parts[i % 2].push((name, tensor));
    }
    let mut map = serde_json::Map::new();
    for (i, part) in parts.into_iter().enumerate() {
        let file = format!("model-0000{}-of-00002.safetensors", i + 1);
        part.iter().for_each(|(name, _)| drop(map.insert(name.clone(), file.clone().into())));
        place.hub.add("finetop/parts", &file, safetensors::serialize(part, None).unwrap());
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": map }).to_string();
    place.hub.add("finetop/parts", "model.safetensors.index.json", index.into_bytes());
    let text = |repo: &str| tiny("x", 1, "1e-3").replace("weights: random", &format!("weights: 'hf:{repo}'"));
    place.here.write("parts.yaml", text("finetop/parts"));
    place.finetop(&["run", "parts.yaml"]).succeeded();
    let shown = place.finetop(&["check", "parts.yaml"]).succeeded().stdout;
    assert!(shown.contains("50 tensors from hf:finetop/parts"), "{shown}");

    place.hub.add(
        "finetop/hostile",
        "model.safetensors.index.json",
        br#"{"weight_map":{"a":"../../x.safetensors"}}"#.to_vec(),
    );
    place.here.write("hostile.yaml", text("finetop/hostile"));
    place.finetop(&["run", "hostile.yaml"]).exited(1).says(&["../../x.safetensors", "is no name of a file"]);

    place.hub.add("finetop/torch", "pytorch_model.bin", malicious(&place.here.path("marker")));
    place.here.write("torch.yaml", text("finetop/torch"));
    place.finetop(&["run", "torch.yaml"]).exited(1).says(&["pytorch_model.bin is refused", "posix.system"]);
}

/// A zip archive as `torch.save` writes it, whose pickle would create `marker`.
fn malicious(marker: &Path) -> Vec<u8> {
    let command = format!("touch {}", marker.display());
    let mut pickle = b"\x80\x02cposix\nsystem\nX".to_vec();
    pickle.extend((command.len() as u32).to_le_bytes());
    pickle.extend(command.as_bytes());
    pickle.extend(b"\x85R.");
    archive(&pickle)
}

fn archive(pickle: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("archive/data.pkl", stored).unwrap();
    zip.write_all(pickle).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_malicious_pickle_is_refused_and_nothing_is_executed() {
    let place = Place::new();
    let marker = place.here.path("marker");
    let legacy = {
        let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
        let pickle = format!("\x02cposix\nsystem\n(Vtouch {}\ntR.", marker.display());
        [magic, vec![0x80], pickle.into_bytes()].concat()
    };
    for (name, content) in [("zip.pth", malicious(&marker)), ("old.pt", legacy)] {
        place.here.write(name, content);
        let text = tiny("x", 1, "1e-3").replace("weights: random", &format!("weights: {name}"));
        place.here.write("m.yaml", text);
        for command in ["check", "run"] {
            let refused = place.finetop(&[command, "m.yaml"]);
            assert_ne!(refused.code, 0);
            refused.says(&[name, "is refused", "posix.system", "nothing of it was executed"]);
        }
    }
    assert!(!marker.exists());
}

/// A cache whose revision is not known any more, as after a download by commit alone, stands in for a hub that cannot be
/// asked; a commit that was asked for does not.
#[test]
fn a_cached_revision_stands_in_for_a_hub_that_is_away() {
    let place = Place::new();
    place.run().succeeded();
    std::fs::remove_file(place.cached().join("refs/main")).unwrap();
    let offline = |file: &str| ended(place.command(&["run", file]).env("HF_HUB_OFFLINE", "1"));
    offline("x.yaml").succeeded();
    let log = place.here.finetop(&["events", "2"]).stdout;
    assert!(log.contains("the hub could not be asked for a newer one"), "{log}");
    let of = |revision: &str| {
        let weights = format!("weights: 'hf:{REPO}@{revision}'");
        place.here.write("r.yaml", tiny("r", 1, "1e-3").replace("weights: random", &weights));
        offline("r.yaml")
    };
    of(COMMIT).succeeded();
    of("v2").exited(1).says(&["@v2/model.safetensors is not in the cache"]);
}

/// Real weights and a real tokenizer, by name, from the hub and then from the cache.
#[test]
fn a_real_encoder_is_fetched_by_name_and_saved_with_its_tokenizer() {
    const NAME: &str = "sentence-transformers/all-MiniLM-L6-v2";
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real");
    let folder = std::env::var_os("FINETOP_REAL").map_or(default, PathBuf::from).join(NAME);
    if !folder.join("model.safetensors").is_file() {
        skip("MiniLM is not here; tests/real/fetch.sh brings it");
        return;
    }
    let place = Place::new();
    place.hub.add_folder(NAME, &folder);
    let rows = ["red apple", "green pear", "sweet plum", "ripe fig", "old dog", "new cat", "wild wolf", "grey mouse"];
    let lines = rows.iter().enumerate().map(|(i, text)| format!("{text},{}", if i < 4 { "fruit" } else { "animal" }));
    place.here.write("texts.csv", format!("text,label\n{}\n", lines.collect::<Vec<_>>().join("\n")));
    let text = "data: { train: texts.csv, val_split: 0.25 }\nmodel: { backbone: bert, weights: all-MiniLM-L6-v2 }\n\
                train: { phases: [{ epochs: 2 }] }\n";
    place.here.write("t.yaml", text);
    place.finetop(&["run", "t.yaml"]).succeeded();
    let log = place.here.finetop(&["events", "1"]).stdout;
    assert!(log.contains(&format!("101 tensors from hf:{NAME}@{}", &COMMIT[..12])), "{log}");
    for name in ["config.json", "tokenizer.json"] {
        let saved = std::fs::read(place.here.run_folder(1).join("model").join(name)).unwrap();
        assert_eq!(saved, std::fs::read(folder.join(name)).unwrap(), "{name}");
    }
    let asked = place.hub.requests().len();
    let shown = place.finetop(&["check", "t.yaml"]).succeeded().stdout;
    assert!(shown.contains("not used: pooler.dense.bias, pooler.dense.weight"), "{shown}");
    place.finetop(&["run", "t.yaml"]).succeeded();
    assert_eq!(place.hub.requests().len(), asked);
}

#[test]
fn a_full_disk_is_said_and_the_next_attempt_goes_on() {
    let place = Place::new();
    std::fs::create_dir(place.home()).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=800k", "tmpfs"]).arg(place.home()).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        skip("mounting a small tmpfs is not allowed here");
        return;
    }
    let failed = place.run();
    let there = place.blobs("part").first().map_or(0, |part| std::fs::metadata(part).unwrap().len());
    let larger = Command::new("mount").args(["-o", "remount,size=8m"]).arg(place.home()).status();
    let ended = place.run();
    let cached = ended.code == 0 && place.in_cache() == shipped();
    let _ = Command::new("umount").arg("-l").arg(place.home()).status();
    failed.exited(1).says(&["could not keep what was downloaded", "disk is full", "HF_HOME"]);
    assert_eq!(place.here.json(&["show", "1", "--json"])["reason"], "disk_full");
    assert!(larger.unwrap().success() && cached && there > 100_000, "{there} {}", ended.stderr);
    assert_eq!(place.hub.ranges("model.safetensors").last().unwrap(), &format!("bytes={there}-"));
}
