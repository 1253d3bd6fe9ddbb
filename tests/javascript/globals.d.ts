declare const __PALETTE__: any; // put in by playgrounds/player/assemble.py
