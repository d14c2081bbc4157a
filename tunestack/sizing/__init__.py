"""What a fine-tuning needs: memory and time, from a model's size and the method."""
