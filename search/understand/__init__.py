"""Free text becomes filters, by rules that can be read.

`reader.understand` is pure: text, vocabulary and today's date in, readings out. The vocabulary comes
from the index (`vocabulary`), other spellings are data (`aliases.toml`). What is not understood stays
text.
"""
