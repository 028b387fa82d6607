"""Updates that cannot brick: two slots, a pointer, a start that counts and falls back."""
