"""Pressmark beside LangChain, LlamaIndex and Haystack: same model, archive and questions, in one run."""
