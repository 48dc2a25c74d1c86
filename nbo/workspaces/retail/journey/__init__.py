"""The Complete Journey data as an engine sees it: a catalogue, events in order, past mailings."""
