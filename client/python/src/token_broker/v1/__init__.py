"""The wire's messages, generated from proto/token_broker/v1 by generate.py."""
