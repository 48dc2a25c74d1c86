"""What is known about a customer, and when."""
