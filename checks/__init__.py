"""What `make check` asks of the team's own environments, beside `tunestack check`."""
