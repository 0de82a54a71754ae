"""The pull-through: what is stored is served; what is not is fetched once, stored and served."""
