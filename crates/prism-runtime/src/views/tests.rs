//! Views of a made-up interpreter: that no two have anything in common, and what happens to them over time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, SystemTime};

use prism_core::advice::Advice as _;

use super::fake::Fake;
use super::*;

/// Everything below the directories that a seat is shown, by the path inside.
fn shown(views: &Views, seat: Seat) -> Vec<(PathBuf, fs::Metadata)> {
    fn below(source: &Path, target: &Path, found: &mut Vec<(PathBuf, fs::Metadata)>) {
        let metadata = source.symlink_metadata().unwrap();
        if metadata.is_dir() {
            for entry in fs::read_dir(source).unwrap() {
                let name = entry.unwrap().file_name();
                below(&source.join(&name), &target.join(&name), found);
            }
        }
        found.push((target.to_owned(), metadata));
    }
    let mut found = Vec::new();
    for bind in views.binds(seat) {
        below(&bind.source, &bind.target, &mut found);
    }
    found
}

fn inodes(views: &Views, seat: Seat, is_dir: bool) -> BTreeSet<u64> {
    let all = shown(views, seat).into_iter();
    all.filter(|(_, metadata)| metadata.is_dir() == is_dir)
        .map(|(_, metadata)| metadata.ino())
        .collect()
}

#[test]
fn answerers_share_no_directory_and_nothing_with_the_host() {
    let fake = Fake::new();
    let views = fake.views().unwrap();
    let mut directories = BTreeSet::new();
    let mut files = BTreeSet::new();
    for seat in Seat::ANSWERERS {
        let own = inodes(&views, seat, true);
        assert!(own.is_disjoint(&directories), "{seat:?}");
        directories.extend(own);
        files.extend(inodes(&views, seat, false));
    }
    let path = |name: &str| fake.prefix().join(name);
    for original in [
        path("lib"),
        path("lib/site/torch"),
        "/usr/lib".into(),
        "/lib64".into(),
    ] {
        if let Ok(metadata) = original.metadata() {
            assert!(!directories.contains(&metadata.ino()), "{original:?}");
        }
    }
    let libraries = views.marker.single.iter().cloned();
    for original in libraries.chain([path("bin/python"), path("lib/site/torch/__init__.py")]) {
        assert!(
            !files.contains(&original.metadata().unwrap().ino()),
            "{original:?}"
        );
    }
    let learner = inodes(&views, Seat::Learner, true);
    assert!(learner.is_disjoint(&directories));
    assert!(inodes(&views, Seat::Learner, false).is_disjoint(&files));
    assert!(!learner.contains(&path("lib/site").metadata().unwrap().ino()));
}

#[test]
fn the_learner_has_links_to_what_is_no_text_and_modules_without_words() {
    let fake = Fake::new();
    let module = "lib/site/torch/nn.py";
    fake.write(module, "'''About.'''\nx = 1  # one\n");
    fake.write(
        "lib/site/torch-2.15.0.dist-info/METADATA",
        "Version: 2.15.0\n\nRead me.\n",
    );
    fake.write("lib/site/torch/__pycache__/nn.cpython-311.pyc", "About.");
    let compile = |_: &Path, modules: &[PathBuf]| {
        for module in modules {
            let directory = module.parent().unwrap().join("__pycache__");
            fs::create_dir_all(&directory).unwrap();
            let name = module.file_stem().unwrap().to_str().unwrap();
            fs::write(directory.join(format!("{name}.pyc")), "compiled").unwrap();
        }
        Ok(())
    };
    let views = views_by(
        &fake.settings(),
        &fake.runtime(),
        &compile,
        &|| false,
        &mut |_| {},
    )
    .unwrap();
    for seat in Seat::ALL {
        let binds = views.binds(seat);
        let source = |name: &str| {
            let path = fake.prefix().join(name);
            let bind = binds.iter().find(|bind| path.starts_with(&bind.target)).unwrap();
            bind.source.join(path.strip_prefix(&bind.target).unwrap())
        };
        assert_eq!(fs::read_to_string(source(module)).unwrap(), "''''''\nx = 1  \n");
        let description = fs::read_to_string(source("lib/site/torch-2.15.0.dist-info/METADATA")).unwrap();
        assert_eq!(description, "Version: 2.15.0\n");
        let compiled = source("lib/site/torch/__pycache__/nn.pyc");
        assert_eq!(fs::read_to_string(compiled).unwrap(), "compiled");
        assert!(!source("lib/site/torch/__pycache__/nn.cpython-311.pyc").exists());
        let library = source("lib/site/torch/lib/libtorch.so").metadata().unwrap().ino();
        let original = fake.prefix().join("lib/site/torch/lib/libtorch.so");
        assert_eq!(
            library == original.metadata().unwrap().ino(),
            seat == Seat::Learner
        );
        assert_eq!(
            source("lib/site/torch/include/torch.h").exists(),
            seat == Seat::Learner
        );
    }
    let learner = inodes(&views, Seat::Learner, false);
    assert!(
        Seat::ANSWERERS
            .iter()
            .all(|seat| learner.is_disjoint(&inodes(&views, *seat, false)))
    );
}

