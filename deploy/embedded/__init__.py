"""The embedded default: every part of the house on one machine, for the demo, the tests and development.

`setup` fetches what is missing (standard library only), `instance` starts and stops a whole house in
one run folder. It decides where parts live and under which account they run; it must never decide
who may see what.
"""
