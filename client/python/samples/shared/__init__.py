"""What the samples have in common: pages, the session's rules, and how the two frameworks serve them."""