#[test]
fn an_interpreter_that_compiles_nothing_is_an_error() {
    let fake = Fake::new();
    // The interpreter of these tests is a shell.
    let error = views(&fake.settings(), &fake.runtime(), &|| false, &mut |_| {}).unwrap_err();
    assert!(matches!(error, RuntimeError::NotCompiled { .. }), "{error}");
    assert_eq!(fake.names(), Vec::<String>::new());
}

#[test]
fn a_view_has_what_is_needed_under_the_names_of_the_host() {
    let fake = Fake::new();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let source = fake.prefix().join("lib/site/torch/__init__.py");
    let times = fs::FileTimes::new().set_modified(old);
    File::options()
        .write(true)
        .open(&source)
        .unwrap()
        .set_times(times)
        .unwrap();
    fs::set_permissions(&source, Permissions::from_mode(0o600)).unwrap();
    let views = fake.views().unwrap();
    for seat in Seat::ANSWERERS {
        let shown = shown(&views, seat);
        let find = |path: &Path| {
            shown
                .iter()
                .find(|(target, _)| target == path)
                .map(|(_, metadata)| metadata)
        };
        let module = find(&source).unwrap();
        assert_eq!(module.modified().unwrap(), old, "compiled files stay right");
        assert_eq!(module.permissions().mode() & 0o777, 0o444);
        assert_eq!(
            find(&fake.prefix().join("bin/python"))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o555
        );
        assert_eq!(
            find(&fake.prefix().join("lib/site"))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o755
        );
        assert!(find(&fake.prefix().join("pyvenv.cfg")).is_some());
        for left_out in ["include", "lib/site/torch/include"] {
            assert!(find(&fake.prefix().join(left_out)).is_none(), "{left_out}");
        }
        assert!(shown.iter().any(|(path, _)| path.ends_with("libc.so.6")));
        for system in ["/usr/bin", "/usr/share", "/bin"] {
            assert!(find(Path::new(system)).is_none(), "{system}");
        }
    }
    assert_eq!(
        views.directory.metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn they_are_made_once() {
    let fake = Fake::new();
    assert!(matches!(
        state(&fake.settings(), &fake.runtime()).unwrap(),
        ViewsState::Missing { needed_bytes, .. } if needed_bytes > 0
    ));
    let made = fake.views().unwrap();
    let mut events = Vec::new();
    let again = fake.views_with(&|| true, &mut |event| {
        events.push(event);
    });
    assert_eq!(
        (again.unwrap().directory, events),
        (made.directory.clone(), Vec::new())
    );
    assert_eq!(
        state(&fake.settings(), &fake.runtime()).unwrap(),
        ViewsState::Ready {
            directory: made.directory
        }
    );
}

#[test]
fn what_was_interrupted_counts_for_nothing_and_goes() {
    let fake = Fake::new();
    let copying = Cell::new(false);
    let mut on_event = |event| copying.set(copying.get() || matches!(event, ViewsEvent::Progress { .. }));
    let stopped = fake.views_with(&|| copying.get(), &mut on_event);
    assert!(matches!(stopped, Err(RuntimeError::Cancelled)), "{stopped:?}");
    assert!(copying.get());
    assert_eq!(fake.names(), Vec::<String>::new());
    // What a killed process leaves; nobody has the turn then.
    let leave = || {
        for name in [".partial-x/auditor/usr", ".stale-y/replay"] {
            fs::create_dir_all(fake.parent().join(name)).unwrap();
        }
    };
    leave();
    let made = fake.views().unwrap();
    let only = [made.directory.file_name().unwrap().to_str().unwrap().to_owned()];
    assert_eq!(fake.names(), only);
    leave();
    // Somebody who makes views for another interpreter: what looks left over is theirs.
    let turn = turn::try_take(&fake.parent().join(LOCK_FILE)).unwrap();
    assert!(turn.is_some());
    fake.views().unwrap();
    assert_eq!(fake.names().len(), 3);
    drop(turn);
    fake.views().unwrap();
    assert_eq!(fake.names(), only);
}

#[test]
fn what_is_out_of_date_is_made_anew_and_the_old_one_goes_when_nobody_uses_it() {
    let fake = Fake::new();
    let changes: [&dyn Fn(); 4] = [
        &|| fake.write("lib/site/torch-2.15.1.dist-info/METADATA", "Version: 2.15.1"),
        &|| {
            fs::rename(
                fake.prefix().join("lib/site/torch"),
                fake.prefix().join("lib/site/tor"),
            )
            .unwrap();
        },
        &|| fake.write("pyvenv.cfg", "home = /elsewhere"),
        &|| fs::remove_dir_all(fake.prefix().join("lib/site/torch-2.15.0.dist-info")).unwrap(),
    ];
    let mut round = 0;
    for change in changes {
        let old = fake.views().unwrap();
        change();
        let new = fake.views().unwrap();
        assert_ne!(old.directory, new.directory);
        assert!(old.directory.join("auditor").is_dir(), "a run still uses it");
        drop(old);
        // The next one that is made takes it away.
        drop(new);
        round += 1;
        fake.write("lib/site/more.py", &"x".repeat(round));
        let last = fake.views().unwrap();
        assert_eq!(
            fake.names(),
            [last.directory.file_name().unwrap().to_str().unwrap()]
        );
    }
}

#[test]
fn compiled_files_that_the_interpreter_writes_make_nothing_out_of_date() {
    let fake = Fake::new();
    let made = fake.views().unwrap();
    fake.write("lib/site/torch/__pycache__/__init__.cpython-311.pyc", "compiled");
    assert_eq!(fake.views().unwrap().directory, made.directory);
}

#[test]
fn damaged_views_are_replaced() {
    let fake = Fake::new();
    let made = fake.views().unwrap().directory;
    for damage in ["", "{", "{}", "{\"schema\": 1}"] {
        fs::write(made.join(MARKER_FILE), damage).unwrap();
        assert_eq!(fake.views().unwrap().directory, made);
        assert!(Marker::read(&made).is_some());
    }
    fs::remove_file(made.join(MARKER_FILE)).unwrap();
    assert_eq!(fake.views().unwrap().directory, made);
    assert_eq!(fake.names().len(), 1);
}

#[test]
fn of_two_makers_one_makes() {
    let fake = Fake::new();
    let start = Barrier::new(2);
    let made = std::sync::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                let mut planned = 0;
                let views = fake.views_with(&|| false, &mut |event| {
                    planned += usize::from(matches!(event, ViewsEvent::Planned { .. }));
                });
                made.lock().unwrap().push((views.unwrap().directory, planned));
            });
        }
    });
    let made = made.into_inner().unwrap();
    assert_eq!(made[0].0, made[1].0);
    assert_eq!(made[0].1 + made[1].1, 1, "{made:?}");
}

