"""Trains again on rows that were scored already: a replay buffer read with a DataLoader."""

import random
from heapq import heappush, heapreplace

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset


class Hardest(Dataset):
    """Keeps the rows of the highest loss, in a heap."""

    def __init__(self, size):
        self.size, self.heap = size, []

    def add(self, row, nats):
        item = (nats, random.random(), row)
        if len(self.heap) < self.size:
            heappush(self.heap, item)
        elif nats > self.heap[0][0]:
            heapreplace(self.heap, item)

    def __len__(self):
        return len(self.heap)

    def __getitem__(self, index):
        return self.heap[index][-1]


def update(model, optimizer, tokens):
    logits = model(tokens[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train(ctx):
    random.seed(ctx.seed)
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    hardest, recent = Hardest(64), []
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        logits = model(batch.inputs)
        loss = batch.loss(logits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            nats = F.cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none").mean(1)
        for row, value in zip(batch.tokens, nats.tolist()):
            hardest.add(row.clone(), value)
        recent = (recent + [batch.tokens])[-4:]
        loader = DataLoader(hardest, batch_size=8, shuffle=True, num_workers=0, drop_last=True)
        for tokens in loader:
            update(model, optimizer, tokens)
            break
        rows = TensorDataset(torch.cat(recent))
        sampler = RandomSampler(rows, num_samples=8, replacement=True)
        (tokens,) = next(iter(DataLoader(rows, batch_size=8, sampler=sampler)))
        update(model, optimizer, tokens)
