"""What a run came to, for people: a page of HTML with charts, a summary for a terminal. Values in, text out."""
