"""Where clipnb runs (Colab, Kaggle, Jupyter, terminal), what it can compute with, and what is missing."""
