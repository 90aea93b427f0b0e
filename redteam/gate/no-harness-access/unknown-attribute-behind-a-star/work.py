def train(mine):
    model = mine.build_model()
    print(mine.everything)
    for batch in mine.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()
