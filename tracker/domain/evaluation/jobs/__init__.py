"""Jobs: their states, their leases, what is to be done with one next, and the rows they work through."""
