"""A trainer that keeps the context, options of argparse, and a decorator with an argument before train."""

import argparse
import functools
import time

import torch


def timed(label):
    """Prints how long the function took."""

    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **options):
            start = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                print(label, f"{time.perf_counter() - start:.1f} s")

        return wrapper

    return decorate


def parsed():
    """The options, as nobody passes any on a command line."""
    parser = argparse.ArgumentParser(description="how the trainer trains")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--keep-every", type=int, default=100)
    args = parser.parse_args([])
    print(sorted(vars(args).items()))
    return args


class Trainer:
    """Owns the model, its optimizer and the context."""

    def __init__(self, ctx, lr, keep_every):
        self.ctx = ctx
        self.keep_every = keep_every
        self.model = ctx.build_model().to(ctx.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr)

    def save(self):
        torch.save(self.model.state_dict(), f"{self.ctx.artifacts_dir}/last.pt")

    def run(self):
        for step, batch in enumerate(self.ctx.stream(self.model, batch_size=16, seq_len=64)):
            loss = batch.loss(self.model(batch.inputs))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if step % self.keep_every == 0:
                self.save()


@timed("training took")
def train(ctx):
    args = parsed()
    Trainer(ctx, args.lr, args.keep_every).run()
