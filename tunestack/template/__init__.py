"""CloudFormation templates as they are synthesized: read, resolved, and shown. No rule and no policy of ours is in it.

`assembly` reads a cloud assembly; `resolver` works out what a template's functions give, `text` writes them;
`resources` are what is looked at one by one, `statement` the policies in them, `values` what a property may hold.
"""
