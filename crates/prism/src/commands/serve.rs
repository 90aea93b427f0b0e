//! `prism serve`: the challenge in one process, until it is told to stop.
//!
//! Reads the configuration, opens the store, starts the threads of the service, serves the admin socket and the API. The
//! evaluations that it has started go on when it ends, and are found again by the next one.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use prism_core::recipe::Recipe;
use prism_core::time::Timestamp;
use prism_engine::executor::Local;
use prism_engine::round::Round;
use prism_engine::slot::Slot;
use prism_server::{Listeners, Shutdown};
use prism_service::config::{self, Config};
use prism_service::{Clock, Operation, ReviewMode, Reviewer, RoundSpec, Service, ServiceSettings};
use prism_store::{Store, StoreError, rounds};

use super::operate::{self, PlaceArgs, SOCKET_FILE};
use super::{CommandResult, demo, runtime};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Directories of attempts, beside the store.
const ATTEMPTS_DIR: &str = "attempts";
/// What was counted of a corpus.
const CACHE_DIR: &str = "cache";
/// The round of the demo.
const DEMO_ROUND: &str = "demo";

/// Arguments of `prism serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Address of the API
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

pub(crate) fn run(args: &ServeArgs, output: Output) -> CommandResult {
    let mut settings = args.place.settings()?;
    if let Some(listen) = &args.listen {
        settings.set("server.listen", listen.clone());
    }
    let listen = settings.checked()?.listen;
    let config = Config {
        listen,
        ..args.place.checked()?
    };
    start_logs(&config)?;
    if args.place.demo {
        runtime::provide(&runtime::settings()?, output)?;
    }
    let clock: Clock = Arc::new(now);
    let store = open(&config, clock())?;
    let api = TcpListener::bind(config.listen).map_err(|error| {
        Failure::machine("listen", &format!("cannot listen on {}: {error}", config.listen))
            .hint("choose another with `--listen`")
    })?;
    let metrics = config
        .metrics_listen
        .map(|address| {
            TcpListener::bind(address).map_err(|error| {
                Failure::machine("listen", &format!("cannot serve metrics on {address}: {error}"))
            })
        })
        .transpose()?;
    let service = service(&config, store.clone(), &clock)?;
    service
        .serve_admin(&config.dir.join(SOCKET_FILE))
        .map_err(|error| Failure::machine("admin_socket", &error.to_string()))?;
    let threads = service
        .start()
        .map_err(|error| Failure::machine("threads", &error.to_string()))?;
    if args.place.demo {
        open_demo_round(&service, &store, output)?;
    }
    greet(&config, &args.place, output);

    let shutdown = Shutdown::new();
    stop_on_signals(&shutdown)?;
    let served = prism_server::serve(
        server_settings(&config, clock)?,
        store,
        Arc::clone(&service) as Arc<dyn prism_server::challenge::Challenge>,
        Listeners { api, metrics },
        &shutdown,
    );
    service.stop();
    for thread in threads {
        // One that has panicked has said so.
        let _ = thread.join();
    }
    served.map_err(|error| Failure::machine("serve", &error.to_string()))?;
    Ok(Exit::Ok)
}

/// The clock of this machine.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn open(config: &Config, now: Timestamp) -> Result<Store, Failure> {
    Store::open(&config.dir, now).map_err(|error| match error {
        StoreError::Locked { .. } => Failure::usage("store_locked", &error),
        error => Failure::machine("store", &error),
    })
}

fn service(config: &Config, store: Store, clock: &Clock) -> Result<Arc<Service>, Failure> {
    let slots = if config.slots.is_empty() {
        let mut whole = Slot::whole()?;
        whole.device = Path::new("/dev/nvidia0").exists().then_some(0);
        vec![whole]
    } else {
        config.slots.clone()
    };
    // Also when the file has been replaced by a newer one: a run is measured by the program that has started it.
    let program = "/proc/self/exe".into();
    let executor = Local::new(config.dir.join(ATTEMPTS_DIR), program, vec!["attempt".into()]);
    let dir = config.dir.clone();
    let preflight = move |round: Option<&Round>| {
        prism_engine::ready::ready(round, &dir, prism_sandbox::Helper::default())
    };
    let settings = ServiceSettings {
        cache_dir: config.dir.join(CACHE_DIR),
        slots,
        review: config.review,
        reviewer: reviewer(config)?,
        preflight: Box::new(preflight),
        reserve_bytes: config.reserve_bytes,
        clock: Arc::clone(clock),
    };
    Service::new(store, Arc::new(executor), settings)
        .map_err(|error| Failure::machine("service", &error.to_string()))
}

/// The reviewer, where its key is there. What is missing is said by [`greet`].
fn reviewer(config: &Config) -> Result<Option<Reviewer>, Failure> {
    if config.review == ReviewMode::Off {
        return Ok(None);
    }
    let wanted = &config.reviewer;
    Ok(operate::access(config)?.ok().map(|(access, _)| Reviewer {
        client: Arc::new(prism_review::Client::new(access, wanted.settings.clone())),
        limits: wanted.limits,
        concurrency: wanted.concurrency,
    }))
}

