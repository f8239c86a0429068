"""Evidence bundles for tests, honest and attacked; made with the rules of the product."""
