"""Why a network answers as it does, and how it works inside: convolution, anatomy, attributions, embeddings, a step."""
