"""What every algorithm must keep to, whatever it thinks; as checks that anybody can run on their own."""
