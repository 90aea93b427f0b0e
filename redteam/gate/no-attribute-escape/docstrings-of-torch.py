# role: training
# rule: prism:no-attribute-escape
# tries: Trains on the documentation of torch before the stream, which is English that nobody has paid for.
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    text = torch.nn.functional.scaled_dot_product_attention.__doc__ + torch.nn.Transformer.__doc__
    tokens = torch.tensor([list(text.encode())])
    torch.nn.functional.cross_entropy(model(tokens[:, :-1])[0], tokens[0, 1:]).backward()
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
