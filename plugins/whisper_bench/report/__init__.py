"""A sizing for people: terminal text, Markdown, and one HTML file with plots."""
