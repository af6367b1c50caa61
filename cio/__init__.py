"""The `cio` command: thin faces over loaders, models and syncs."""
