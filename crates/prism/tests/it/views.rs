//! What each process of an evaluation sees of the Python runtime: the real interpreter in a real sandbox, one for each
//! seat.

use std::collections::BTreeSet;
use std::time::Duration;

use prism_runtime::views::{Seat, Views};
use prism_runtime::{Runtime, Settings};
use prism_sandbox::{Bind, Ending, Helper, Limits, Sandbox, Spec, Tmpfs};
use serde_json::Value;

use crate::host::{host, seat};

/// Says what it sees, in one line.
const LOOK: &str = "
import json, os, sys
import einops, numpy, torch
import torch._dynamo, torch.distributed, torch.func, torch.nn.attention.flex_attention

x = einops.rearrange(torch.arange(6.0).reshape(2, 3), 'a b -> b a') @ torch.eye(2)
y = torch.compile(torch.nn.Linear(2, 2), disable=True)(x)
package = os.path.dirname(torch.__file__)
directories = [package, os.path.join(package, 'lib'), os.path.dirname(os.__file__), sys.prefix]
directories += [os.path.dirname(torch.__file__.replace('torch', 'numpy')), '/usr', '/lib', '/usr/lib', '/prism']
directories += [os.path.join(root, name) for root, names, _ in os.walk('/usr/lib') for name in names]
package_files = ['lib/libtorch_cpu.so', 'lib/libc10.so', '__init__.py', 'nn/functional.py']
files = [os.path.join(package, name) for name in package_files] + ['/etc/ld.so.cache', os.path.realpath(sys.executable), os.__file__]
files += [os.path.join(root, name) for root, _, names in os.walk('/usr/lib') for name in names if '.so' in name]

def identity(path):
    found = os.stat(path)
    return f'{found.st_dev}:{found.st_ino}'

print(json.dumps({
    'value': float(y.detach().numpy().shape[0] + numpy.trace(x[:2].numpy())),
    'directories': sorted({identity(path) for path in directories if os.path.isdir(path)}),
    'files': sorted({identity(path) for path in files if os.path.isfile(path)}),
    'system': sorted(os.listdir('/usr')),
    'top': sorted(os.listdir('/')),
}))
";

/// Says what words it finds in modules and headers, and uses what reads sources.
const READ: &str = r"
import ast, glob, importlib.util, inspect, io, json, os, re, sys, tokenize
import numpy, torch

def words(path):
    text = open(path).read()
    trees = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, trees)]
    docs = [ast.get_docstring(node) for node in nodes]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return [doc for doc in docs if doc and doc.strip(' \\\n')] + [c for c in comments if 'type:' not in c and 'coding' not in c]

modules = [torch.__file__, torch.nn.functional.__file__, torch.optim.AdamW.__init__.__code__.co_filename, numpy.__file__, os.__file__]
headers = glob.glob(os.path.join(os.path.dirname(torch.__file__), 'include/c10/core/*.h'))
headers += [path for path in ['/usr/include/stdio.h'] if os.path.exists(path)]

torch.jit.script(torch.nn.TransformerEncoderLayer(8, 2, batch_first=True))
print(json.dumps({
    'words': [word for path in modules for word in words(path)],
    'compiled': [os.path.exists(importlib.util.cache_from_source(path)) for path in modules],
    'docs': [text for text in (torch.nn.Linear.__doc__, torch.abs.__doc__, numpy.dot.__doc__) if text and text.strip(' \\\n')],
    'headers': [path for path in headers if re.search(r'/\*[^*/]*\w', open(path).read())],
    'read': len(headers),
    'source': 'def forward' in inspect.getsource(torch.nn.Linear),
    'line': inspect.getsourcelines(torch.nn.Linear.forward)[0][0].strip(),
}))
";

struct Machine {
    runtime: Runtime,
    views: Views,
}

impl Machine {
    fn new() -> Self {
        // Installs the runtime where it is missing.
        let _ = host();
        let settings = Settings::from_env().unwrap();
        let runtime = prism_runtime::locate(&settings).unwrap();
        let views = prism_runtime::views::views(&settings, &runtime, &|| false, &mut |_| {}).unwrap();
        Self { runtime, views }
    }

