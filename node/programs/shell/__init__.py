"""The shell: text to tokens, tokens to commands, commands to running programs."""
