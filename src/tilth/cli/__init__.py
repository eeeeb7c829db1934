"""The command line: reads arguments, calls one capability, prints. It adds nothing of its own.

Heavy modules are imported inside the commands that use them, so that `tilth --help` answers at once.
"""
