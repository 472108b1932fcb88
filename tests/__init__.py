"""The tests, by the topics of the code; `servers` and `databases` say what they run on."""
