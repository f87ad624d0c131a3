"""What a user of the usual tools would write instead, as they would write it."""