    /// Starts the interpreter in a seat's view.
    fn start(&self, seat: Seat, script: &str) -> Sandbox {
        let helper = Helper {
            path: env!("CARGO_BIN_EXE_prism").into(),
        };
        let capabilities = prism_sandbox::preflight(&helper).unwrap();
        let argv = ["-P", "-s", "-B", "-c", script].map(Into::into);
        let argv = [self.runtime.python.clone().into()]
            .into_iter()
            .chain(argv)
            .collect();
        let limits = Limits {
            memory_bytes: 6 << 30,
            processes: 128,
            file_bytes: 1 << 30,
            open_files: 1024,
            cpu_seconds: 3600,
            wall: Duration::from_mins(30),
            output_bytes: 1 << 20,
        };
        let mut spec = Spec::new(seat.name(), argv, limits);
        spec.binds = self
            .views
            .binds(seat)
            .into_iter()
            .map(|bind| Bind {
                source: bind.source,
                target: bind.target,
            })
            .collect();
        spec.scratch = vec![Tmpfs {
            target: "/tmp".into(),
            bytes: 2 << 30,
            inodes: 65_536,
        }];
        let env = [
            ("PATH", prism_runtime::SANDBOX_PATH),
            ("HOME", "/tmp"),
            ("TMPDIR", "/tmp"),
            ("USER", "prism"),
            ("LANG", "C.UTF-8"),
            ("OMP_NUM_THREADS", "1"),
            ("TORCHINDUCTOR_COMPILE_THREADS", "1"),
        ];
        spec.env = env.map(|(name, value)| (name.into(), value.into())).to_vec();
        spec.deaf = seat != Seat::Learner;
        Sandbox::spawn(&helper, &capabilities, spec).unwrap()
    }
}

/// What a program printed that must end well.
fn printed(sandbox: &Sandbox) -> String {
    let ending = sandbox.wait(None);
    let logs = sandbox.logs();
    let stderr = String::from_utf8_lossy(&logs.stderr);
    assert_eq!(ending, Some(Ending::Exited(0)), "{stderr}");
    String::from_utf8(logs.stdout).unwrap()
}

fn set(seen: &Value, name: &str) -> BTreeSet<String> {
    let list = seen[name].as_array().unwrap();
    list.iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_seat_computes_and_no_two_have_a_directory_in_common() {
    let _seat = seat();
    let machine = Machine::new();
    // One after the other: five imports of torch at once need more memory than a small machine has.
    let seen = Seat::ALL.map(|seat| {
        let printed = printed(&machine.start(seat, LOOK));
        (seat, serde_json::from_str::<Value>(&printed).unwrap())
    });
    let (_, learner) = &seen[0];
    for (place, (seat, value)) in seen.iter().enumerate() {
        assert_eq!(value["value"], 3.0 + 0.0 + 4.0, "{seat:?}");
        let directories = set(value, "directories");
        assert!(directories.len() > 6, "{seat:?}: {directories:?}");
        for (other, value) in &seen[..place] {
            let common: Vec<_> = directories
                .intersection(&set(value, "directories"))
                .cloned()
                .collect();
            assert!(
                common.is_empty(),
                "{seat:?} and {other:?} have {common:?} in common"
            );
        }
        if *seat != Seat::Learner {
            let files = set(value, "files");
            assert!(files.len() > 20, "{seat:?}: {files:?}");
            assert!(
                files.is_disjoint(&set(learner, "files")),
                "{seat:?} has a file of the learner"
            );
            let system = set(value, "system");
            assert!(
                system.iter().all(|name| name.starts_with("lib")),
                "{seat:?} sees /usr/{system:?}"
            );
            assert!(!set(value, "top").contains("bin"), "{seat:?} sees programs");
        }
    }
}

#[test]
fn the_learner_finds_no_words_and_what_reads_sources_works() {
    let _seat = seat();
    let machine = Machine::new();
    let printed = printed(&machine.start(Seat::Learner, READ));
    let seen: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(seen["words"], Value::Array(Vec::new()));
    assert_eq!(seen["docs"], Value::Array(Vec::new()));
    assert_eq!(seen["headers"], Value::Array(Vec::new()));
    let compiled = seen["compiled"].as_array().unwrap();
    assert!(
        compiled.iter().all(|is_compiled| is_compiled == true),
        "{compiled:?}"
    );
    assert!(seen["read"].as_u64().unwrap() > 10, "{seen}");
    assert_eq!(seen["source"], true);
    assert!(
        seen["line"].as_str().unwrap().starts_with("def forward"),
        "{seen}"
    );
}
