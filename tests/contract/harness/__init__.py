"""What the contract suite stands on: a server to start and kill, keys, requests, and a look into its store."""
