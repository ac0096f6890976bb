"""What ours costs beside core's, on one database in one run."""