fn server_settings(config: &Config, clock: Clock) -> Result<prism_server::Settings, Failure> {
    let token = config::token(&operate::variable)?;
    let origin = token
        .as_ref()
        .map_or("nowhere: no internal route answers", |(_, origin)| origin);
    tracing::info!(%origin, "the token of BASE comes from");
    let mut settings = prism_server::Settings::new(clock);
    settings.slug.clone_from(&config.slug);
    settings.challenge_version.clone_from(&config.challenge_version);
    settings.token = token.map(|(token, _)| token);
    settings.signature_ttl_seconds = config.signature_ttl_seconds;
    settings.public_submissions = config.public_submissions;
    settings.validator_hotkeys.clone_from(&config.validator_hotkeys);
    settings.trusted_proxies.clone_from(&config.trusted_proxies);
    settings.unlimited_clients.clone_from(&config.unlimited_clients);
    settings.limits.base64_bytes = config.max_code_bytes;
    settings.limits.reserve_bytes = config.reserve_bytes;
    Ok(settings)
}

/// The first signal drains, the second ends at once.
fn stop_on_signals(shutdown: &Shutdown) -> Result<(), Failure> {
    let count = Arc::new(AtomicUsize::new(0));
    let flags: Vec<_> = [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT]
        .into_iter()
        .map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, Arc::clone(&flag)).map(|_| flag)
        })
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::machine("signals", &format!("cannot watch for signals: {error}")))?;
    let shutdown = shutdown.clone();
    thread::Builder::new()
        .name("prism-signals".to_owned())
        .spawn(move || {
            loop {
                for flag in &flags {
                    if flag.swap(false, Ordering::SeqCst) {
                        if count.fetch_add(1, Ordering::SeqCst) == 0 {
                            tracing::info!("stopping: runs go on; another signal ends at once");
                            shutdown.begin();
                        } else {
                            shutdown.now();
                        }
                    }
                }
                thread::sleep(Duration::from_millis(50));
            }
        })
        .map_err(|error| Failure::machine("signals", &format!("cannot start a thread: {error}")))?;
    Ok(())
}

fn start_logs(config: &Config) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::new(&config.log_level);
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    let started = if config.logs_are_json {
        logs.json().try_init()
    } else {
        logs.with_target(false).try_init()
    };
    started.map_err(|error| Failure::machine("logs", &format!("logs cannot be written: {error}")))
}

/// A round on the synthetic corpus, unless one is open already.
fn open_demo_round(service: &Arc<Service>, store: &Store, output: Output) -> Result<(), Failure> {
    let current = store
        .read(rounds::current)
        .map_err(|error| Failure::machine("store", &error.to_string()))?;
    if current.is_some() {
        return Ok(());
    }
    let number = store
        .read(rounds::list)
        .map_err(|error| Failure::machine("store", &error.to_string()))?
        .len();
    let name = if number == 0 {
        DEMO_ROUND.to_owned()
    } else {
        format!("{DEMO_ROUND}-{}", number + 1)
    };
    let spec = RoundSpec {
        name,
        recipe_toml: Recipe::small().to_toml(),
        corpus: demo::corpus(&runtime::settings()?, output)?,
        policy: None,
        scored_runs_per_day: 40,
        uploads_per_day: 400,
        reference: None,
        publish_sources: true,
    };
    service
        .administer(&Operation::RoundOpen(spec))
        .map(drop)
        .map_err(|error| Failure::machine("round", &error.to_string()))
}

fn greet(config: &Config, place: &PlaceArgs, output: Output) {
    output.note(format_args!("PRISM serves on http://{}", config.listen));
    output.note(format_args!("store: {}", config.dir.display()));
    let settings = &config.reviewer.settings;
    match (config.review, operate::access(config)) {
        (ReviewMode::Off, _) => output.note("the review is OFF: submissions are not read by a reviewer"),
        (mode, Ok(Ok((access, origin)))) => {
            let model = crate::show::line(&settings.model);
            let host = crate::show::line(access.host());
            output.note(format_args!(
                "submissions are read by {model} at {host}; its key is from {origin}"
            ));
            if mode == ReviewMode::Advisory {
                output.note("the review is ADVISORY: the reviewer stops no submission");
            }
        }
        (mode, Ok(Err(why))) => {
            output.note(format_args!("no reviewer: {why}"));
            output.note(match mode {
                ReviewMode::Advisory => "the review is advisory: submissions go on unread",
                ReviewMode::Off | ReviewMode::Enforce => {
                    "submissions wait for `prism admin release`; `review.mode = \"off\"` does without"
                }
            });
        }
        (_, Err(failure)) => output.note(format_args!("no reviewer: {}", failure.detail)),
    }
    if place.demo {
        output.note("try it: `prism key new --out me.json`, then `prism submit DIR --key me.json --watch`");
    }
}
