"""The demo: the whole road, from a data set to answers of a fine-tuned model, in an AWS on this machine."""
