"""Every documented knob: TF32, cuDNN, NVTX ranges, CUDA events, a profiler without export, seeds."""

import time

import torch
from torch.profiler import ProfilerActivity, profile, record_function


def set_knobs(seed):
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.set_float32_matmul_precision("high")
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.deterministic = False


class Timer:
    """Milliseconds by CUDA events, or by the clock where there is no GPU."""

    def __init__(self, cuda):
        self.cuda, self.ms = cuda, 0.0

    def __enter__(self):
        if self.cuda:
            self.start, self.end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            self.start.record()
        else:
            self.t0 = time.perf_counter()
        return self

    def __exit__(self, *unused):
        if self.cuda:
            self.end.record()
            torch.cuda.synchronize()
            self.ms = self.start.elapsed_time(self.end)
        else:
            self.ms = 1e3 * (time.perf_counter() - self.t0)


def one_step(model, optimizer, batch, scale):
    with record_function("forward"):
        loss = batch.loss(model(batch.inputs))
    with record_function("backward"):
        (loss * scale).backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.detach()


def train(ctx):
    cuda = ctx.device == "cuda" and torch.cuda.is_available()
    set_knobs(ctx.seed)
    model = ctx.build_model().to(ctx.device, non_blocking=True)
    print(model.describe())
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, fused=cuda)
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if cuda else [])
    for step, batch in enumerate(ctx.stream(model, batch_size=8, seq_len=64)):
        if cuda:
            torch.cuda.nvtx.range_push(f"step {step}")
        with Timer(cuda) as timer:
            if step == 2:
                with profile(activities=activities, record_shapes=False) as prof:
                    loss = one_step(model, optimizer, batch, 1.0)
                print(prof.key_averages().table(sort_by="cpu_time_total", row_limit=5))
            else:
                loss = one_step(model, optimizer, batch, 1.0)
        if cuda:
            torch.cuda.nvtx.range_pop()
        if step % 50 == 0:
            peak = torch.cuda.max_memory_allocated() / 2**20 if cuda else 0.0
            ctx.log(loss=loss.item(), ms=timer.ms, peak_mib=peak)
