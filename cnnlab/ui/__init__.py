"""What the pages are made of: the only package, with pages and app.py, that knows streamlit."""
