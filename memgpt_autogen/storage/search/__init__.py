"""How text is read and hits are ranked, whatever store they are in: spelling, words, dates, names, scores."""
