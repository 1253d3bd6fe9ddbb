"""`ls` of this folder is the catalogue: one folder per playground, its name is the folder's."""
