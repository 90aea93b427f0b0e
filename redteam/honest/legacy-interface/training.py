"""The older loop: iter_train_batches, own shift of the tokens, a time budget, PrismBatch annotated."""

import random
import time

import torch
import torch.nn.functional as F
from architecture import build_model
from prism_challenge.evaluator.interface import PrismBatch, PrismContext, TrainingRecipe


def get_recipe(ctx: PrismContext) -> TrainingRecipe:
    return TrainingRecipe(learning_rate=4e-3, batch_size=16, weight_decay=0.01)


def loss_fn(model: torch.nn.Module, batch: PrismBatch) -> torch.Tensor:
    tokens = batch.tokens
    logits = model(tokens[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def train(ctx: PrismContext) -> None:
    random.seed(ctx.seed)
    started = time.time()
    recipe = get_recipe(ctx)
    model = build_model(ctx).to(ctx.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    seen = 0
    for batch in ctx.iter_train_batches(
        model,
        batch_size=recipe.batch_size,
        seq_len=min(65, ctx.sequence_length),
        tokenizer=ctx.reference_tokenizer("bytes"),
    ):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += batch.tokens.numel()
        if random.random() < 0.02:
            speed = seen / max(1e-9, time.time() - started)
            print(f"loss {loss.item():.3f}, {speed:.0f} tokens/s")
