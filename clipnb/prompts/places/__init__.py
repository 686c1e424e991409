"""The places where prompts live, one file each; `READERS` in `clipnb.prompts.read` names them."""
