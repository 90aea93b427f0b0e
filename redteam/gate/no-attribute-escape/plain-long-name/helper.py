class ConfigurationOfTheAttentionAndTheFeedForwardLayersOfTheSmallTransformerModel:
    def names(self):
        return self.__dict__
