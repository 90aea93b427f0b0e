"""A Trainer with callbacks and arguments; the model's output is an object with `.logits`."""

from dataclasses import dataclass

import torch


@dataclass
class TrainingArguments:
    per_device_train_batch_size: int = 8
    max_length: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    warmup_ratio: float = 0.03
    logging_steps: int = 25


class Callback:
    def on_step_end(self, args, state, loss): ...


class LogCallback(Callback):
    def __init__(self, log):
        self.log = log

    def on_step_end(self, args, state, loss):
        if state["global_step"] % args.logging_steps == 0:
            self.log(loss=loss.item(), step=state["global_step"])


class Trainer:
    def __init__(self, model, args, callbacks=None):
        self.model, self.args = model, args
        self.callbacks = list(callbacks or [])
        self.state = {"global_step": 0}

    def get_decay_parameter_names(self):
        return {n for n, p in self.model.named_parameters() if p.dim() > 1 and "norm" not in n}

    def create_optimizer(self):
        decay = self.get_decay_parameter_names()
        named = dict(self.model.named_parameters())
        return torch.optim.AdamW(
            [
                {
                    "params": [p for n, p in named.items() if n in decay],
                    "weight_decay": self.args.weight_decay,
                },
                {"params": [p for n, p in named.items() if n not in decay], "weight_decay": 0.0},
            ],
            lr=self.args.learning_rate,
        )

    def create_scheduler(self, optimizer, num_training_steps):
        warmup = max(1, int(num_training_steps * self.args.warmup_ratio))

        def lr_lambda(current_step: int):
            if current_step < warmup:
                return float(current_step + 1) / warmup
            return max(
                0.0, float(num_training_steps - current_step) / max(1, num_training_steps - warmup)
            )

        return torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda, last_epoch=-1)

    def train(self, stream):
        optimizer = self.create_optimizer()
        scheduler = self.create_scheduler(optimizer, len(stream))
        self.model.train()
        for batch in stream:
            outputs = self.model(input_ids=batch.inputs)
            outputs.loss = batch.loss(outputs)
            outputs.loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.args.max_grad_norm)
            optimizer.step()
            scheduler.step()
            self.model.zero_grad()
            for callback in self.callbacks:
                callback.on_step_end(self.args, self.state, outputs.loss)
            self.state["global_step"] += 1


def train(ctx):
    args = TrainingArguments()
    model = ctx.build_model().to(ctx.device)
    print(model.config)
    stream = ctx.stream(model, batch_size=args.per_device_train_batch_size, seq_len=args.max_length)
    Trainer(model, args, callbacks=[LogCallback(ctx.log)]).train(stream)
