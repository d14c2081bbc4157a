"""Whether everybody can reach what he needs, and nobody more: proven from synthesized templates, before a deployment.

`world` reads the assemblies of all accounts; `needs` works out who needs what; `proof` asks the evaluator that the
local AWS enforces, over identity, resource, key, endpoint policies and boundaries together.
"""
