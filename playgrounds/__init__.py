"""`ls` of this folder is the catalogue: one file per playground, its name is the file's name."""
