"""The doors: every filter of every sandbox, in one unprivileged process outside the Hub.

inbound (browser → server), hub, portal (HTTP allow-lists on the raw request) and spark (bytes to the
gateway, which checks the token itself). Requests are parsed and written anew, never relayed as they came,
so that two parsers cannot disagree. Doors hold no secret, only digests of tokens; they close within two
seconds of a freeze, a revocation or the end of the term.
"""
