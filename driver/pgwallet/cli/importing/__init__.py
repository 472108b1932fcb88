"""pgwallet import: a file is read line by line, checked as a whole, and posted, all or none."""
