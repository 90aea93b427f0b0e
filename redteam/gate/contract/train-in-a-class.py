# role: training
# rule: prism:contract
# tries: Defines train as a method of a class only.
import torch


class Trainer:
    def train(self, ctx):
        model = ctx.build_model()
        torch.optim.AdamW(model.parameters(), lr=1e-3).step()
