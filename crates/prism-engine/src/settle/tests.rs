//! What a run is that found the machine so: the decision, without a submission.

use prism_sandbox::Mode;

use super::*;

fn events() -> (
    std::rc::Rc<std::cell::RefCell<Vec<EvalEvent>>>,
    impl FnMut(EvalEvent),
) {
    let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let sink = std::rc::Rc::clone(&told);
    (told, move |event| sink.borrow_mut().push(event))
}

fn of_rehearsal(reason: RehearsalReason) -> RunOutput {
    let mut state = RunOutput::default();
    state.rehearse(reason);
    state
}

#[test]
fn a_rehearsal_disturbs_nobody() {
    let (told, mut events) = events();
    let mut state = of_rehearsal(RehearsalReason::Recipe);
    // A place that cannot be read in: it is not even tried.
    let forgot = forget_earlier_runs(&["/proc".into()], &Cancel::new(), &mut state, &mut events).unwrap();
    assert!(forgot.is_none() && told.borrow().is_empty());
    assert_eq!(state.rehearsal, [RehearsalReason::Recipe]);
}

#[test]
fn a_kernel_that_cannot_be_seen_to_forget_makes_the_run_a_rehearsal_and_says_why() {
    let (told, mut events) = events();
    let mut state = RunOutput::default();
    let forgot = forget_earlier_runs(&["/proc".into()], &Cancel::new(), &mut state, &mut events).unwrap();
    assert!(forgot.is_none());
    assert_eq!(state.rehearsal, [RehearsalReason::KernelRemembers]);
    let told = told.borrow();
    assert!(
        matches!(&told[0], EvalEvent::Stage { stage: EvalStage::Forgetting, message } if message == "making the kernel forget earlier runs")
    );
    assert!(
        matches!(&told[1], EvalEvent::Rehearsal { reason, detail } if reason == "kernel_remembers" && detail.contains("/proc")),
        "{told:?}"
    );
}

#[test]
fn who_is_told_to_stop_stops() {
    let (_, mut events) = events();
    let cancel = Cancel::new();
    cancel.cancel();
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let sources = [dir.path().to_owned()];
    let mut state = RunOutput::default();
    let stopped = forget_earlier_runs(&sources, &cancel, &mut state, &mut events).unwrap_err();
    assert_eq!(stopped.reason, Reason::Cancelled);
    assert!(state.rehearsal.is_empty());
}

#[test]
fn only_the_reason_that_decides_is_told() {
    let (told, mut events) = events();
    let mut state = of_rehearsal(RehearsalReason::Recipe);
    rehearse(
        RehearsalReason::KernelRemembers,
        "why".into(),
        &mut state,
        &mut events,
    );
    assert!(told.borrow().is_empty());
    assert_eq!(
        state.rehearsal,
        [RehearsalReason::Recipe, RehearsalReason::KernelRemembers]
    );
}

#[test]
fn an_ordinary_user_runs_rehearsals() {
    let (told, mut events) = events();
    let mut state = RunOutput::default();
    preflight(Mode::User, &mut state, &mut events);
    assert_eq!(state.rehearsal, [RehearsalReason::KernelRemembers]);
    assert!(matches!(&told.borrow()[0], EvalEvent::Rehearsal { detail, .. } if detail.contains("only root")));
}

#[test]
fn only_a_run_that_would_count_has_the_machine_to_itself() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("machine.lock");
    std::fs::write(&path, "").unwrap();
    let (told, mut events) = events();
    let cancel = Cancel::new();
    let mut claim = |state: &mut RunOutput| claim_at(&path, "a", WhenBusy::GoOn, &cancel, state, &mut events);
    let mut rehearsal = of_rehearsal(RehearsalReason::Recipe);
    let counted = claim(&mut RunOutput::default()).unwrap();
    assert_eq!(claim(&mut rehearsal).unwrap_err().reason, Reason::MachineBusy);
    drop(counted);
    let shared = claim(&mut rehearsal).unwrap();
    let beside_it = claim(&mut rehearsal).unwrap();
    assert_eq!(rehearsal.rehearsal, [RehearsalReason::Recipe]);
    assert!(told.borrow().is_empty());
    let mut would_count = RunOutput::default();
    let beside = claim(&mut would_count).unwrap();
    assert_eq!(would_count.rehearsal, [RehearsalReason::MachineBusy]);
    assert!(matches!(&told.borrow()[0], EvalEvent::Rehearsal { reason, .. } if reason == "machine_busy"));
    drop((shared, beside_it, beside));
    claim(&mut RunOutput::default()).unwrap();
}
