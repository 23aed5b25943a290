"""What a request costs our server beside a bare one that does the same with one SQL statement."""
