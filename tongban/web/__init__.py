"""What all pages share: a server thread, security headers, templates, static files, tokens.

Take each from its own module: who serves only a health page need not load a template engine.
"""
