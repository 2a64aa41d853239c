"""Report: one self-contained HTML file about a run, section by section."""
