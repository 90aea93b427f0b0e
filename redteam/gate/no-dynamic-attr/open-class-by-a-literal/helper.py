class Store:
    def put(self, name, value):
        setattr(self, name, value)
