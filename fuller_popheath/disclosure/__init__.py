"""What keeps a figure about people from telling on one of them: small numbers hidden, counts rounded. It knows no table of ours."""
