"""What came of a run: for the terminal, as JSON, as JUnit XML, and as one page."""
