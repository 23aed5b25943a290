"""Mail to users: who it is from and for, how it reads, how it is handed to the mail server."""
