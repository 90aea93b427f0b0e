import time

import torch
import torch.nn.functional as F
from architecture import build_model
from prism_challenge.evaluator.interface import PrismContext, TrainingRecipe

RECIPE = TrainingRecipe(learning_rate=3e-3, batch_size=16, weight_decay=0.05)
SEQ_LEN = 129


def train(ctx: PrismContext) -> None:
    start = time.monotonic()
    model = build_model(ctx)
    model.to(ctx.device)
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=RECIPE.learning_rate,
        betas=(0.9, 0.95),
        weight_decay=RECIPE.weight_decay,
    )
    tokenizer = ctx.reference_tokenizer("bytes")
    batches = ctx.iter_train_batches(
        model,
        batch_size=RECIPE.batch_size,
        seq_len=min(SEQ_LEN, ctx.sequence_length),
        tokenizer=tokenizer,
    )
    for step, batch in enumerate(batches):
        tokens = batch.tokens.to(ctx.device)
        inputs, targets = tokens[:, :-1], tokens[:, 1:]
        logits = model(inputs)
        loss = F.cross_entropy(logits.reshape(-1, ctx.vocab_size), targets.reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0 and time.monotonic() - start > 0.9 * ctx.budget_seconds:
            for group in optimizer.param_groups:
                group["lr"] = 0.1 * RECIPE.learning_rate
