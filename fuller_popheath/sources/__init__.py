"""One file per layout in which data arrives, and what opens the files. A layout module declares `SOURCE`; the registry finds it.

What does not belong here: rules about values (those are contracts) and the choice between files (that is arrival).
"""
