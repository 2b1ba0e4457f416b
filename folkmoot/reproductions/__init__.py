"""What the folders in papers/ share: claims that hold or do not, and one cache of what has been played."""
