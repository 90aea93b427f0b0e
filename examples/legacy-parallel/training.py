# Written for the older interface: one process of torchrun, or several with DistributedDataParallel.
import torch
import torch.distributed as dist
from architecture import build_model
from prism_challenge.evaluator.interface import PrismContext, TrainingRecipe
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DistributedSampler

ROWS = 4
CLIP = 1.0


def recipe(ctx: PrismContext) -> TrainingRecipe:
    return TrainingRecipe(learning_rate=0.01, batch_size=ROWS, weight_decay=0.0)


def start_processes(ctx: PrismContext) -> bool:
    if ctx.world_size > 1 and not dist.is_initialized():
        dist.init_process_group(backend="nccl" if ctx.device.startswith("cuda") else "gloo")
        return True
    return False


def train(ctx: PrismContext) -> dict[str, float]:
    torch.manual_seed(ctx.seed)
    started = start_processes(ctx)
    if ctx.device.startswith("cuda"):
        torch.cuda.set_device(ctx.local_rank)
    model = build_model(ctx).to(ctx.device)
    wrapped: nn.Module = model
    if ctx.world_size > 1:
        wrapped = DistributedDataParallel(model, device_ids=[ctx.local_rank])
    _ = DistributedSampler(range(ctx.world_size * ROWS), num_replicas=ctx.world_size, rank=ctx.rank)
    if ctx.is_resume and ctx.resume_checkpoint_dir:
        raise Exception("this bundle always starts from the beginning")
    settings = recipe(ctx)
    optimizer = torch.optim.AdamW(
        wrapped.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    tokenizer = ctx.reference_tokenizer("gpt2")
    last = 0.0
    for batch in ctx.iter_train_batches(
        model, batch_size=settings.batch_size, seq_len=ctx.max_seq_len, tokenizer=tokenizer
    ):
        tokens = batch.tokens.to(ctx.device)
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(tokens[:, :-1], tokens[:, 1:] % ctx.vocab_size)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(wrapped.parameters(), CLIP)
        optimizer.step()
        last = float(loss.detach())
    if ctx.rank == 0 and ctx.artifacts_dir:
        torch.save(model.state_dict(), ctx.artifacts_dir + "/trained_state.pt")
    if started:
        dist.barrier()
        dist.destroy_process_group()
    return {"loss": last}
