# role: helper
# rule: prism:no-attribute-escape
# tries: Writes one letter of a dunder in another alphabet that Python folds away.
def kind(model):
    return model.__𝒸lass__.__b𝒶ses__
