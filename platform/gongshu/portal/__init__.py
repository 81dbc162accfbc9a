"""The portal: web pages and the JSON API, one module per person of document 1.

It decides how things read and who is asking; it holds no rule of the field. Every verb lives in the
room it belongs to, and only the edge of the portal commits.
"""
