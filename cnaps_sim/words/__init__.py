"""Words: units, errors, enumerations, calendar, timetable and random streams.

Everything else in the package is written in these words; nothing here imports another room.
"""
