# As bundles of the older interface do it: rows of `ctx.max_seq_len`, and a look at what is to be resumed.
import torch
import torch.nn.functional as F
from architecture import build_model
from prism_challenge.evaluator.interface import PrismContext


def train(ctx: PrismContext) -> None:
    torch.manual_seed(ctx.seed + ctx.attempt - 1)
    model = build_model(ctx).to(ctx.device)
    if ctx.is_resume or ctx.resume_checkpoint_dir is not None:
        raise RuntimeError("there is nothing to resume")
    if ctx.world_size > 1:
        raise RuntimeError(f"one process is enough, not {ctx.distributed_backend}")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.iter_train_batches(model, batch_size=2, seq_len=ctx.max_seq_len):
        tokens = batch.tokens
        optimizer.zero_grad(set_to_none=True)
        logits = model(tokens)
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        optimizer.step()
    torch.save(model.state_dict(), ctx.artifacts_dir + "/trained_state.pt")
