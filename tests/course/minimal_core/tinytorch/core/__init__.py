"""A second, minimal core, as a student may bring it: TinyTorch's names, and nothing that only ours has."""
