"""Commands for what runs have made: exported, published, checked, made again, removed."""
