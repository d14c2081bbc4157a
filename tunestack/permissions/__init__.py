"""Who needs what, and whether every policy lets him: proven from synthesized templates, and enforced by the local AWS.

`calls` and `job_role` say what a request of the service takes; `needs`, one kind of resource a file, who makes which;
`world` reads the assemblies of all accounts; `judge` asks `evaluator` over identity, resource, key, endpoint policies
and boundaries together; `proof` puts them together.
"""
