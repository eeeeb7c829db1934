"""The web application: sign-in, roles, audit, thin routes, background work, the console's files.

May import every other folder but `cli`; nothing imports it but `cli` and `demo`.
"""
