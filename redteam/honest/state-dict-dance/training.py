"""Stacks trained layers into new ones through state dicts; keeps weights on disk in the run's directory."""

import copy
from collections import OrderedDict

import torch


def stack_into(model, source, target):
    """Copy block `source` into block `target`, by editing a state dict."""
    old = model.state_dict()
    new = OrderedDict()
    for key, value in old.items():
        prefix = f"blocks.{target}."
        if key.startswith(prefix) and not key.endswith("gate.on"):
            value = old[f"blocks.{source}." + key.removeprefix(prefix)]
        new[key] = value.clone()
    missing, unexpected = model.load_state_dict(new, strict=False)
    assert not missing and not unexpected


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    snapshots = {}
    for step, batch in enumerate(stream):
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step == 0:
            torch.save(model.state_dict(), f"{ctx.artifacts_dir}/first.pt")
            torch.save({"step": step, "loss": loss.item()}, ctx.artifacts_dir + "/meta.pt")
        if step == len(stream) // 3:
            stack_into(model, 0, 2)
            model.grow()
        if step == 2 * len(stream) // 3:
            stack_into(model, 1, 3)
            model.grow()
            snapshots["before"] = copy.copy(model.state_dict())
            opt.load_state_dict(copy.deepcopy(opt.state_dict()))
            first = torch.load(
                f"{ctx.artifacts_dir}/first.pt", weights_only=True, map_location="cpu"
            )
            drift = sum((snapshots["before"][k].cpu() - v).norm().item() for k, v in first.items())
            ctx.log(drift=drift)