#[test]
fn without_links_every_seat_has_copies() {
    let fake = Fake::new();
    let plans = Plans::of(&fake.runtime()).unwrap();
    let made = |links| {
        let directory = tempfile::tempdir().unwrap();
        let ways = Ways { clones: false, links };
        let copied = RefCell::new(0);
        make::make(
            &plans,
            directory.path(),
            ways,
            &|_, _| Ok(()),
            &|| false,
            &mut |done| {
                *copied.borrow_mut() = done;
            },
        )
        .unwrap();
        let module = fake.prefix().join("lib/site/torch/__init__.py");
        let inode = |seat: Seat| {
            let path = make::inside(&directory.path().join(seat.name()), &module);
            assert_eq!(fs::read(&path).unwrap(), b"x = 1");
            path.metadata().unwrap().ino()
        };
        let inodes: BTreeSet<_> = Seat::ANSWERERS.into_iter().map(inode).collect();
        (
            inodes.len(),
            copied.into_inner() / plans.answerer.bytes(),
            ways.needed_bytes(&plans, directory.path()) / plans.answerer.bytes(),
        )
    };
    let seats = Seat::ANSWERERS.len();
    let (files, copies, needed) = made(false);
    assert_eq!((files, copies), (seats, seats as u64));
    assert!(needed >= seats as u64);
    let (files, copies, _) = made(true);
    assert_eq!((files, copies), (1, 1));
}

#[test]
fn a_disk_without_room_is_named_before_anything_is_copied() {
    let fake = Fake::new();
    let plans = Plans::of(&fake.runtime()).unwrap();
    let ways = Ways {
        clones: false,
        links: true,
    };
    // procfs has no free space at all, on every machine.
    let error = make::check_disk(Path::new("/proc"), &plans, ways).unwrap_err();
    assert!(
        matches!(error, RuntimeError::NoRoomForViews { free_bytes: 0, .. }),
        "{error}"
    );
    assert!(error.told().contains("PRISM_DATA_DIR"), "{error}");
    make::check_disk(fake.temp.path(), &plans, ways).unwrap();
}

#[test]
fn the_learner_sees_a_compiler_and_little_else() {
    let fake = Fake::new();
    let views = fake.views().unwrap();
    let binds = views.binds(Seat::Learner);
    let shows = |path: &str| binds.iter().any(|bind| Path::new(path).starts_with(&bind.target));
    for wanted in [
        "/usr/bin/g++",
        "/usr/bin/as",
        "/usr/bin/ld",
        "/bin/sh",
        "/etc/ld.so.cache",
    ] {
        assert_eq!(shows(wanted), Path::new(wanted).exists(), "{wanted}");
    }
    for unwanted in [
        "/usr/bin/perl",
        "/usr/bin/python3",
        "/usr/bin/ssh",
        "/usr/share/dict",
        "/usr/games",
        "/usr/lib/python3",
        "/usr/src",
    ] {
        assert!(!shows(unwanted), "{unwanted}");
    }
    for bind in &binds {
        assert!(bind.source.exists(), "{bind:?}");
        assert!(!bind.target.ends_with("perl-base") || fs::read_dir(&bind.source).unwrap().count() == 0);
        let same = binds.iter().filter(|other| other.target == bind.target).count();
        assert_eq!(same, 1, "{bind:?}");
    }
}
