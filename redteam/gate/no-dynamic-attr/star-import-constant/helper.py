KEY = "".join(["__glo", "bals__"])
