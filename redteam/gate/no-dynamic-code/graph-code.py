# role: architecture
# rule: prism:no-dynamic-code | prism:no-torch-escape
# tries: Builds a module from a graph of torch.fx, whose forward is generated source text.
import torch
from torch import nn
from torch import fx

class Model(nn.Module):
    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mixer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab_size, bias=False)

    def forward(self, tokens):
        x, _ = self.mixer(self.embedding(tokens))
        return self.head(x)


def build_model(ctx):
    model = Model(ctx.vocab_size)
    graph = fx.Graph()
    graph.output(graph.placeholder("tokens): print('x') #"))
    return fx.GraphModule(model, graph)
