def budget(source):
    return source._session
