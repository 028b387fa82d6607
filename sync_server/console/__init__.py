"""The operations console and the officer's page: pages over the centre's database."""
