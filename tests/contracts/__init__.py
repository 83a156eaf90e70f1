"""One contract test per port, as mixins that every implementation runs."""
