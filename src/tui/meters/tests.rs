use super::host::{sum_of_disks, sum_of_networks};
use super::*;

fn live(id: u32, pid: i32, gpu: Option<&str>) -> Live {
    let process = ProcessId { pid, start_ticks: 0, boot_id: String::new() };
    Live { id: RunId(id), name: "x".into(), process, gpu: gpu.map(str::to_owned) }
}

#[test]
fn disks_are_counted_once() {
    let stats = "   8       0 sda 100 0 2000 5 50 0 1000 9 0 0 0\n   8       1 sda1 90 0 1900 5 50 0 1000 9 0 0 0\n\
                 253 0 dm-0 1 0 7777 1 1 0 7777 1 0 0 0\n   7 0 loop0 1 0 9 1 1 0 9 1 0 0 0\n259 0 nvme0n1 1 0 10 1 1 0 20 1 0 0 0\nodd";
    let disks = ["sda", "dm-0", "loop0", "nvme0n1"].map(str::to_owned);
    assert_eq!(sum_of_disks(stats, &disks), (2010 * 512, 1020 * 512));
    assert_eq!(sum_of_disks("", &disks), (0, 0));
}

#[test]
fn what_goes_to_itself_is_no_network() {
    let dev = "Inter-|   Receive                                                |  Transmit\n \
               face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n    \
               lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n  eth0: 1000 1 0 0 0 0 0 0 300 1 0 0 0 0 0 0\n\
               wlan0:50 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n veth12: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n";
    assert_eq!(sum_of_networks(dev), (1050, 307));
}

#[test]
fn rates_are_per_second_and_never_negative() {
    assert_eq!(Rates::between((100, 1000), (300, 400), 2.0), Rates { read: 100.0, written: 0.0 });
}

#[test]
fn a_process_is_read_whatever_its_name_and_has_a_family() {
    use workers::{Process, family, process_of};
    assert_eq!(process_of("42 (a) b (c)) S 1 77 42 0 -1"), Some(Process { pid: 42, parent: 1, group: 77 }));
    assert_eq!(process_of("42 (a"), None);
    let all: Vec<Process> = [(10, 1, 9), (11, 10, 11), (12, 11, 12), (13, 1, 10), (20, 1, 20), (9, 1, 9)]
        .map(|(pid, parent, group)| Process { pid, parent, group })
        .to_vec();
    assert_eq!(family(&all, 10), [10, 11, 12, 13], "children, theirs, and the group");
    assert_eq!(family(&all, 20), [20]);
    assert_eq!(family(&[], 5), [5], "where the system tells nothing");
}

#[test]
fn a_gpu_is_of_the_run_that_was_given_it_or_is_on_it() {
    let runs_live = [live(1, 10, Some("0")), live(2, 20, Some("GPU-8932f937")), live(3, 30, None)];
    let on = |id: u32, pids: &[u32]| Worker { pids: pids.to_vec(), ..Worker::idle(RunId(id), String::new()) };
    let workers = [on(3, &[30, 31])];
    for (index, uuid, pids, expected) in [
        (0, "GPU-1", &[][..], &[1][..]),
        (1, "GPU-8932f937-d72c-4106", &[], &[2]),
        (2, "GPU-1", &[31, 99], &[3]),
        (0, "GPU-8932f937-d72c", &[30], &[1, 2, 3]),
        (10, "", &[], &[]),
    ] {
        let ids: Vec<u32> = gpus::runs(index, uuid, pids, &runs_live, &workers).iter().map(|id| id.0).collect();
        assert_eq!(ids, expected, "{index} {uuid}");
    }
}

#[test]
fn a_history_keeps_the_newest() {
    let mut history = History::default();
    (0..KEPT as u32 + 5).for_each(|cpu| history.take(Reading { cpu, ..Reading::default() }));
    let series = history.series(|reading| Some(f64::from(reading.cpu)));
    assert_eq!((series.len(), series[0], series[KEPT - 1]), (KEPT, 5.0, KEPT as f64 + 4.0));
    assert_eq!(history.series(|_| None)[0], 0.0);
    assert_eq!(history.series(|_| Some(f64::NAN))[0], 0.0);
}

#[test]
fn the_thread_reads_what_is_wished_for_and_nothing_else() {
    let (say, said) = mpsc::channel();
    let folder = tempfile::tempdir().unwrap();
    let meters = Meters::start(folder.path().to_owned(), move |reading| drop(say.send(reading)));
    let own = crate::runner::process::own().unwrap();
    let run = Live { process: own, ..live(7, 0, None) };
    let stranger = live(8, 1, None);
    meters.wish(Wish::All(vec![run, stranger]));
    let reading = said.recv().unwrap();
    assert!(reading.memory_total > 0 && !reading.host.cores.is_empty() && reading.host.space.is_some());
    assert_eq!(reading.workers.iter().map(|worker| worker.id).collect::<Vec<_>>(), [RunId(7)], "only what lives here");
    assert!(reading.workers[0].memory > 1 << 20 && reading.workers[0].pids.contains(&std::process::id()));
    meters.wish(Wish::Host);
    // Readings that were under way may come first.
    assert!(said.iter().find(|reading| reading.workers.is_empty()).is_some());
    drop(meters);
    assert!(said.iter().count() <= 1, "it ends with who asked");
}
