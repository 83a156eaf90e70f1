"""The client protocol as documents for machines, made from the structs that are its source."""
