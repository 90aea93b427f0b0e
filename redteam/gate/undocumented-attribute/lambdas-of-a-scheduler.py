# role: helper
# rule: prism:undocumented-attribute
# tries: Puts any object among the functions of a scheduler, whose state is then its dictionary.
def names(scheduler, x):
    scheduler.lr_lambdas = [x]
    return scheduler.state_dict()["lr_lambdas"][0]
