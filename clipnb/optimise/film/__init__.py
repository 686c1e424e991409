"""Films: the camera between frames, and pictures as files that play."""
