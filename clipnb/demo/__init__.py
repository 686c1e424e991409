"""`clipnb demo`: the three jobs on real input, and one page that shows what came out."""
