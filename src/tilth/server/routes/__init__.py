"""The HTTP API, one noun a file. Routes translate; what they answer is computed elsewhere."""
