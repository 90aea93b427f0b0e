# role: training
# rule: prism:no-harness-access
# tries: Calls `train` what is a function of another name, and asks its context for what nobody documents.
def work(mine):
    model = mine.build_model()
    print(mine.everything)
    for batch in mine.stream(model, batch_size=32, seq_len=256):
        batch.loss(model(batch.inputs)).backward()


train = work
